// The steps of an asynchronous acquirer, as native/shm/waits.cc performs them for event loops.
#pragma once

#include "shm/shared_lock.h"

namespace procshare {

// Announces a waiter, then makes another attempt. When that fails, the caller sleeps on the release word while it is `*expected`.
inline MutexOutcome TryAcquireOrAwait(SharedLock* lock, uint64_t owner, uint32_t* expected) {
  *expected = AnnounceWaiter(lock->release_word(), lock->flags());
  return lock->TryAcquire(owner);
}

// The heartbeat: announces the waiter again, then checks the state.
inline bool StillHeld(SharedLock* lock) {
  (void)AnnounceWaiter(lock->release_word(), lock->flags());
  return lock->Peek() == MutexState::kHeld;
}

}  // namespace procshare
