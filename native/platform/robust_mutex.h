// A mutex in shared memory that survives its owner. When a thread or process ends, by any means, while it owns the mutex, the
// next owner gets the mutex. The result tells the next owner that the mutex was abandoned.
//
// It is not recursive. The storage may lie at different addresses in different processes. There are two kinds:
//
//   kThreads   The owner is an operating-system thread, and the kernel notices its death at once. The kernel identifies the thread by its
//              id alone, so all users must be in one pid namespace.
//   kMembers   The owner is a member of the memory (platform/members.h). Its death is noticed by the next attempt, and by sleepers within a
//              heartbeat. For users in several pid namespaces, and for systems without the other kind: member_mutex.h.
//
// `owners` is null for a mutex of the first kind, otherwise the members. The caller takes the kind from the control block, never
// from the storage.
#pragma once

#include <cstddef>
#include <cstdint>

#include "platform/compiler.h"
#include "platform/deadline.h"
#include "platform/members.h"
#include "platform/robust_mutex_storage.h"

namespace procshare {

enum class MutexKind : uint8_t { kThreads, kMembers };

enum class MutexOutcome : uint8_t {
  kAcquired,
  kAbandoned,  // acquired, and its last owner died holding it
  kBusy,       // it is held (perhaps by the caller), or the deadline has passed
  kBroken,     // the storage does not hold a usable mutex of that kind
};

inline bool IsAcquired(MutexOutcome outcome) {
  return outcome == MutexOutcome::kAcquired || outcome == MutexOutcome::kAbandoned;
}

// The kind of this system for one pid namespace.
MutexKind DefaultMutexKind();

// The kind for use in several pid namespaces.
MutexKind MutexKindForAnyNamespace();

// Makes a free mutex out of zeroed storage, which no other thread uses.
bool RobustMutexInit(RobustMutexStorage* mutex, MutexKind kind);

// Whether RobustMutexInit could have made the storage. A cheap check, for bytes that another process may have damaged.
bool RobustMutexLooksSound(const RobustMutexStorage* mutex, const Members* owners);

MutexOutcome RobustMutexTryAcquire(RobustMutexStorage* mutex, Members* owners);

// Blocks the thread until it has the mutex or the deadline passes. The owner's death ends the wait.
PROCSHARE_APART MutexOutcome RobustMutexAcquire(RobustMutexStorage* mutex, Members* owners, Deadline deadline);

// Requires: the caller owns it. A full fence: all later reads of this thread happen after all processes see the mutex as free. (A
// releaser then checks for waiters.)
void RobustMutexRelease(RobustMutexStorage* mutex, Members* owners);

enum class MutexState : uint8_t { kFree, kHeld, kOwnerDied };

// Reads the state without taking the mutex. The only guarantee: a mutex that stays free or ownerless is soon seen so.
MutexState RobustMutexPeek(const RobustMutexStorage* mutex, Members* owners);

// Whether the calling thread itself owns the mutex, through any copy of this code: then waiting for it would never end. False for
// a mutex of the second kind, where that is unknown.
PROCSHARE_APART bool RobustMutexIsHeldByThisThread(const RobustMutexStorage* mutex, const Members* owners);

// Operating system, C library and mutex size in one number: processes with equal numbers can use the same mutexes of that kind.
uint32_t RobustMutexAbi(MutexKind kind);

// As TryAcquire, but checks a held mutex `spins` times: a few microseconds, much less than a sleep and a wake-up.
inline MutexOutcome RobustMutexSpin(RobustMutexStorage* mutex, Members* owners, int spins) {
  for (int i = 0; i < spins; ++i) {
    if (RobustMutexPeek(mutex, owners) != MutexState::kHeld) {
      const MutexOutcome outcome = RobustMutexTryAcquire(mutex, owners);
      if (outcome != MutexOutcome::kBusy) return outcome;
    }
    SpinPause();
  }
  return RobustMutexTryAcquire(mutex, owners);  // checks whether the owner lives, if necessary
}

}  // namespace procshare
