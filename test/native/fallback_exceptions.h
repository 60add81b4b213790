// The cases that are meaningless when Linux is built with the fallbacks of other systems, and the reasons.
#pragma once

#include <cstddef>
#include <cstring>

namespace procshare::testing {

struct Exception {
  const char* test;
  const char* reason;
};

#if defined(PROCSHARE_TEST_FALLBACKS)
constexpr char kNoWakes[] = "a wait by looking sees changes, not wakes";
constexpr char kFileNames[] = "it looks at the files and locks that names are on Linux";
constexpr char kFolders[] = "the sidecars of another user lie in another folder, and holds of strangers do not count";
constexpr Exception kExceptions[] = {
    {"a wake crosses processes and addresses", kNoWakes},
    {"a wake wakes as many as it says", kNoWakes},
    {"a killed sleeper is forgotten", kNoWakes},
    {"a signal ends a wait early and says nothing false", kNoWakes},
    {"deadlines are computed once", kNoWakes},
    {"a huge deadline is waited for", kNoWakes},
    {"a killed sleeper does not take the wake-up along", "it stops a sleeper inside the futex call"},
    {"created memory is zeroed, backed and of the exact size", kFileNames},
    {"made-up bytes are refused", kFileNames},
    {"things that are not memory are refused", kFileNames},
    {"memory of other users is refused", kFolders},
    {"a stranger as the last holder", kFolders},
    {"the mode is honoured in spite of the mask", kFileNames},
    {"truncated and grown segments are refused", kFileNames},
};
constexpr bool kFallbacks = true;
#else
constexpr Exception kExceptions[] = {{"", ""}};
constexpr bool kFallbacks = false;
#endif

inline const char* ExceptionOf(const char* test) {
  for (const Exception& exception : kExceptions) {
    if (strcmp(exception.test, test) == 0) return exception.reason;
  }
  return nullptr;
}

}  // namespace procshare::testing
