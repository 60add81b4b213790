// SharedLock: the lock of a LockCell, for threads that block and for event loops that must not.
//
// States, interleavings and the crash argument: docs/internals/lock-protocol.md. In short:
//
//   L1  Only the robust mutex decides which thread owns the lock. All other words of the cell only say which waiters to wake.
//   L2  Asynchronous acquirers sleep on release_word, by the protocol of shm/wake_word.h (W1 to W3). The state for which they wait is
//       a mutex that is not held.
//   L3  A waiter that has waited for 5 ms reserves the lock. A reservation does not affect the current owner, and is void after 10 ms,
//       so the death of the waiter that made it delays others by no more.
#pragma once

#include "platform/compiler.h"
#include "platform/deadline.h"
#include "platform/robust_mutex.h"
#include "shm/layout.h"
#include "shm/wake_word.h"

namespace procshare {

class SharedLock {
 public:
  SharedLock(LockCell* cell, Members* owners) : cell_(cell), owners_(owners) {}

  // Makes a free lock out of zeroed bytes.
  bool Init(MutexKind kind) { return RobustMutexInit(&cell_->mutex, kind); }
  bool LooksSound() const { return RobustMutexLooksSound(&cell_->mutex, owners_); }

  // `owner` is passed by reference and read after the mutex was taken, so that no register has to keep it.
  MutexOutcome TryAcquire(const uint64_t& owner) {
    return FinishAcquire(RobustMutexTryAcquire(&cell_->mutex, owners_), owner);
  }

  // Reserves the lock: for kReservationMs, from now and again from the next release, only `owner` gets the lock when it is free.
  // There is one reservation at a time. While it is valid, a request by another owner has no effect.
  void Reserve(uint64_t owner);

  // Cancels the reservation of `owner`, if it has one.
  void Unreserve(uint64_t owner);

  // Whether an attempt of `owner` must fail even if the lock is free.
  bool IsReservedForOthers(uint64_t owner) const;

  // Blocks the calling thread; spins for a few microseconds before it sleeps.
  MutexOutcome Acquire(uint64_t owner, Deadline deadline);

  void Release() {
    // Relaxed: a reservation that is made after this load needs no restart.
    const uint32_t flags = cell_->flags.load(std::memory_order_relaxed);
    if (Unlikely((flags & kLockReserved) != 0)) BeginReservation();
    Unlock();
  }

  // Makes the next acquisition return kAbandoned. The caller owns the lock.
  void MarkAbandoned() {
    cell_->flags.fetch_or(kLockAbandoned, std::memory_order_relaxed);  // published by the release of the mutex
  }

  // Releases for an owner that ended without doing so; the next acquisition returns kAbandoned.
  void ReleaseAbandoned();

  // The wake word of asynchronous acquirers.
  std::atomic<uint32_t>* release_word() const { return &cell_->release_word; }
  std::atomic<uint32_t>* flags() const { return &cell_->flags; }
  // Whether the calling thread owns the lock: another copy of the package in the same process may have taken it.
  bool IsHeldByThisThread() const { return RobustMutexIsHeldByThisThread(&cell_->mutex, owners_); }
  MutexState Peek() const { return RobustMutexPeek(&cell_->mutex, owners_); }
  uint64_t owner() const { return cell_->owner.load(std::memory_order_relaxed); }

 private:
  MutexOutcome FinishAcquire(MutexOutcome outcome, const uint64_t& owner) {
    if (Likely(outcome == MutexOutcome::kAcquired)) {
      cell_->owner.store(owner, std::memory_order_relaxed);  // informational; orders nothing
      // Relaxed: a flag that is not visible yet was set after this acquisition.
      const uint32_t flags = cell_->flags.load(std::memory_order_relaxed);
      if (Unlikely((flags & (kLockAbandoned | kLockReserved)) != 0)) return CheckFlags(owner);
      return outcome;
    }
    if (outcome == MutexOutcome::kAbandoned) {
      cell_->owner.store(owner, std::memory_order_relaxed);
      (void)TakeAbandoned(owner);
    }
    return outcome;
  }
  void Unlock() {
    RobustMutexRelease(&cell_->mutex, owners_);
    WakeAnnounced(&cell_->release_word, &cell_->flags);  // RobustMutexRelease is a full fence (L2)
  }
  MutexOutcome CheckFlags(uint64_t owner);
  MutexOutcome TakeAbandoned(uint64_t owner);
  void BeginReservation();
  void WaitForReservation(uint64_t owner, Deadline deadline);

  LockCell* cell_;
  Members* owners_;  // null when the owners are threads: robust_mutex.h
};

}  // namespace procshare
