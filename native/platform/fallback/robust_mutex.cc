// Robust mutexes of a system whose kernel does not detect the death of an owner (macOS). All are of the second kind.

#include "platform/posix/member_mutex.h"

namespace procshare {

MutexKind DefaultMutexKind() { return MutexKind::kMembers; }
MutexKind MutexKindForAnyNamespace() { return MutexKind::kMembers; }

bool RobustMutexInit(RobustMutexStorage* mutex, MutexKind) {
  MemberMutexInit(mutex);
  return true;
}

bool RobustMutexLooksSound(const RobustMutexStorage* mutex, const Members*) { return MemberMutexLooksSound(mutex); }

MutexOutcome RobustMutexTryAcquire(RobustMutexStorage* mutex, Members* owners) {
  return MemberMutexTryAcquire(mutex, owners);
}

MutexOutcome RobustMutexAcquire(RobustMutexStorage* mutex, Members* owners, Deadline deadline) {
  return MemberMutexAcquire(mutex, owners, deadline);
}

void RobustMutexRelease(RobustMutexStorage* mutex, Members*) { MemberMutexRelease(mutex); }

MutexState RobustMutexPeek(const RobustMutexStorage* mutex, Members* owners) { return MemberMutexPeek(mutex, owners); }

bool RobustMutexIsHeldByThisThread(const RobustMutexStorage*, const Members*) { return false; }

uint32_t RobustMutexAbi(MutexKind) { return MemberMutexAbi(); }

}  // namespace procshare
