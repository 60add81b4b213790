// The mutex whose owner is a member of the memory that it lies in: the second kind of robust_mutex.h, the same on all systems
// that have it. Its bytes do not depend on the C library.
#pragma once

#include "platform/robust_mutex.h"

namespace procshare {

void MemberMutexInit(RobustMutexStorage* mutex);
bool MemberMutexLooksSound(const RobustMutexStorage* mutex);
MutexOutcome MemberMutexTryAcquire(RobustMutexStorage* mutex, Members* owners);
MutexOutcome MemberMutexAcquire(RobustMutexStorage* mutex, Members* owners, Deadline deadline);
void MemberMutexRelease(RobustMutexStorage* mutex);
MutexState MemberMutexPeek(const RobustMutexStorage* mutex, Members* owners);
uint32_t MemberMutexAbi();

}  // namespace procshare
