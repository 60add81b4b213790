// SharedLock: the lock of a LockCell, for threads that block and for event loops that must not.
//
// States, interleavings and the crash argument: docs/lock-protocol.md. In short:
//
//   L1  The robust mutex alone decides who owns the lock. Everything else in the cell only says whom to wake.
//   L2  An asynchronous acquirer sets kLockAwaited before it tries for the last time; a releaser looks at the flag after
//       the mutex is free. One of the two sees the other (both sides are fenced), so no release goes unnoticed.
//   L3  Clearing kLockAwaited is followed by a bump of release_word and a wake of all who sleep on it.
//   L4  Words of the cell are hints to a waiter. Whatever another process writes there, the worst outcome is a
//       wake-up for nothing or a late one: the waiter announces itself anew and looks at the mutex every 50 ms.
#pragma once

#include "platform/deadline.h"
#include "platform/robust_mutex.h"
#include "shm/layout.h"

namespace procshare {

class SharedLock {
 public:
  explicit SharedLock(LockCell* cell) : cell_(cell) {}

  // Makes a free lock out of zeroed bytes.
  bool Init() { return RobustMutexInit(&cell_->mutex); }
  bool LooksSound() const { return RobustMutexLooksSound(&cell_->mutex); }

  // By reference: read when the mutex is ours, so that no register need keep it.
  MutexOutcome TryAcquire(const uint64_t& owner) { return Settle(RobustMutexTryAcquire(&cell_->mutex), owner); }

  // Blocks the calling thread; looks around for some microseconds before it sleeps.
  MutexOutcome Acquire(uint64_t owner, Deadline deadline);

  void Release() {
    RobustMutexRelease(&cell_->mutex);
    // Relaxed: the full fence in RobustMutexRelease orders it after the mutex became free (L2).
    if (__builtin_expect(cell_->flags.load(std::memory_order_relaxed) & kLockAwaited, 0)) WakeSleepers();
  }

  // Releases on behalf of an owner that ended without doing so; the next owner gets kAbandoned.
  void ReleaseAbandoned();

  // For asynchronous acquirers: announces a waiter, then tries once more. When that fails the caller sleeps on
  // release_word() for as long as it is `*expected`.
  MutexOutcome TryAcquireOrAwait(uint64_t owner, uint32_t* expected);

  // For a sleeper whose patience is at an end: announces it anew, because the releaser that took note of it may
  // have been killed before the wake-up, then looks whether the lock is still held.
  bool StillHeld();

  const std::atomic<uint32_t>* release_word() const { return &cell_->release_word; }
  MutexState Peek() const { return RobustMutexPeek(&cell_->mutex); }
  uint64_t owner() const { return cell_->owner.load(std::memory_order_relaxed); }

 private:
  MutexOutcome Settle(MutexOutcome outcome, const uint64_t& owner) {
    if (__builtin_expect(outcome == MutexOutcome::kAcquired, 1)) {
      cell_->owner.store(owner, std::memory_order_relaxed);  // read by people, orders nothing
      // Relaxed: written under the mutex that we hold now.
      if (__builtin_expect(cell_->flags.load(std::memory_order_relaxed) & kLockAbandoned, 0)) return TakeAbandoned();
      return outcome;
    }
    if (outcome == MutexOutcome::kAbandoned) {
      cell_->owner.store(owner, std::memory_order_relaxed);
      (void)TakeAbandoned();
    }
    return outcome;
  }
  MutexOutcome TakeAbandoned();
  void Announce();
  void WakeSleepers();

  LockCell* cell_;
};

}  // namespace procshare
