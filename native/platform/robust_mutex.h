// A mutex in shared memory that outlives its owner: when a thread or process ends while it holds the mutex, by any means,
// the next one gets it and is told.
//
// Ownership is by operating-system thread; it is not recursive. The storage may lie at different addresses in different
// processes. Everything here that can be inlined is, for it is the fast path of every lock.
#pragma once

#include <cstddef>
#include <cstdint>

#include "platform/deadline.h"
#include "platform/robust_mutex_storage.h"

namespace procshare {

enum class MutexOutcome : uint8_t {
  kAcquired,
  kAbandoned,  // acquired, and its last owner died holding it
  kBusy,       // somebody holds it (the calling thread may be that somebody), or the deadline passed
  kBroken,     // the storage does not hold a usable mutex
};

inline bool IsAcquired(MutexOutcome outcome) {
  return outcome == MutexOutcome::kAcquired || outcome == MutexOutcome::kAbandoned;
}

// Makes a free mutex out of zeroed storage. The caller is alone with it.
bool RobustMutexInit(RobustMutexStorage* mutex);

// Whether the storage could have been made by RobustMutexInit here. A cheap look, for bytes that others may have damaged.
bool RobustMutexLooksSound(const RobustMutexStorage* mutex);

MutexOutcome RobustMutexTryAcquire(RobustMutexStorage* mutex);

// Blocks the thread until it has the mutex or the deadline passes. The owner's death ends the wait at once.
MutexOutcome RobustMutexAcquire(RobustMutexStorage* mutex, Deadline deadline);

// Requires: the calling thread owns it. Everything that this thread reads afterwards is read after the mutex became free
// in the eyes of all processes (a full fence: a releaser looks for waiters next).
void RobustMutexRelease(RobustMutexStorage* mutex);

enum class MutexState : uint8_t { kFree, kHeld, kOwnerDied };

// A look without taking, of which only this is sure: a mutex that stays free or ownerless is soon seen so.
MutexState RobustMutexPeek(const RobustMutexStorage* mutex);

// What a process must share with another to use the same mutex: operating system, C library and mutex size in one number.
uint32_t RobustMutexAbi();

}  // namespace procshare
