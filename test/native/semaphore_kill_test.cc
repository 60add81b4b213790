// A semaphore whose users are killed at every instruction. No unit is lost or duplicated, and the next user sees the state before
// or the state after the operation.

#include "check.h"
#include "kill_each_step.h"
#include "shm/semaphore.h"

namespace procshare::testing {
namespace {

constexpr uint64_t kTotal = 4;
constexpr uint64_t kRecords = 4;
using Stage = ObjectStage<sizeof(SemaphoreCell) + kRecords * sizeof(LedgerRecord)>;
using Script = KillScript<Stage>;

struct User {
  User(Stage* stage, uint64_t number)
      : member(stage, number), semaphore(stage->cell<SemaphoreCell>(), sizeof stage->bytes, &member) {
    CHECK(semaphore.LooksSound());
  }
  Member<Stage> member;
  Semaphore semaphore;
};

void Prepare(Stage* stage, uint64_t value, uint64_t records) {
  CHECK(Semaphore::Init(stage->cell<SemaphoreCell>(), value, kTotal, records, TestKind()));
  stage->guarded()->wake.flags = kAwaited;  // a process may sleep, so a release must wake it
}

void MustAcquire(Stage* stage, uint64_t member, uint64_t units) {
  CHECK_EQ(User(stage, member).semaphore.TryAcquire(units), SemaphoreOutcome::kDone);
}

// The survivor takes all remaining units, counts them, and releases all units that it has.
uint64_t TakeAll(Stage* stage) {
  User user(stage, kSurvivor);
  uint64_t units = 0;
  while (user.semaphore.TryAcquire(1) == SemaphoreOutcome::kDone) ++units;
  CHECK_EQ(user.semaphore.value(), 0u);
  CHECK(JournalIsEmpty(stage->guarded()));
  for (uint64_t i = 0; i < units; ++i) CHECK_EQ(user.semaphore.Release(1), SemaphoreOutcome::kDone);
  CHECK_EQ(user.semaphore.value(), units);
  return units;
}

void CheckRecoverable(Stage* stage, uint64_t held_by_others) {
  User user(stage, kSurvivor);
  CHECK_EQ(TakeAll(stage), kTotal - held_by_others);
  CHECK_EQ(user.semaphore.Release(kTotal), SemaphoreOutcome::kTooMany);
  User other(stage, kOther);
  for (uint64_t i = 0; i < held_by_others; ++i) CHECK_EQ(other.semaphore.Release(1), SemaphoreOutcome::kDone);
  CHECK_EQ(TakeAll(stage), kTotal);
}

const Script kPlain[] = {
    {"acquire", [](Stage* stage) { Prepare(stage, kTotal, 0); },
     [](Stage* stage, uint64_t member) { (void)User(stage, member).semaphore.TryAcquire(2); },
     [](Stage* stage) {
       const uint64_t left = TakeAll(stage);
       CHECK(left == kTotal || left == kTotal - 2 || left == kTotal - 4);
       CHECK(!stage->done || left < kTotal);
     }},
    {"acquire the last unit", [](Stage* stage) { Prepare(stage, 1, 0); },
     [](Stage* stage, uint64_t member) { (void)User(stage, member).semaphore.TryAcquire(1); },
     [](Stage* stage) { CHECK(TakeAll(stage) == 0 || !stage->done); }},
    {"release", [](Stage* stage) { Prepare(stage, 0, 0); },
     [](Stage* stage, uint64_t member) { (void)User(stage, member).semaphore.Release(2); },
     [](Stage* stage) {
       const uint64_t there = TakeAll(stage);
       CHECK(there == 0 || there == 2 || there == 4);
       CHECK(!stage->done || there > 0);
     }},
};

const Script kRecoverable[] = {
    {"acquire", [](Stage* stage) { Prepare(stage, kTotal, kRecords); },
     [](Stage* stage, uint64_t member) { (void)User(stage, member).semaphore.TryAcquire(2); },
     [](Stage* stage) { CheckRecoverable(stage, 0); }},
    {"acquire one more",
     [](Stage* stage) {
       Prepare(stage, kTotal, kRecords);
       MustAcquire(stage, kVictim, 1);
       MustAcquire(stage, kOther, 1);
     },
     [](Stage* stage, uint64_t member) { (void)User(stage, member).semaphore.TryAcquire(1); },
     [](Stage* stage) { CheckRecoverable(stage, 1); }},
    {"acquire what a dead one held",
     [](Stage* stage) {
       Prepare(stage, kTotal, kRecords);
       MustAcquire(stage, kOther, 1);
       MustAcquire(stage, kDead, 3);
       stage->alive[kDead] = false;
     },
     [](Stage* stage, uint64_t member) { (void)User(stage, member).semaphore.TryAcquire(1); },
     [](Stage* stage) { CheckRecoverable(stage, 1); }},
    {"release some",
     [](Stage* stage) {
       Prepare(stage, kTotal, kRecords);
       MustAcquire(stage, kVictim, 2);
       MustAcquire(stage, kSecondVictim, 2);
     },
     [](Stage* stage, uint64_t member) { (void)User(stage, member).semaphore.Release(1); },
     [](Stage* stage) {
       stage->alive[kSecondVictim] = false;
       CheckRecoverable(stage, 0);
     }},
    {"release all",
     [](Stage* stage) {
       Prepare(stage, kTotal, kRecords);
       MustAcquire(stage, kOther, 2);
       MustAcquire(stage, kVictim, 1);
       MustAcquire(stage, kSecondVictim, 1);
     },
     [](Stage* stage, uint64_t member) { (void)User(stage, member).semaphore.Release(1); },
     [](Stage* stage) {
       stage->alive[kSecondVictim] = false;
       CheckRecoverable(stage, 2);
     }},
};

void KilledOnAPlainOne() { KillAtEachStep(kPlain); }
void KilledOnARecoverableOne() { KillAtEachStep(kRecoverable); }

void AFullLedgerOfTheDeadAdmitsTheLiving() {
  const SharedScratch<Stage> stage;
  stage->Clear();
  CHECK(Semaphore::Init(stage->cell<SemaphoreCell>(), 2 * kRecords, 2 * kRecords, kRecords, TestKind()));
  for (uint64_t i = 0; i < kRecords; ++i) MustAcquire(&*stage, kDead + i, 1);
  User user(&*stage, kSurvivor);
  CHECK_EQ(user.semaphore.TryAcquire(1), SemaphoreOutcome::kFull);
  CHECK_EQ(user.semaphore.value(), kRecords);
  for (uint64_t i = 0; i < kRecords; ++i) stage->alive[kDead + i] = false;
  CHECK_EQ(user.semaphore.TryAcquire(1), SemaphoreOutcome::kDone);
  CHECK_EQ(user.semaphore.value(), 2 * kRecords - 1);
  CHECK_EQ(user.semaphore.Release(2), SemaphoreOutcome::kTooMany);
  CHECK_EQ(user.semaphore.Release(1), SemaphoreOutcome::kDone);
  CHECK_EQ(user.semaphore.Release(1), SemaphoreOutcome::kTooMany);
}

// Whatever number of units the record of a dead member contains, there are never more units than the limit.
void MoreUnitsThanThereCanBe() {
  for (const uint64_t bad : {kTotal + 1, uint64_t{1} << 32, uint64_t{1} << 63, UINT64_MAX}) {
    for (const bool tends : {false, true}) {
      Context() = std::to_string(bad) + (tends ? " units, found by one who waits" : " units, found by one who asks");
      const SharedScratch<Stage> stage;
      stage->Clear();
      Prepare(&*stage, kTotal, kRecords);
      MustAcquire(&*stage, kDead, 1);
      MustAcquire(&*stage, kOther, 2);
      stage->alive[kDead] = false;
      auto* const records = reinterpret_cast<LedgerRecord*>(&stage->cell<SemaphoreCell>()->ledger + 1);
      CHECK_EQ(records[0].member.load(), kDead);
      records[0].count = bad;
      User user(&*stage, kSurvivor);
      if (tends) user.semaphore.ReapDead();
      CHECK_EQ(user.semaphore.TryAcquire(2), SemaphoreOutcome::kDone);
      CHECK_EQ(user.semaphore.value(), kTotal - 2);
    }
  }
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  const Test tests[] = {
      {"a user of a semaphore is killed at each instruction", KilledOnAPlainOne},
      {"a user of a recoverable semaphore is killed at each instruction", KilledOnARecoverableOne},
      {"a ledger that is full of the dead admits the living", AFullLedgerOfTheDeadAdmitsTheLiving},
      {"a dead one gives back no more units than there can be", MoreUnitsThanThereCanBe},
  };
  return RunTests(argc, argv, tests);
}
