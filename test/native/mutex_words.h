// What the kernel and the C library keep inside a robust mutex, for tests that must know the exact owner.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <cstdint>

#include "shm/layout.h"

namespace procshare::testing {

#if defined(PROCSHARE_TEST_FALLBACKS)  // robust_mutex_owner.cc: pid and flags in the lower half of its word, no list
constexpr size_t kFutexOffset = 0;
constexpr size_t kListOffset = 0;
constexpr size_t kListBytes = 0;
constexpr bool kOwnerIsProcess = true;
#elif defined(__GLIBC__)
constexpr size_t kFutexOffset = offsetof(pthread_mutex_t, __data.__lock);
constexpr size_t kListOffset = offsetof(pthread_mutex_t, __data.__list);
constexpr size_t kListBytes = sizeof(pthread_mutex_t::__data.__list);
constexpr bool kOwnerIsProcess = false;
#else  // musl: { int type, lock, waiters, unused, list... }
constexpr size_t kFutexOffset = 4;
constexpr size_t kListOffset = 16;
constexpr size_t kListBytes = sizeof(pthread_mutex_t) - 16;
constexpr bool kOwnerIsProcess = false;
#endif

inline uint32_t FutexWordOf(const LockCell* cell) {
  return __atomic_load_n(reinterpret_cast<const uint32_t*>(cell->mutex.bytes + kFutexOffset), __ATOMIC_RELAXED);
}

// The thread that has the mutex, alive or not; 0 for none.
inline uint32_t OwnerOf(const LockCell* cell) { return FutexWordOf(cell) & 0x3fffffff; }         // FUTEX_TID_MASK
inline bool HasSleepers(const LockCell* cell) { return (FutexWordOf(cell) & 0x80000000) != 0; }  // FUTEX_WAITERS

}  // namespace procshare::testing
