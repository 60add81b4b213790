// Semaphore: a counter that waits rather than go below zero, and may know which member holds how many of its units.
//
//   S1  Without a ledger: value is what was put in minus what was taken out, whoever did it.
//   S2  With one (recoverable): value plus all units held is constant, but for releases beyond what was ever taken, which
//       are refused. The units of a member that has died come back when somebody looks for a unit in vain, and at each
//       heartbeat of a waiter.
#pragma once

#include <cstdint>

#include "shm/ledger.h"

namespace procshare {

enum class SemaphoreOutcome : uint8_t {
  kDone,
  kBusy,     // there are not enough units
  kTooMany,  // the release would go beyond the limit
  kNotHeld,  // the member does not hold that many units
  kFull,     // no record is left for one more member
  kBroken,   // the bytes are not those of a semaphore
};

class Semaphore {
 public:
  static size_t BytesFor(uint64_t records) { return sizeof(SemaphoreCell) + LedgerView::BytesFor(records); }

  // Makes a semaphore out of zeroed bytes.
  static bool Init(SemaphoreCell* cell, uint64_t value, uint64_t limit, uint64_t records, MutexKind kind);

  // `byte_length` is what there is from the cell on.
  Semaphore(SemaphoreCell* cell, size_t byte_length, Members* members);
  bool LooksSound() const;

  SemaphoreOutcome TryAcquire(uint64_t units);
  SemaphoreOutcome Release(uint64_t units);

  // For waiters at a heartbeat: brings back the units of the dead. Does not wait for others.
  void ReapDead();
  void ReapDeadIfDue() {
    if (!recoverable() || ClaimReaping(&cell_->ledger)) ReapDead();
  }

  uint64_t value() const { return cell_->value.load(std::memory_order_relaxed); }
  uint64_t limit() const { return cell_->limit.load(std::memory_order_relaxed); }
  bool recoverable() const { return capacity_ > 0; }
  WakeWord* wake() const { return &cell_->guarded.wake; }

 private:
  bool ReclaimUnits(Guard* guard);

  SemaphoreCell* const cell_;
  const size_t byte_length_;
  const uint64_t capacity_;
  LedgerView ledger_;
  Members* const members_;
};

}  // namespace procshare
