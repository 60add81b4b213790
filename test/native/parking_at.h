// A parking cell and its members, as tests use it.
#pragma once

#include "mortal_members.h"
#include "shm/parking.h"

namespace procshare::testing {

constexpr uint64_t kParkingRecords = 6;
using ParkingStage = ObjectStage<sizeof(ParkingCell) + kParkingRecords * sizeof(LedgerRecord)>;

inline void InitParking(ParkingStage* stage) {
  stage->cell<ParkingCell>()->ledger.capacity = kParkingRecords;
  CHECK(InitGuarded(stage->guarded(), TestKind()));
}

// What one member does under the mutex.
class ParkingSession {
 public:
  ParkingSession(ParkingStage* stage, uint64_t number)
      : member_(stage, number),
        guard_(stage->guarded(), sizeof stage->bytes, TestOwners()),
        ledger_(&stage->cell<ParkingCell>()->ledger, kParkingRecords),
        parking_(&guard_, ledger_, &member_) {
    CHECK(guard_.held());
  }
  Parking* operator->() { return &parking_; }
  LedgerRecord* Find(uint64_t key) { return ledger_.Find(member_.self(), key); }

 private:
  Member<ParkingStage> member_;
  Guard guard_;
  LedgerView ledger_;
  Parking parking_;
};

// Of a member's waits for a key.
struct Standing {
  uint64_t count;
  uint64_t granted;
};
inline Standing StandingOf(ParkingStage* stage, uint64_t number, uint64_t key) {
  ParkingSession session(stage, number);
  const LedgerRecord* const record = session.Find(key);
  if (record == nullptr) return {0, 0};
  CHECK(record->granted <= record->count && record->count > 0);
  return {record->count, record->granted};
}

}  // namespace procshare::testing
