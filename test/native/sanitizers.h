// Which sanitizer this program is built with.
#pragma once

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
