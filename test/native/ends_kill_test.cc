// The ends of a pipe, whose holders are killed at every instruction. An end is open as long as a living member has it open.

#include "check.h"
#include "kill_each_step.h"
#include "shm/ends.h"

namespace procshare::testing {
namespace {

constexpr uint64_t kRecords = 4;
using Stage = ObjectStage<(sizeof(EndsCell) + kRecords * sizeof(LedgerRecord) + 63) / 64 * 64>;
using Script = KillScript<Stage>;

struct User {
  User(Stage* stage, uint64_t number) : member(stage, number), ends(stage->cell<EndsCell>(), sizeof stage->bytes, &member) {
    CHECK(ends.LooksSound());
  }
  Member<Stage> member;
  Ends ends;
};

void Prepare(Stage* stage) { CHECK(Ends::Init(stage->cell<EndsCell>(), kRecords, TestKind())); }
void MustOpen(Stage* stage, uint64_t member, uint64_t end) { CHECK(User(stage, member).ends.Open(end)); }
bool IsOpen(Stage* stage, uint64_t end) { return User(stage, kSurvivor).ends.IsOpen(end); }

// When the dead members are reaped, no member has the first end. Another member has the second one, and then leaves.
void CheckTheOther(Stage* stage) {
  User(stage, kSurvivor).ends.ReapDead();
  CHECK(!IsOpen(stage, 0));
  CHECK(IsOpen(stage, 1));
  User(stage, kOther).ends.Close(1);
  CHECK(!IsOpen(stage, 1));
  for (uint64_t i = 0; i < kRecords; ++i) MustOpen(stage, kSurvivor + i, 0);  // there is room for all
}

const Script kScripts[] = {
    {"join",
     [](Stage* stage) {
       Prepare(stage);
       MustOpen(stage, kOther, 1);
     },
     [](Stage* stage, uint64_t member) { (void)User(stage, member).ends.Open(0); },
     [](Stage* stage) {
       CHECK(!stage->done || IsOpen(stage, 0));
       stage->alive[kSecondVictim] = false;
       CheckTheOther(stage);
     }},
    {"join once more",
     [](Stage* stage) {
       Prepare(stage);
       MustOpen(stage, kVictim, 0);
       MustOpen(stage, kOther, 1);
     },
     [](Stage* stage, uint64_t member) { (void)User(stage, member).ends.Open(0); },
     [](Stage* stage) {
       stage->alive[kSecondVictim] = false;
       CheckTheOther(stage);
     }},
    {"leave",
     [](Stage* stage) {
       Prepare(stage);
       MustOpen(stage, kVictim, 0);
       MustOpen(stage, kSecondVictim, 0);
       MustOpen(stage, kOther, 1);
     },
     [](Stage* stage, uint64_t member) { User(stage, member).ends.Close(0); },
     [](Stage* stage) {
       stage->alive[kSecondVictim] = false;
       CheckTheOther(stage);
     }},
    {"bury the dead",
     [](Stage* stage) {
       Prepare(stage);
       MustOpen(stage, kDead, 0);
       MustOpen(stage, kDead, 1);
       MustOpen(stage, kOther, 1);
       stage->alive[kDead] = false;
     },
     [](Stage* stage, uint64_t member) { User(stage, member).ends.ReapDead(); },
     [](Stage* stage) {
       stage->alive[kSecondVictim] = false;
       CheckTheOther(stage);
     }},
};

void Killed() { KillAtEachStep(kScripts); }

void ALedgerThatIsFullOfTheDeadAdmitsTheLiving() {
  const SharedScratch<Stage> stage;
  stage->Clear();
  Prepare(&*stage);
  for (uint64_t i = 0; i < kRecords; ++i) MustOpen(&*stage, kDead + i, 0);
  User user(&*stage, kSurvivor);
  CHECK(!user.ends.Open(1));  // the records are those of live members
  CHECK(!user.ends.IsOpen(1));
  MustOpen(&*stage, kDead, 0);  // members with a record have room
  for (uint64_t i = 0; i < kRecords; ++i) stage->alive[kDead + i] = false;
  CHECK(user.ends.IsOpen(0));  // nothing has reaped it
  CHECK(user.ends.Open(1));
  CHECK(user.ends.IsOpen(1));
  CHECK(!user.ends.IsOpen(0));
}

void AnEndIsHeldUntilTheLastHandleIsClosed() {
  const SharedScratch<Stage> stage;
  stage->Clear();
  Prepare(&*stage);
  User user(&*stage, kSurvivor);
  User other(&*stage, kOther);
  CHECK(user.ends.Open(0) && user.ends.Open(0) && other.ends.Open(0) && user.ends.Open(1));
  user.ends.Close(0);
  other.ends.Close(0);
  CHECK(user.ends.IsOpen(0));
  other.ends.Close(0);  // closed before
  CHECK(user.ends.IsOpen(0));
  user.ends.Close(0);
  CHECK(!user.ends.IsOpen(0));
  CHECK(user.ends.IsOpen(1));
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  const Test tests[] = {
      {"a holder of an end is killed at each instruction", Killed},
      {"a ledger that is full of the dead admits the living", ALedgerThatIsFullOfTheDeadAdmitsTheLiving},
      {"an end is held until the last handle is closed", AnEndIsHeldUntilTheLastHandleIsClosed},
  };
  return RunTests(argc, argv, tests);
}
