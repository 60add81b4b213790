// A mutex in shared memory that outlives its owner: when a thread or process ends while it holds the mutex, by any means,
// the next one gets it and is told.
//
// It is not recursive. The storage may lie at different addresses in different processes. There are two kinds:
//
//   kThreads   The owner is an operating-system thread, and the kernel notices its death at once. The kernel knows the
//              thread by its id alone, so all users must be in one pid namespace.
//   kMembers   The owner is a member of the memory (platform/members.h); a death is noticed at the next attempt, or
//              within a heartbeat by sleepers. For users in several pid namespaces, and for systems without the other
//              kind: member_mutex.h.
//
// `owners` is null for a mutex of the first kind, otherwise the members as the caller sees them. The caller knows the kind from
// what it has checked before, never from the storage.
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
  kBusy,       // it is held (perhaps by the caller), or the deadline passed
  kBroken,     // the storage does not hold a usable mutex of that kind
};

inline bool IsAcquired(MutexOutcome outcome) {
  return outcome == MutexOutcome::kAcquired || outcome == MutexOutcome::kAbandoned;
}

// What this system makes unless the other kind is asked for.
MutexKind DefaultMutexKind();

// The kind that a mutex gets which is to be used in several pid namespaces.
MutexKind MutexKindForAnyNamespace();

// Makes a free mutex out of zeroed storage. The caller is alone with it.
bool RobustMutexInit(RobustMutexStorage* mutex, MutexKind kind);

// Whether the storage could have been made by RobustMutexInit here. A cheap look, for bytes that others may have damaged.
bool RobustMutexLooksSound(const RobustMutexStorage* mutex, const Members* owners);

MutexOutcome RobustMutexTryAcquire(RobustMutexStorage* mutex, Members* owners);

// Blocks the thread until it has the mutex or the deadline passes. The owner's death ends the wait.
PROCSHARE_APART MutexOutcome RobustMutexAcquire(RobustMutexStorage* mutex, Members* owners, Deadline deadline);

// Requires: the caller owns it. Everything that this thread reads afterwards is read after the mutex became free
// in the eyes of all processes (a full fence: a releaser looks for waiters next).
void RobustMutexRelease(RobustMutexStorage* mutex, Members* owners);

enum class MutexState : uint8_t { kFree, kHeld, kOwnerDied };

// A look without taking, of which only this is sure: a mutex that stays free or ownerless is soon seen so.
MutexState RobustMutexPeek(const RobustMutexStorage* mutex, Members* owners);

// Whether the calling thread itself owns the mutex, by whatever copy of this code: then to wait for it is to wait for ever. False
// where that cannot be told for sure: of a mutex of the second kind.
PROCSHARE_APART bool RobustMutexIsHeldByThisThread(const RobustMutexStorage* mutex, const Members* owners);

// What a process must share with another to use the same mutexes of that kind: operating system, C library and mutex size in
// one number.
uint32_t RobustMutexAbi(MutexKind kind);

// As TryAcquire, looking `spins` times while the mutex is held: a few microseconds, much less than it takes to sleep and
// be woken.
inline MutexOutcome RobustMutexSpin(RobustMutexStorage* mutex, Members* owners, int spins) {
  for (int i = 0; i < spins; ++i) {
    if (RobustMutexPeek(mutex, owners) != MutexState::kHeld) {
      const MutexOutcome outcome = RobustMutexTryAcquire(mutex, owners);
      if (outcome != MutexOutcome::kBusy) return outcome;
    }
    SpinPause();
  }
  return RobustMutexTryAcquire(mutex, owners);  // which asks whether the owner lives, if need be
}

}  // namespace procshare
