// Parking: waits that end when somebody says so, and exactly as many of them as he says. What conditions, barriers and
// wait/notify are made of.
//
//   P1  A record of the ledger stands for the waits of one member for one key; `granted` of its `count` waits are over.
//   P2  Unpark(n) grants to n waits of living members that were not granted yet, or to all there are.
//   P3  A member that takes its grant, or gives up, takes itself off the count in the same transaction. A wait that is
//       granted has ended: giving up then means taking the grant.
//   P4  The grants of a member that has died are given to others: a death swallows no wake-up. Whoever unparks or looks
//       after the dead does that.
//
// The waits of a member sleep on the bell of their record. Among members the grants go round; within one, its environment
// decides whose they are.
#pragma once

#include <cstdint>

#include "shm/ledger.h"

namespace procshare {

class Parking {
 public:
  Parking(Guard* guard, LedgerView ledger, Members* members) : guard_(guard), ledger_(ledger), members_(members) {}

  static constexpr uint64_t kNoKey = UINT64_MAX;

  // Adds a wait of this member's, and commits. Null when the ledger is full or the system lets us be no member. Of a full
  // ledger it buries the dead, as below.
  LedgerRecord* Park(uint64_t key, uint64_t excluded_key = kNoKey);

  // Ends up to `count` waits for `key`, and commits after each record. Returns how many. The bells of those concerned ring
  // at once: they wait for the mutex, if need be, but a killed caller cannot forget them.
  uint64_t Unpark(uint64_t key, uint64_t count, uint64_t outcome = 0);

  // Takes one grant of this member's for `key`; false when there is none. `*outcome` says how that wait ended.
  bool Take(uint64_t key, uint64_t* outcome);

  // Ends one wait of this member's that has not been granted. When all of them have, takes a grant: true.
  bool Cancel(uint64_t key, uint64_t* outcome);

  // Frees the records of the dead, of all keys but one, and hands on their grants (P4). True when there were any.
  bool ReapDead(uint64_t excluded_key = kNoKey);

 private:
  void ReapRecord(LedgerRecord* record);
  void RemoveWait(LedgerRecord* record, uint64_t granted);

  Guard* const guard_;
  LedgerView ledger_;
  Members* const members_;
};

}  // namespace procshare
