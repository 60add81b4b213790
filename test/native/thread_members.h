// The kind of the mutexes of a test, and their owners: threads, or members that live until their thread ends, by any means.
// scripts/native-tests.mjs runs the tests for each kind that the system has.
#pragma once

#include <cstdlib>
#include <cstring>

#include "host.h"
#include "platform/robust_mutex.h"

namespace procshare::testing {

inline MutexKind TestKind() {
  static const MutexKind kind = [] {
    const char* const wanted = getenv("PROCSHARE_TEST_MUTEX");
    const bool members = wanted != nullptr && strcmp(wanted, "members") == 0;
    return members ? MutexKindForAnyNamespace() : DefaultMutexKind();
  }();
  return kind;
}

class ThreadMembers final : public Members {
 public:
  uint64_t self() override { return ThreadNumber(); }
  bool IsMember(uint64_t member) const override { return ThreadLives(member); }
  Members* owners() override { return this; }
};

// The owners argument of the functions of mutexes.
inline Members* TestOwners() {
  static ThreadMembers members;
  return TestKind() == MutexKind::kMembers ? &members : nullptr;
}

}  // namespace procshare::testing
