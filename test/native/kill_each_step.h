// Kills a process after each instruction of an operation on a shared object. Also kills a second process after each instruction
// of its operation on the remains of the first.
#pragma once

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "child_process.h"
#include "mortal_members.h"
#include "mutex_words.h"
#include "traced_child.h"

namespace procshare::testing {

constexpr char kNoStepping[] = "the thread sanitizer makes an operation of a hundred instructions one of ten thousand";

constexpr uint64_t kVictim = 1;
constexpr uint64_t kSecondVictim = 2;
constexpr uint64_t kSurvivor = 3;  // the test itself
constexpr uint64_t kOther = 4;     // another living one, played by the test
constexpr uint64_t kDead = 5;      // has died before

template <class Stage>
struct KillScript {
  const char* name;
  void (*prepare)(Stage* stage);
  void (*run)(Stage* stage, uint64_t member);  // the operation of a victim; perhaps of two, one after the other
  void (*check)(Stage* stage);                 // by the survivor; the victims are dead. stage->done: one of them was through
};

template <class Stage>
class KillEachStep {
 public:
  KillEachStep(const KillScript<Stage>& script, Stage* stage, GuardedCell* (*guarded)(Stage*))
      : script_(script), stage_(stage), guarded_(guarded) {
    Prepare();
    script_.run(stage_, kVictim);  // runs the work of the dynamic linker before counting
    Prepare();
    CHECK(IsSettled());
    const std::vector<uint8_t> start = Copy();
    std::vector<int> unfinished;
    const Path path = Record(kVictim, &unfinished);
    const int kills = KillAll(kVictim, start, path);
    int second_kills = 0;
    // A few of many, because each of them costs a whole series.
    const size_t every = (unfinished.size() + 1) / 2;
    for (size_t i = 0; i < unfinished.size(); i += every) {
      const int step = unfinished[i];
      Restore(start);
      Kill(kVictim, path, step);
      CHECK(!IsSettled());
      const std::vector<uint8_t> remains = Copy();
      const Path second_path = Record(kSecondVictim, nullptr);
      second_kills += KillAll(kSecondVictim, remains, second_path);
    }
    printf("     %s: %d instructions, %d kills; %zu unfinished transactions, %d kills\n", script_.name, path.steps(), kills,
           unfinished.size(), second_kills);
    CHECK(guarded_ == nullptr || !unfinished.empty());
  }

 private:
  static constexpr int kEach = 250;  // an operation of at most this many instructions is tried at each
  const int stride_ = kAddressSanitizer ? 61 : OwnerIsMember() ? 23 : 11;

  void Prepare() {
    stage_->Clear();
    script_.prepare(stage_);
  }
  bool IsSettled() const { return guarded_ == nullptr || JournalIsEmpty(guarded_(stage_)); }
  std::vector<uint8_t> Copy() const { return {stage_->bytes, stage_->bytes + sizeof stage_->bytes}; }

  void Restore(const std::vector<uint8_t>& bytes) {
    Prepare();  // for state outside of the bytes
    memcpy(stage_->bytes, bytes.data(), bytes.size());
  }

  TracedChild* Start(uint64_t member) {
    auto* const victim = new TracedChild([this, member] {
      TracedChild::Halt();
      script_.run(stage_, member);
      stage_->done = true;
      TracedChild::Halt();
    });
    CHECK(victim->RunToHalt());
    return victim;
  }

  // Fills `changes_`; `unfinished` gets the steps before each commit.
  Path Record(uint64_t member, std::vector<int>* unfinished) {
    const std::unique_ptr<TracedChild> victim(Start(member));
    changes_.assign(1, true);
    Path path(victim->Address());
    std::vector<uint8_t> before = Copy();
    bool settled = true;
    while (!stage_->done) {
      CHECK(victim->StepInstruction());
      path.Add(victim->Address());
      const bool changed = memcmp(before.data(), stage_->bytes, before.size()) != 0;
      if (changed) before = Copy();
      changes_.push_back(changed);
      const bool settled_now = IsSettled();
      if (unfinished != nullptr && !settled && settled_now) unfinished->push_back(path.steps() - 1);
      settled = settled_now;
    }
    victim->Kill();
    return path;
  }

  // From the bytes `start`, from which this victim takes this path.
  int KillAll(uint64_t member, const std::vector<uint8_t>& start, const Path& path) {
    const int steps = path.steps();
    const std::vector<bool> changes = changes_;
    int kills = 0;
    int candidates = 0;
    for (int step = 0; step <= steps; ++step) {
      const auto at = static_cast<size_t>(step);
      // Between two changes of the memory most instructions are alike.
      const bool each = steps <= kEach && member == kVictim && !kAddressSanitizer;
      const bool before_change = step < steps && changes[at + 1] && member == kVictim && !kAddressSanitizer;
      if (!each && !changes[at] && !before_change && step % stride_ != 0) continue;
      if (kAddressSanitizer && ++candidates % 4 != 0 && step != steps) continue;  // some times more instructions
      Context() = std::string(script_.name) + (member == kVictim ? ", instruction " : ", instruction of the second ") +
                  std::to_string(step) + " of " + std::to_string(steps);
      Restore(start);
      if (member == kSecondVictim) stage_->alive[kVictim] = false;
      Kill(member, path, step);
      if (!OwnerIsMember()) CHECK_EQ(static_cast<bool>(stage_->done), step == steps);  // else it is a matter of time, too
      script_.check(stage_);
      ++kills;
    }
    return kills;
  }

  void Kill(uint64_t member, const Path& path, int step) {
    const std::unique_ptr<TracedChild> victim(Start(member));
    victim->RunToStep(path, step);
    if (!OwnerIsMember()) CHECK_EQ(victim->Address(), path.address(step));  // else it is a matter of time, too
    victim->Kill();
    stage_->alive[member] = false;
  }

  const KillScript<Stage>& script_;
  Stage* const stage_;
  GuardedCell* (*const guarded_)(Stage*);  // null for an object without transactions
  std::vector<bool> changes_;
};

template <class Stage, size_t kCount>
void KillAtEachStep(
    const KillScript<Stage> (&scripts)[kCount],
    GuardedCell* (*guarded)(Stage*) = [](Stage* stage) { return stage->guarded(); }) {
  if (kThreadSanitizer) return Skip(kNoStepping);
  const OneProcessor one;
  const SharedScratch<Stage> stage;
  for (const KillScript<Stage>& script : scripts) KillEachStep<Stage>(script, &*stage, guarded);
}

}  // namespace procshare::testing
