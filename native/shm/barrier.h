// Barrier: a fixed number of parties wait for each other, generation by generation.
//
//   B1  The ledger has a record for each member that waits, with the generation as its key. The number of parties that have arrived
//       is the sum over the records of the current generation. It is stored nowhere else.
//   B2  A generation ends once, by a trip, a break or a reset. `phase` records the end before the first wait is granted, and the
//       next owner of the mutex completes an end that was interrupted. So all waits of a generation end the same way, whichever
//       process dies.
//   B3  A member that dies while it waits, or while it performs the action, breaks the barrier: at the next arrival, or at the next
//       heartbeat of a waiter.
//
//   filling -> (last arrival) -> [acting ->] tripping -> filling of the next generation
//   filling, acting -> breaking -> broken -> (reset) -> filling of the next generation
#pragma once

#include <cstdint>

#include "shm/parking.h"

namespace procshare {

enum class BarrierPhase : uint64_t { kFilling = 0, kActing, kBroken, kTripping, kBreaking, kResetting };

enum class BarrierOutcome : uint8_t {
  kTripped,
  kBroken,
  kWaits,    // arrived; other parties have not
  kActs,     // arrived as the last party: the caller performs the action, then calls Finish()
  kBusy,     // the action of a complete generation is being performed: try again afterwards
  kFull,     // no record is left for one more member
  kCorrupt,  // the bytes are not those of a barrier
};

class Barrier {
 public:
  static size_t BytesFor(uint64_t records) { return sizeof(BarrierCell) + LedgerView::BytesFor(records); }
  // `timeout_ns`: the timeout of waits that have no timeout of their own; 0: none.
  static bool Init(BarrierCell* cell, uint64_t parties, uint64_t records, MutexKind kind, uint64_t timeout_ns = 0);

  Barrier(BarrierCell* cell, size_t byte_length, Members* members);
  bool LooksSound() const;

  struct Arrival {
    BarrierOutcome outcome;
    uint64_t index = 0;
    uint64_t generation = 0;
    LedgerRecord* record = nullptr;  // for kWaits: the caller sleeps on the grant word of this record
  };
  // `acts`: whether the caller has an action to perform before the generation ends.
  Arrival Arrive(bool acts);

  // The result of a wait that began with kWaits or kActs: kTripped or kBroken; kWaits when it has not ended.
  BarrierOutcome Take(uint64_t generation);

  // Called after kActs: trips the barrier. kBroken when it was broken meanwhile.
  BarrierOutcome Finish(uint64_t generation);

  // Cancels a wait, which breaks the barrier for the other parties. When the wait has already ended, returns its result.
  BarrierOutcome Cancel(uint64_t generation);

  void Abort();
  void Reset();

  // For waiters at a heartbeat: breaks the barrier if a member that waits has died (B3).
  void ReapDead();
  void ReapDeadIfDue() {
    if (ClaimReaping(&cell_->ledger)) ReapDead();
  }

  uint64_t parties() const { return parties_; }
  uint64_t timeout_ns() const {
    return cell_->timeout_ns.load(std::memory_order_relaxed);
  }  // written before it was published
  uint64_t waiting();
  BarrierPhase phase() const { return static_cast<BarrierPhase>(cell_->phase.load(std::memory_order_relaxed)); }
  bool broken() const { return phase() == BarrierPhase::kBroken || phase() == BarrierPhase::kBreaking; }
  WakeWord* wake() const { return &cell_->guarded.wake; }

 private:
  class Transaction;

  BarrierCell* const cell_;
  const size_t byte_length_;
  const uint64_t capacity_;
  const uint64_t parties_;
  Members* const members_;
};

}  // namespace procshare
