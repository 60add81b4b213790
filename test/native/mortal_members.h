// Members whose life a test controls, and memory for an object that they share.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>

#include "check.h"
#include "shm/ledger.h"
#include "thread_members.h"

namespace procshare::testing {

constexpr uint64_t kMaxMembers = 64;

template <size_t kBytes>
struct ObjectStage {
  alignas(kCellAlignment) uint8_t bytes[kBytes];
  std::atomic<bool> alive[kMaxMembers];
  std::atomic<bool> done;

  template <class Cell>
  Cell* cell() {
    return reinterpret_cast<Cell*>(bytes);
  }
  GuardedCell* guarded() { return cell<GuardedCell>(); }

  void Clear() {
    memset(bytes, 0, sizeof bytes);
    for (std::atomic<bool>& one : alive) one = true;
    done = false;
  }
};

template <class Stage>
class Member final : public Members {
 public:
  Member(Stage* stage, uint64_t number) : stage_(stage), number_(number) {}
  uint64_t self() override { return number_; }
  bool IsMember(uint64_t member) const override { return member < kMaxMembers && stage_->alive[member]; }
  Members* owners() override { return TestOwners(); }  // the test does not control their life

 private:
  Stage* const stage_;
  const uint64_t number_;
};

}  // namespace procshare::testing
