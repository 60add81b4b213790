// Barrier: so many parties wait for each other, again and again.
//
//   B1  Who waits is in the ledger: a record of the member with the generation as its key. How many have arrived is the
//       sum over the records of the current generation, and nowhere else.
//   B2  A generation ends once, by a trip, a break or a reset. The end is announced in `phase` before the first waiter is
//       told, and finished by whoever finds it unfinished: so all of one generation are told the same, whoever dies.
//   B3  A member that dies while it waits, or acts for the others, breaks the barrier: at the next arrival, or at the next
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
  kWaits,    // arrived, and the others have not
  kActs,     // arrived as the last one: the caller performs the action, then calls Finish()
  kBusy,     // another one performs the action of a generation that is complete: try again when it has
  kFull,     // no record is left for one more member
  kCorrupt,  // the bytes are not those of a barrier
};

class Barrier {
 public:
  static size_t BytesFor(uint64_t records) { return sizeof(BarrierCell) + LedgerView::BytesFor(records); }
  // `timeout_ns`: how long a wait lasts that has no timeout of its own; 0: for ever.
  static bool Init(BarrierCell* cell, uint64_t parties, uint64_t records, MutexKind kind, uint64_t timeout_ns = 0);

  Barrier(BarrierCell* cell, size_t byte_length, Members* members);
  bool LooksSound() const;

  struct Arrival {
    BarrierOutcome outcome;
    uint64_t index = 0;
    uint64_t generation = 0;
    LedgerRecord* record = nullptr;  // whose bell rings, for kWaits
  };
  // `acts`: whether the caller has something to do before the others are let go.
  Arrival Arrive(bool acts);

  // How a wait that began with kWaits or kActs has ended: kTripped, kBroken, or kWaits when it has not.
  BarrierOutcome Take(uint64_t generation);

  // After kActs: lets all go. kBroken when the barrier was broken meanwhile.
  BarrierOutcome Finish(uint64_t generation);

  // Gives up a wait: breaks the barrier for the others, unless that wait has ended already, which is the result then.
  BarrierOutcome Cancel(uint64_t generation);

  void Abort();
  void Reset();

  // For waiters at a heartbeat: breaks the barrier if one of those who wait has died (B3).
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
