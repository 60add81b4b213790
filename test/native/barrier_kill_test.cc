// A barrier whose parties are killed at every instruction. All parties of one generation get the same outcome, no party waits for
// a dead one for ever, and the barrier can be used again.

#include "check.h"
#include "kill_each_step.h"
#include "shm/barrier.h"

namespace procshare::testing {
namespace {

constexpr uint64_t kParties = 3;
constexpr uint64_t kRecords = 8;
constexpr uint64_t kSixth = 6;
constexpr uint64_t kNewcomer = 20;  // and the members after it
using Stage = ObjectStage<sizeof(BarrierCell) + kRecords * sizeof(LedgerRecord)>;
using Script = KillScript<Stage>;

struct Party {
  Party(Stage* stage, uint64_t number)
      : member(stage, number), barrier(stage->cell<BarrierCell>(), sizeof stage->bytes, &member) {
    CHECK(barrier.LooksSound());
  }
  Member<Stage> member;
  Barrier barrier;
};

BarrierOutcome Arrive(Stage* stage, uint64_t member, bool acts = false) {
  return Party(stage, member).barrier.Arrive(acts).outcome;
}

// All but `arrived` parties have come, among them the survivor and the other member.
void TwoWait(Stage* stage, uint64_t parties) {
  CHECK(Barrier::Init(stage->cell<BarrierCell>(), parties, kRecords, TestKind()));
  stage->guarded()->wake.flags = kAwaited;
  CHECK_EQ(Arrive(stage, kSurvivor), BarrierOutcome::kWaits);
  CHECK_EQ(Arrive(stage, kOther), BarrierOutcome::kWaits);
}

void TwoWaitForOne(Stage* stage) { TwoWait(stage, kParties); }

void VictimWaits(Stage* stage) {
  TwoWait(stage, kParties + 2);
  CHECK_EQ(Arrive(stage, kVictim), BarrierOutcome::kWaits);
  CHECK_EQ(Arrive(stage, kSecondVictim), BarrierOutcome::kWaits);
}

void VictimActs(Stage* stage) {
  TwoWaitForOne(stage);
  CHECK_EQ(Arrive(stage, kVictim, true), BarrierOutcome::kActs);
}

void MustWorkNormally(Stage* stage) {
  Party survivor(stage, kSurvivor);
  const uint64_t parties = survivor.barrier.parties();
  survivor.barrier.Reset();
  for (const uint64_t waiter : {kSurvivor, kOther, kSecondVictim}) (void)Party(stage, waiter).barrier.Take(0);
  for (int round = 0; round < 2; ++round) {
    for (uint64_t i = 0; i + 1 < parties; ++i) {
      CHECK_EQ(survivor.barrier.waiting(), i);
      CHECK_EQ(Arrive(stage, kNewcomer + i), BarrierOutcome::kWaits);
    }
    const Barrier::Arrival last = Party(stage, kSixth).barrier.Arrive(round == 1);
    CHECK_EQ(last.outcome, round == 1 ? BarrierOutcome::kActs : BarrierOutcome::kTripped);
    CHECK_EQ(last.index, parties - 1);
    if (round == 1) {
      CHECK_EQ(Arrive(stage, kSurvivor), BarrierOutcome::kBusy);
      CHECK_EQ(survivor.barrier.Take(last.generation), BarrierOutcome::kWaits);
      CHECK_EQ(Party(stage, kSixth).barrier.Finish(last.generation), BarrierOutcome::kTripped);
    }
    for (uint64_t i = 0; i + 1 < parties; ++i) {
      CHECK_EQ(Party(stage, kNewcomer + i).barrier.Take(last.generation), BarrierOutcome::kTripped);
    }
  }
  survivor.barrier.ReapDead();
  CHECK(stage->cell<BarrierCell>()->ledger.used == 0);
}

// The effect of the heartbeat of a waiter: the same for both waiters.
BarrierOutcome OutcomeForBoth(Stage* stage) {
  Party survivor(stage, kSurvivor);
  survivor.barrier.ReapDead();
  const BarrierOutcome outcome = survivor.barrier.Take(0);
  CHECK_EQ(Party(stage, kOther).barrier.Take(0), outcome);
  return outcome;
}

const Script kScripts[] = {
    {"arrive as the last one", TwoWaitForOne, [](Stage* stage, uint64_t member) { (void)Arrive(stage, member); },
     [](Stage* stage) {
       BarrierOutcome outcome = OutcomeForBoth(stage);
       // Two victims: the second one may have been the first to arrive at the next generation.
       CHECK(outcome == BarrierOutcome::kTripped || (outcome == BarrierOutcome::kWaits && !stage->done));
       if (outcome == BarrierOutcome::kWaits) {
         CHECK_EQ(Arrive(stage, kSixth), BarrierOutcome::kTripped);
         CHECK_EQ(OutcomeForBoth(stage), BarrierOutcome::kTripped);
       }
       MustWorkNormally(stage);
     }},
    {"arrive as one of many", [](Stage* stage) { TwoWait(stage, kParties + 1); },
     [](Stage* stage, uint64_t member) { (void)Arrive(stage, member); },
     [](Stage* stage) {
       const BarrierOutcome outcome = OutcomeForBoth(stage);
       CHECK(outcome == BarrierOutcome::kBroken || (outcome == BarrierOutcome::kWaits && !stage->done) ||
             (outcome == BarrierOutcome::kTripped && !stage->alive[kSecondVictim]));
       MustWorkNormally(stage);
     }},
    {"arrive to act", TwoWaitForOne, [](Stage* stage, uint64_t member) { (void)Arrive(stage, member, true); },
     [](Stage* stage) {
       const BarrierOutcome outcome = OutcomeForBoth(stage);
       CHECK(outcome == BarrierOutcome::kBroken || (outcome == BarrierOutcome::kWaits && !stage->done));
       MustWorkNormally(stage);
     }},
    {"finish the action", VictimActs,
     [](Stage* stage, uint64_t member) {
       if (member == kVictim) {
         (void)Party(stage, member).barrier.Finish(0);
       } else {
         Party(stage, member).barrier.ReapDead();
       }
     },
     [](Stage* stage) {
       const BarrierOutcome outcome = OutcomeForBoth(stage);
       CHECK(outcome == BarrierOutcome::kTripped || outcome == BarrierOutcome::kBroken);
       CHECK(!stage->done || outcome == BarrierOutcome::kTripped || !stage->alive[kSecondVictim]);
       MustWorkNormally(stage);
     }},
    // The second victim lives: only the leaving member is a reason to break the barrier.
    {"leave", VictimWaits, [](Stage* stage, uint64_t member) { (void)Party(stage, member).barrier.Cancel(0); },
     [](Stage* stage) {
       CHECK_EQ(OutcomeForBoth(stage), BarrierOutcome::kBroken);
       if (stage->alive[kSecondVictim]) {
         CHECK_EQ(Party(stage, kSecondVictim).barrier.Cancel(0), BarrierOutcome::kBroken);
       }
       MustWorkNormally(stage);
     }},
    {"take",
     [](Stage* stage) {
       TwoWait(stage, kParties + 1);
       CHECK_EQ(Arrive(stage, kVictim), BarrierOutcome::kWaits);
       CHECK_EQ(Arrive(stage, kSecondVictim), BarrierOutcome::kTripped);
     },
     [](Stage* stage, uint64_t) { (void)Party(stage, kVictim).barrier.Take(0); },
     [](Stage* stage) {
       CHECK_EQ(OutcomeForBoth(stage), BarrierOutcome::kTripped);
       MustWorkNormally(stage);
     }},
    {"abort", TwoWaitForOne, [](Stage* stage, uint64_t member) { Party(stage, member).barrier.Abort(); },
     [](Stage* stage) {
       const BarrierOutcome outcome = OutcomeForBoth(stage);
       CHECK(outcome == BarrierOutcome::kBroken || (outcome == BarrierOutcome::kWaits && !stage->done));
       CHECK_EQ(Party(stage, kSurvivor).barrier.broken(), outcome == BarrierOutcome::kBroken);
       MustWorkNormally(stage);
     }},
    {"reset", TwoWaitForOne, [](Stage* stage, uint64_t member) { Party(stage, member).barrier.Reset(); },
     [](Stage* stage) {
       const BarrierOutcome outcome = OutcomeForBoth(stage);
       CHECK(outcome == BarrierOutcome::kBroken || (outcome == BarrierOutcome::kWaits && !stage->done));
       CHECK(!Party(stage, kSurvivor).barrier.broken());
       MustWorkNormally(stage);
     }},
    {"break it for a dead one",
     [](Stage* stage) {
       TwoWait(stage, kParties + 1);
       CHECK_EQ(Arrive(stage, kDead), BarrierOutcome::kWaits);
       stage->alive[kDead] = false;
     },
     [](Stage* stage, uint64_t member) { Party(stage, member).barrier.ReapDead(); },
     [](Stage* stage) {
       CHECK_EQ(OutcomeForBoth(stage), BarrierOutcome::kBroken);
       CHECK_EQ(Arrive(stage, kSixth), BarrierOutcome::kBroken);
       MustWorkNormally(stage);
     }},
};

void Killed() { KillAtEachStep(kScripts); }

// A full ledger: reaping makes room, but spares the dead members of the open generation, because they break it.
void ADeathIsNotMissedInAFullLedger() {
  const SharedScratch<Stage> stage;
  stage->Clear();
  CHECK(Barrier::Init(stage->cell<BarrierCell>(), kRecords + 2, kRecords, TestKind()));
  for (uint64_t i = 0; i < kRecords; ++i) CHECK_EQ(Arrive(&*stage, 10 + i), BarrierOutcome::kWaits);
  CHECK_EQ(Arrive(&*stage, kSurvivor), BarrierOutcome::kFull);
  stage->alive[12] = false;
  CHECK_EQ(Arrive(&*stage, kSurvivor), BarrierOutcome::kBroken);
  for (uint64_t i = 0; i < kRecords; ++i) {
    if (i != 2) CHECK_EQ(Party(&*stage, 10 + i).barrier.Take(0), BarrierOutcome::kBroken);
  }
}

// Members that die between two queries, as a process may at any time.
class FleetingMember final : public Members {
 public:
  FleetingMember(Stage* stage, int questions) : member_(stage, kSurvivor), questions_(questions) {}
  uint64_t self() override { return kSurvivor; }
  Members* owners() override { return TestOwners(); }
  bool IsMember(uint64_t member) const override { return member != kDead ? member_.IsMember(member) : questions_-- > 0; }

 private:
  Member<Stage> member_;
  mutable int questions_;
};

void ADeathIsNotMissedWhileOthersAreBuried() {
  const SharedScratch<Stage> stage;
  for (int questions = 0; questions < 5; ++questions) {
    Context() = std::to_string(questions) + " questions";
    stage->Clear();
    TwoWait(&*stage, kParties + 1);
    CHECK_EQ(Arrive(&*stage, kDead), BarrierOutcome::kWaits);
    FleetingMember fleeting(&*stage, questions);
    Barrier barrier(stage->cell<BarrierCell>(), sizeof stage->bytes, &fleeting);
    for (int heartbeat = 0; heartbeat < 6; ++heartbeat) barrier.ReapDead();
    CHECK_EQ(OutcomeForBoth(&*stage), BarrierOutcome::kBroken);
  }
}

// A waiter for the end of an action tries by arriving, and must not wake the others by that.
void LookersDoNotWakeEachOther() {
  const SharedScratch<Stage> stage;
  stage->Clear();
  VictimActs(&*stage);
  WakeWord* const wake = &stage->guarded()->wake;
  (void)AnnounceWaiter(wake);
  const uint32_t before = wake->word;
  CHECK_EQ(Arrive(&*stage, kSixth), BarrierOutcome::kBusy);
  CHECK_EQ(Party(&*stage, kSixth).barrier.Take(0), BarrierOutcome::kWaits);
  Party(&*stage, kSixth).barrier.ReapDead();
  CHECK_EQ(wake->word.load(), before);
  CHECK_EQ(Party(&*stage, kVictim).barrier.Finish(0), BarrierOutcome::kTripped);
  CHECK_EQ(wake->word.load(), before + 1);
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  const Test tests[] = {
      {"a party of a barrier is killed at each instruction", Killed},
      {"a death is not missed in a full ledger", ADeathIsNotMissedInAFullLedger},
      {"a death is not missed while others are buried", ADeathIsNotMissedWhileOthersAreBuried},
      {"those who look whether an action is over do not wake each other", LookersDoNotWakeEachOther},
  };
  return RunTests(argc, argv, tests);
}
