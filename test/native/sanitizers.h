// Which sanitizer this program is built with, and what it needs.
#pragma once

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <time.h>

#if defined(__SANITIZE_THREAD__)
#define PROCSHARE_TEST_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define PROCSHARE_TEST_TSAN 1
#endif
#endif

#if defined(__SANITIZE_ADDRESS__)
#define PROCSHARE_TEST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define PROCSHARE_TEST_ASAN 1
#endif
#endif

#if defined(PROCSHARE_TEST_TSAN)
#include <sanitizer/tsan_interface.h>

// The thread sanitizer of GCC 12 does not know this function, and would take its mutexes for free ones.
extern "C" int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                                       const timespec* until) noexcept {
  using Function = int (*)(pthread_mutex_t*, clockid_t, const timespec*);
  static const Function original = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "pthread_mutex_clocklock"));
  __tsan_mutex_pre_lock(mutex, __tsan_mutex_try_lock);
  const int error = original(mutex, clock, until);
  const bool taken = error == 0 || error == EOWNERDEAD;
  __tsan_mutex_post_lock(mutex, __tsan_mutex_try_lock | (taken ? 0 : __tsan_mutex_try_lock_failed), 0);
  return error;
}
#endif

namespace procshare::testing {

#if defined(PROCSHARE_TEST_TSAN)
constexpr bool kThreadSanitizer = true;
#else
constexpr bool kThreadSanitizer = false;
#endif
#if defined(PROCSHARE_TEST_ASAN)
constexpr bool kAddressSanitizer = true;
#else
constexpr bool kAddressSanitizer = false;
#endif

}  // namespace procshare::testing
