#include "shm/shared_lock.h"

#include "platform/fence.h"
#include "platform/futex.h"

namespace procshare {
namespace {

// How often a blocking acquirer looks at a held lock before it sleeps: a few microseconds, about what a short critical
// section takes and a tenth of what going to sleep and being woken costs.
constexpr int kSpins = 100;

inline void Pause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

}  // namespace

MutexOutcome SharedLock::Acquire(uint64_t owner, Deadline deadline) {
  for (int i = 0; i < kSpins; ++i) {
    if (Peek() != MutexState::kHeld) {
      const MutexOutcome outcome = TryAcquire(owner);
      if (outcome != MutexOutcome::kBusy) return outcome;
    }
    Pause();
  }
  return Settle(RobustMutexAcquire(&cell_->mutex, deadline), owner);
}

void SharedLock::ReleaseAbandoned() {
  cell_->flags.fetch_or(kLockAbandoned, std::memory_order_relaxed);  // published by the release of the mutex
  Release();
}

MutexOutcome SharedLock::TryAcquireOrAwait(uint64_t owner, uint32_t* expected) {
  *expected = cell_->release_word.load(std::memory_order_relaxed);  // before the flag: a bump after it is a change (L3)
  Announce();
  return TryAcquire(owner);
}

bool SharedLock::StillHeld() {
  Announce();
  return Peek() == MutexState::kHeld;
}

void SharedLock::Announce() {
  // seq_cst, and the fence: the flag must be visible before the attempt or look that follows (L2). Pairs with
  // RobustMutexRelease.
  cell_->flags.fetch_or(kLockAwaited, std::memory_order_seq_cst);
  FullFenceAfterExchange();
}

MutexOutcome SharedLock::TakeAbandoned() {
  cell_->flags.fetch_and(~kLockAbandoned, std::memory_order_relaxed);  // under the mutex
  return MutexOutcome::kAbandoned;
}

[[gnu::noinline, gnu::cold]] void SharedLock::WakeSleepers() {
  // acq_rel: a waiter that announces itself after this sees the old word at the earliest, and is not ours to wake (L3).
  cell_->flags.fetch_and(~kLockAwaited, std::memory_order_acq_rel);
  cell_->release_word.fetch_add(1, std::memory_order_release);
  FutexWake(&cell_->release_word, kWakeAll);
}

}  // namespace procshare
