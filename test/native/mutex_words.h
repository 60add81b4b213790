// The words of the kernel and the C library inside a robust mutex, for tests that need the exact owner.
#pragma once

#include <pthread.h>

#include <cstddef>
#include <cstdint>

#include "shm/layout.h"
#include "thread_members.h"

namespace procshare::testing {

#if defined(__GLIBC__)
constexpr size_t kThreadFutexOffset = offsetof(pthread_mutex_t, __data.__lock);
constexpr size_t kThreadKindOffset = offsetof(pthread_mutex_t, __data.__kind);
constexpr size_t kThreadListOffset = offsetof(pthread_mutex_t, __data.__list);
constexpr size_t kThreadListBytes = sizeof(pthread_mutex_t::__data.__list);
#else  // musl: { int type, lock, waiters, unused, list... }
constexpr size_t kThreadFutexOffset = 4;
constexpr size_t kThreadKindOffset = 0;
constexpr size_t kThreadListOffset = 16;
constexpr size_t kThreadListBytes = sizeof(pthread_mutex_t) - 16;
#endif

// member_mutex.cc: the lower half of its word is used as a futex, and there is no list.
inline bool OwnerIsMember() { return TestKind() == MutexKind::kMembers; }
inline size_t FutexOffset() { return OwnerIsMember() ? 0 : kThreadFutexOffset; }
inline size_t ListOffset() { return OwnerIsMember() ? 0 : kThreadListOffset; }
inline size_t ListBytes() { return OwnerIsMember() ? 0 : kThreadListBytes; }

inline uint32_t FutexWordOf(const LockCell* cell) {
  return __atomic_load_n(reinterpret_cast<const uint32_t*>(cell->mutex.bytes + FutexOffset()), __ATOMIC_RELAXED);
}

// The thread that has the mutex, alive or not; 0 for none.
inline uint32_t OwnerOf(const LockCell* cell) { return FutexWordOf(cell) & 0x3fffffff; }         // FUTEX_TID_MASK
inline bool HasSleepers(const LockCell* cell) { return (FutexWordOf(cell) & 0x80000000) != 0; }  // FUTEX_WAITERS

}  // namespace procshare::testing
