// Parking whose users are killed at every instruction. Exactly as many waits end as were unparked, and other members get the
// grants that a dead member did not take.

#include "check.h"
#include "kill_each_step.h"
#include "parking_at.h"

namespace procshare::testing {
namespace {

using Script = KillScript<ParkingStage>;

constexpr uint64_t kKey = 8;
constexpr uint64_t kOtherKey = 16;

void Park(ParkingStage* stage, uint64_t member, uint64_t waits, uint64_t key = kKey) {
  for (uint64_t i = 0; i < waits; ++i) CHECK(ParkingSession(stage, member)->Park(key) != nullptr);
}

// The survivor has one wait, and the other member has two.
void ThreeWaits(ParkingStage* stage) {
  InitParking(stage);
  Park(stage, kSurvivor, 1);
  Park(stage, kOther, 2);
}

uint64_t GrantsOfTheLiving(ParkingStage* stage) {
  return StandingOf(stage, kSurvivor, kKey).granted + StandingOf(stage, kOther, kKey).granted;
}

void BuryAll(ParkingStage* stage) {
  (void)ParkingSession(stage, kSurvivor)->ReapDead();
  for (const uint64_t dead : {kVictim, kSecondVictim, kDead}) {
    if (!stage->alive[dead]) CHECK_EQ(StandingOf(stage, dead, kKey).count, 0u);
  }
}

// All three waits of ThreeWaits() end, including those that have ended already, and none ends twice. Afterwards the cell works
// like a new one.
void TheRestEnds(ParkingStage* stage, uint64_t ended) {
  CHECK_EQ(GrantsOfTheLiving(stage), ended);
  CHECK_EQ(ParkingSession(stage, kSurvivor)->Unpark(kKey, 100), 3 - ended);
  uint64_t outcome;
  CHECK(ParkingSession(stage, kSurvivor)->Take(kKey, &outcome));
  for (int i = 0; i < 2; ++i) CHECK(ParkingSession(stage, kOther)->Take(kKey, &outcome));
  CHECK(!ParkingSession(stage, kSurvivor)->Take(kKey, &outcome));
  CHECK(!ParkingSession(stage, kOther)->Take(kKey, &outcome));
  CHECK(!ParkingSession(stage, kOther)->ReapDead());
  CHECK(stage->cell<ParkingCell>()->ledger.used == 0);
}

const Script kScripts[] = {
    {"park", ThreeWaits, [](ParkingStage* stage, uint64_t member) { (void)ParkingSession(stage, member)->Park(kKey); },
     [](ParkingStage* stage) {
       CHECK_EQ(ParkingSession(stage, kSurvivor)->Unpark(kKey, 1), 1u);  // never a dead one's wait
       BuryAll(stage);
       TheRestEnds(stage, 1);
     }},
    {"park in the place of a dead one",
     [](ParkingStage* stage) {
       ThreeWaits(stage);
       for (uint64_t key = 0; key < kParkingRecords - 2; ++key) Park(stage, kDead, 1, 100 + key);
       stage->alive[kDead] = false;
     },
     [](ParkingStage* stage, uint64_t member) {
       if (ParkingSession(stage, member)->Park(kKey) == nullptr) abort();
     },
     [](ParkingStage* stage) {
       BuryAll(stage);
       TheRestEnds(stage, 0);
     }},
    {"unpark two", ThreeWaits,
     [](ParkingStage* stage, uint64_t member) { (void)ParkingSession(stage, member)->Unpark(kKey, 2); },
     [](ParkingStage* stage) {
       BuryAll(stage);
       const uint64_t ended = GrantsOfTheLiving(stage);
       // Each victim ends none, one or two waits, and both victims at most three.
       CHECK(ended <= (stage->alive[kSecondVictim] ? 2 : 3));
       CHECK(!stage->done || ended >= 2);
       TheRestEnds(stage, ended);
     }},
    {"unpark past a dead one with a grant",
     [](ParkingStage* stage) {
       InitParking(stage);
       Park(stage, kDead, 2);
       CHECK_EQ(ParkingSession(stage, kSurvivor)->Unpark(kKey, 1), 1u);
       stage->alive[kDead] = false;
       Park(stage, kSurvivor, 1);
       Park(stage, kOther, 2);
       stage->cell<ParkingCell>()->ledger.next = 0;  // the dead one's turn
     },
     [](ParkingStage* stage, uint64_t member) { (void)ParkingSession(stage, member)->Unpark(kKey, 1); },
     [](ParkingStage* stage) {
       BuryAll(stage);
       const uint64_t ended = GrantsOfTheLiving(stage);  // the dead one's, and one for each victim
       CHECK(ended >= (stage->done ? 2 : 1) && ended <= (stage->alive[kSecondVictim] ? 2 : 3));
       TheRestEnds(stage, ended);
     }},
    {"take",
     [](ParkingStage* stage) {
       InitParking(stage);
       Park(stage, kVictim, 1);
       Park(stage, kSecondVictim, 1);
       CHECK_EQ(ParkingSession(stage, kSurvivor)->Unpark(kKey, 2), 2u);
       Park(stage, kSurvivor, 1);
       Park(stage, kOther, 2);
     },
     [](ParkingStage* stage, uint64_t member) {
       uint64_t outcome;
       (void)ParkingSession(stage, member)->Take(kKey, &outcome);
     },
     [](ParkingStage* stage) {
       stage->alive[kSecondVictim] = false;
       const uint64_t left = StandingOf(stage, kVictim, kKey).granted + StandingOf(stage, kSecondVictim, kKey).granted;
       CHECK(!stage->done || left < 2);
       BuryAll(stage);
       CHECK_EQ(GrantsOfTheLiving(stage), left);  // none is lost, none is duplicated
       TheRestEnds(stage, left);
     }},
    {"leave",
     [](ParkingStage* stage) {
       InitParking(stage);
       Park(stage, kVictim, 1);
       Park(stage, kSecondVictim, 2);
       Park(stage, kSurvivor, 1);
       Park(stage, kOther, 2);
     },
     [](ParkingStage* stage, uint64_t member) {
       uint64_t outcome;
       (void)ParkingSession(stage, member)->Cancel(kKey, &outcome);
     },
     [](ParkingStage* stage) {
       stage->alive[kSecondVictim] = false;
       CHECK_EQ(ParkingSession(stage, kSurvivor)->Unpark(kKey, 2), 2u);
       BuryAll(stage);
       TheRestEnds(stage, 2);
     }},
    {"bury the dead",
     [](ParkingStage* stage) {
       InitParking(stage);
       Park(stage, kDead, 3);
       CHECK_EQ(ParkingSession(stage, kSurvivor)->Unpark(kKey, 2), 2u);
       Park(stage, kDead, 1, kOtherKey);
       CHECK_EQ(ParkingSession(stage, kSurvivor)->Unpark(kOtherKey, 1), 1u);
       stage->alive[kDead] = false;
       Park(stage, kSurvivor, 1);
       Park(stage, kOther, 2);
     },
     [](ParkingStage* stage, uint64_t member) { (void)ParkingSession(stage, member)->ReapDead(); },
     [](ParkingStage* stage) {
       BuryAll(stage);
       CHECK_EQ(StandingOf(stage, kDead, kOtherKey).count, 0u);
       TheRestEnds(stage, 2);
     }},
};

void Killed() { KillAtEachStep(kScripts); }

void TheLivingAreServedInTurn() {
  const SharedScratch<ParkingStage> stage;
  stage->Clear();
  InitParking(&*stage);
  constexpr uint64_t kMembers = 5;
  constexpr uint64_t kRounds = 40;
  for (uint64_t i = 0; i < kMembers; ++i) Park(&*stage, kSurvivor + i, 1);
  uint64_t served[kMembers] = {};
  for (uint64_t round = 0; round < kMembers * kRounds; ++round) {
    CHECK_EQ(ParkingSession(&*stage, kSurvivor)->Unpark(kKey, 1), 1u);
    for (uint64_t i = 0; i < kMembers; ++i) {
      uint64_t outcome;
      if (!ParkingSession(&*stage, kSurvivor + i)->Take(kKey, &outcome)) continue;
      ++served[i];
      Park(&*stage, kSurvivor + i, 1);  // and waits again at once
    }
  }
  for (const uint64_t turns : served) CHECK_EQ(turns, kRounds);
}

void AFullLedgerRefusesAndStaysAsItWas() {
  const SharedScratch<ParkingStage> stage;
  stage->Clear();
  InitParking(&*stage);
  for (uint64_t i = 0; i < kParkingRecords; ++i) Park(&*stage, kSurvivor + i, 1);
  CHECK(ParkingSession(&*stage, kSecondVictim)->Park(kKey) == nullptr);
  Park(&*stage, kOther, 1);  // those that have a record have room
  CHECK_EQ(ParkingSession(&*stage, kSecondVictim)->Unpark(kKey, 100), kParkingRecords + 1);
  CHECK_EQ(ParkingSession(&*stage, kSecondVictim)->Unpark(kKey, 100), 0u);
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  const Test tests[] = {
      {"a user of parking is killed at each instruction", Killed},
      {"the living are served in turn", TheLivingAreServedInTurn},
      {"a full ledger refuses and stays as it was", AFullLedgerRefusesAndStaysAsItWas},
  };
  return RunTests(argc, argv, tests);
}
