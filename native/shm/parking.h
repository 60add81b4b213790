// Parking: keyed waits. A wait for a key ends when Unpark(key, n) grants it. Each call ends exactly n waits, or all if there are
// fewer. Conditions, barriers and wait/notify are built on it.
//
//   P1  A record of the ledger has the waits of one member for one key; `granted` of its `count` waits are over.
//   P2  Unpark(n) grants n waits of living members that were not granted yet, or all such waits if there are fewer.
//   P3  A member that takes a grant, or cancels a wait, reduces the count in the same transaction. A granted wait has ended:
//       cancelling it means taking the grant.
//   P4  The grants of a dead member go to other members, so a death loses no wake-up. Unpark() and ReapDead() do that.
//
// The waits of a member sleep on the grant word of their record. Members get grants in turn. Within one member, its environment
// decides which of its waits gets the grant.
#pragma once

#include <cstdint>

#include "shm/ledger.h"

namespace procshare {

class Parking {
 public:
  Parking(Guard* guard, LedgerView ledger, Members* members) : guard_(guard), ledger_(ledger), members_(members) {}

  static constexpr uint64_t kNoKey = UINT64_MAX;

  // Adds a wait of this member, and commits. Null when the ledger is full, or when the system refuses to make this environment a
  // member. When the ledger is full, Park() first reaps, as ReapDead() does.
  LedgerRecord* Park(uint64_t key, uint64_t excluded_key = kNoKey);

  // Grants up to `count` waits for `key`, and commits after each record. Returns how many. Wakes the waiters of a record at once,
  // while it holds the mutex. The waiters may have to wait for the mutex, but no wake-up is lost if the caller is killed.
  uint64_t Unpark(uint64_t key, uint64_t count, uint64_t outcome = 0);

  // Takes one grant of this member for `key`; false when there is none. `*outcome` becomes the outcome of that wait.
  bool Take(uint64_t key, uint64_t* outcome);

  // Cancels one wait of this member that was not granted. When all of them were, takes a grant and returns true.
  bool Cancel(uint64_t key, uint64_t* outcome);

  // Frees the records of dead members, for all keys but one, and passes their grants on (P4). True when there were such records.
  bool ReapDead(uint64_t excluded_key = kNoKey);

 private:
  void ReapRecord(LedgerRecord* record);
  void RemoveWait(LedgerRecord* record, uint64_t granted);

  Guard* const guard_;
  LedgerView ledger_;
  Members* const members_;
};

}  // namespace procshare
