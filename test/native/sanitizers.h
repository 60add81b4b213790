// Which sanitizer this program is built with, and what it needs.
#pragma once

#include <pthread.h>
#include <time.h>

#include <cstdint>

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
// The thread sanitizer of GCC 12 does not know this function, and would take its mutexes for free ones. It
// does know pthread_mutex_timedlock.
extern "C" int pthread_mutex_clocklock(pthread_mutex_t* mutex, clockid_t clock,
                                       const timespec* until) noexcept {
  timespec now;
  timespec wall;
  clock_gettime(clock, &now);
  clock_gettime(CLOCK_REALTIME, &wall);
  int64_t ns = (until->tv_sec - now.tv_sec) * 1'000'000'000 + until->tv_nsec - now.tv_nsec + wall.tv_nsec;
  if (ns < 0) ns = 0;
  wall.tv_sec += ns / 1'000'000'000;
  wall.tv_nsec = ns % 1'000'000'000;
  return pthread_mutex_timedlock(mutex, &wall);
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
