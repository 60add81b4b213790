// The mutex whose owner is a member of the memory that it lies in: the second kind of robust_mutex.h, the same on all systems
// that have it. Its bytes do not depend on the C library.
#pragma once

#include "platform/robust_mutex.h"

namespace procshare {

PROCSHARE_APART void MemberMutexInit(RobustMutexStorage* mutex);
PROCSHARE_APART bool MemberMutexLooksSound(const RobustMutexStorage* mutex);
PROCSHARE_APART MutexOutcome MemberMutexTryAcquire(RobustMutexStorage* mutex, Members* owners);
PROCSHARE_APART MutexOutcome MemberMutexAcquire(RobustMutexStorage* mutex, Members* owners, Deadline deadline);
PROCSHARE_APART void MemberMutexRelease(RobustMutexStorage* mutex);
PROCSHARE_APART MutexState MemberMutexPeek(const RobustMutexStorage* mutex, Members* owners);
uint32_t MemberMutexAbi();

}  // namespace procshare
