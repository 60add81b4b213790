#include "shm/shared_lock.h"

namespace procshare {
namespace {

// How often a blocking acquirer looks at a held lock before it sleeps: a few microseconds, about what a short critical
// section takes and a tenth of what going to sleep and being woken costs.
constexpr int kSpins = 100;

}  // namespace

MutexOutcome SharedLock::Acquire(uint64_t owner, Deadline deadline) {
  for (int i = 0; i < kSpins; ++i) {
    if (Peek() != MutexState::kHeld) {
      const MutexOutcome outcome = TryAcquire(owner);
      if (outcome != MutexOutcome::kBusy) return outcome;
    }
    SpinPause();
  }
  return Settle(RobustMutexAcquire(&cell_->mutex, deadline), owner);
}

void SharedLock::ReleaseAbandoned() {
  MarkAbandoned();
  Release();
}

MutexOutcome SharedLock::TakeAbandoned() {
  cell_->flags.fetch_and(~kLockAbandoned, std::memory_order_relaxed);  // under the mutex
  return MutexOutcome::kAbandoned;
}

}  // namespace procshare
