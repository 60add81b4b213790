// SharedLock: the lock of a LockCell, for threads that block and for event loops that must not.
//
// States, interleavings and the crash argument: docs/internals/lock-protocol.md. In short:
//
//   L1  The robust mutex alone decides who owns the lock. Everything else in the cell only says whom to wake.
//   L2  Asynchronous acquirers sleep on release_word, by the protocol of shm/wake_word.h (W1 to W3): what they wait for is
//       a mutex that is not held.
//   L3  Whoever has waited for long reserves the lock. A reservation stops nobody who holds the lock and is void after some
//       milliseconds, so the death of who made it costs no more than that.
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

  // By reference: read when the mutex is ours, so that no register need keep it.
  MutexOutcome TryAcquire(const uint64_t& owner) {
    return FinishAcquire(RobustMutexTryAcquire(&cell_->mutex, owners_), owner);
  }

  // Asks for the next turn: for kReservationMs, from now and from the next release, nobody but `owner` gets the lock when it
  // is free. One at a time has a reservation; a request while another one stands is none.
  void Reserve(uint64_t owner);

  // Whoever has reserved the lock does not want it any more.
  void Unreserve(uint64_t owner);

  // Whether trying is in vain although the lock may be free.
  bool IsReservedForOthers(uint64_t owner) const;

  // Blocks the calling thread; looks around for some microseconds before it sleeps.
  MutexOutcome Acquire(uint64_t owner, Deadline deadline);

  void Release() {
    // Relaxed: a reservation that comes after this look is as young as one that this would make young.
    const uint32_t flags = cell_->flags.load(std::memory_order_relaxed);
    if (Unlikely((flags & kLockReserved) != 0)) BeginReservation();
    Unlock();
  }

  // Makes the next owner get kAbandoned. The caller holds the lock.
  void MarkAbandoned() {
    cell_->flags.fetch_or(kLockAbandoned, std::memory_order_relaxed);  // published by the release of the mutex
  }

  // Releases on behalf of an owner that ended without doing so; the next owner gets kAbandoned.
  void ReleaseAbandoned();

  // For asynchronous acquirers: what they sleep on.
  std::atomic<uint32_t>* release_word() const { return &cell_->release_word; }
  std::atomic<uint32_t>* flags() const { return &cell_->flags; }
  // Whether the calling thread owns the lock: another copy of the package in the same process may have taken it.
  bool IsHeldByThisThread() const { return RobustMutexIsHeldByThisThread(&cell_->mutex, owners_); }
  MutexState Peek() const { return RobustMutexPeek(&cell_->mutex, owners_); }
  uint64_t owner() const { return cell_->owner.load(std::memory_order_relaxed); }

 private:
  MutexOutcome FinishAcquire(MutexOutcome outcome, const uint64_t& owner) {
    if (Likely(outcome == MutexOutcome::kAcquired)) {
      cell_->owner.store(owner, std::memory_order_relaxed);  // read by people, orders nothing
      // Relaxed: a flag that comes late is one that came after us.
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
  Members* owners_;  // null where the kernel knows owners: robust_mutex.h
};

}  // namespace procshare
