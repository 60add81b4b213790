// Semaphore: a counter of units. An acquisition waits while it would take the counter below zero. A recoverable semaphore records
// how many units each member has.
//
//   S1  Without a ledger: the value is the initial value, plus all releases, minus all acquisitions.
//   S2  With a ledger (recoverable): the value plus the units of all members is constant. A member releases only what it has
//       acquired. The units of a dead member are returned when an attempt finds too few units, and at each heartbeat of a waiter.
#pragma once

#include <cstdint>

#include "shm/ledger.h"

namespace procshare {

enum class SemaphoreOutcome : uint8_t {
  kDone,
  kBusy,     // there are not enough units
  kTooMany,  // the release would exceed the limit
  kNotHeld,  // the member does not have that many units
  kFull,     // no record is left for one more member
  kBroken,   // the bytes are not those of a semaphore
};

class Semaphore {
 public:
  static size_t BytesFor(uint64_t records) { return sizeof(SemaphoreCell) + LedgerView::BytesFor(records); }

  // Makes a semaphore out of zeroed bytes.
  static bool Init(SemaphoreCell* cell, uint64_t value, uint64_t limit, uint64_t records, MutexKind kind);

  // `byte_length`: the number of bytes of the cells from this one on.
  Semaphore(SemaphoreCell* cell, size_t byte_length, Members* members);
  bool LooksSound() const;

  SemaphoreOutcome TryAcquire(uint64_t units);
  SemaphoreOutcome Release(uint64_t units);

  // For waiters at a heartbeat: returns the units of dead members. Does not wait for the mutex.
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
