// Robust mutexes on Linux. The first kind is a pthread_mutex_t, process-shared and PTHREAD_MUTEX_ROBUST.
//
// The kernel identifies its owner by a thread id, and these collide between pid namespaces: the first process of each container
// has the id 1. pthread_mutex_trylock() and _unlock() announce the mutex in list_op_pending for a few instructions. When a thread
// is killed in these instructions, the kernel compares ids. A living owner in another namespace with the same id would lose the
// mutex. So all users of such a mutex are in one pid namespace (the segment ensures that), and other users get the second kind.
// Within a namespace,
//
//   - the kind is normal, not recursive or error-checking: these kinds compare ids to find out whether the caller is the owner;
//   - no thread sleeps inside pthread_mutex_lock() or _clocklock(), which keep the mutex in list_op_pending while they sleep.
//     Threads sleep on the futex word instead, and take the mutex with trylock() when it seems free.
//
// The C library trusts the bytes of a mutex. The word with its kind is checked before each use of a free mutex, and corrected
// before each release. So the library never acts on a kind that another process has damaged.

#include <errno.h>
#include <pthread.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "platform/fence.h"
#include "platform/futex.h"
#include "platform/posix/member_mutex.h"

namespace procshare {
namespace {

static_assert(sizeof(pthread_mutex_t) <= sizeof(RobustMutexStorage), "storage too small");
static_assert(alignof(pthread_mutex_t) <= alignof(RobustMutexStorage), "storage misaligned");

pthread_mutex_t* Mutex(RobustMutexStorage* storage) { return reinterpret_cast<pthread_mutex_t*>(storage->bytes); }

// Both C libraries of Linux keep the kernel's robust-futex word (owner's thread id | FUTEX_OWNER_DIED | FUTEX_WAITERS; the ABI of
// linux/futex.h) in the mutex, and the mutex's kind next to it. This file reads them, and writes only FUTEX_WAITERS.
struct Words {
  uint32_t futex;
  int32_t kind;
};

#if defined(__GLIBC__)
constexpr size_t kFutexOffset = offsetof(pthread_mutex_t, __data.__lock);
constexpr size_t kKindOffset = offsetof(pthread_mutex_t, __data.__kind);
constexpr int32_t kKind = 16 | 128;  // PTHREAD_MUTEX_ROBUST_NORMAL_NP, and process-shared
constexpr uint32_t kLibrary = 1;
#else  // musl: { int type; int lock; ... }
constexpr size_t kFutexOffset = 4;
constexpr size_t kKindOffset = 0;
constexpr int32_t kKind = 4 | 128;  // robust, and process-shared
constexpr uint32_t kLibrary = 2;
#endif

constexpr uint32_t kOwnerDied = 0x40000000;  // FUTEX_OWNER_DIED
constexpr uint32_t kWaiters = 0x80000000;    // FUTEX_WAITERS
constexpr uint32_t kThreadId = 0x3fffffff;   // FUTEX_TID_MASK

Words Look(const RobustMutexStorage* storage) {
  return {__atomic_load_n(reinterpret_cast<const uint32_t*>(storage->bytes + kFutexOffset), __ATOMIC_RELAXED),
          __atomic_load_n(reinterpret_cast<const int32_t*>(storage->bytes + kKindOffset), __ATOMIC_RELAXED)};
}

bool Init(pthread_mutex_t* mutex) {
  pthread_mutexattr_t attributes;
  if (pthread_mutexattr_init(&attributes) != 0) return false;
  const bool made = pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED) == 0 &&
                    pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST) == 0 &&
                    pthread_mutex_init(mutex, &attributes) == 0;
  pthread_mutexattr_destroy(&attributes);
  return made;
}

bool IsHeld(uint32_t futex) { return futex != 0 && (futex & kOwnerDied) == 0; }

std::atomic<uint32_t>* FutexWord(RobustMutexStorage* mutex) {
  return reinterpret_cast<std::atomic<uint32_t>*>(mutex->bytes + kFutexOffset);
}

// A release wakes one sleeper and relies on it to take the mutex. If that sleeper is killed before, the others stay asleep. So no
// sleep is longer than this, and a new attempt follows.
constexpr double kSliceMs = 100;

// Sleeps until an attempt may succeed, or for a slice.
void Sleep(std::atomic<uint32_t>* word, Deadline deadline) {
  uint32_t seen = word->load(std::memory_order_relaxed);  // relaxed, here and below: the try that follows orders enough
  if (!IsHeld(seen)) return;
  const bool marked = (seen & kWaiters) != 0;
  if (!marked && !word->compare_exchange_strong(seen, seen | kWaiters, std::memory_order_relaxed)) return;
  const bool last_slice = deadline.remaining_ns() <= kSliceMs * 1e6;
  (void)FutexWait(word, seen | kWaiters, last_slice ? deadline : Deadline::AfterMs(kSliceMs));
}

// Whether the word names an owner that does not exist: then another process has damaged it, and no thread will ever release the
// mutex. The kernel writes kOwnerDied for a thread before its id becomes free. So when the word still names a thread that the
// system has reported as nonexistent, no owner has written it. All users are in one pid namespace.
bool IsHeldByNobody(const RobustMutexStorage* mutex) {
  const uint32_t word = Look(mutex).futex;
  if (!IsHeld(word)) return false;
  const uint32_t owner = word & kThreadId;
  const bool exists = owner != 0 && (syscall(SYS_tkill, owner, 0) == 0 || errno != ESRCH);
  return !exists && Look(mutex).futex == word;
}

// Requires: the caller owns the mutex.
PROCSHARE_COLD void RestoreKind(RobustMutexStorage* mutex) {
  __atomic_store_n(reinterpret_cast<int32_t*>(mutex->bytes + kKindOffset), kKind, __ATOMIC_RELAXED);
}

PROCSHARE_COLD MutexOutcome Translate(pthread_mutex_t* mutex, int error) {
  switch (error) {
    case 0: return MutexOutcome::kAcquired;
    case EOWNERDEAD:
      // A kill between here and the end of pthread_mutex_consistent() leaves the mutex ownerless again.
      return pthread_mutex_consistent(mutex) == 0 ? MutexOutcome::kAbandoned : MutexOutcome::kBroken;
    case EBUSY:
    case ETIMEDOUT:
    case EDEADLK: return MutexOutcome::kBusy;
    default: return MutexOutcome::kBroken;  // EINVAL, ENOTRECOVERABLE: RobustMutexInit has not made it
  }
}

}  // namespace

MutexKind DefaultMutexKind() { return MutexKind::kThreads; }
MutexKind MutexKindForAnyNamespace() { return MutexKind::kMembers; }

bool RobustMutexInit(RobustMutexStorage* mutex, MutexKind kind) {
  if (kind == MutexKind::kThreads) return Init(Mutex(mutex)) && Look(mutex).kind == kKind;
  MemberMutexInit(mutex);
  return true;
}

bool RobustMutexLooksSound(const RobustMutexStorage* mutex, const Members* owners) {
  return owners == nullptr ? Look(mutex).kind == kKind : MemberMutexLooksSound(mutex);
}

MutexOutcome RobustMutexTryAcquire(RobustMutexStorage* mutex, Members* owners) {
  if (Unlikely(owners != nullptr)) return MemberMutexTryAcquire(mutex, owners);
  const Words words = Look(mutex);
  if (Unlikely(IsHeld(words.futex))) return MutexOutcome::kBusy;
  if (Unlikely(words.kind != kKind)) return MutexOutcome::kBroken;
  const int error = pthread_mutex_trylock(Mutex(mutex));
  return Likely(error == 0) ? MutexOutcome::kAcquired : Translate(Mutex(mutex), error);
}

MutexOutcome RobustMutexAcquire(RobustMutexStorage* mutex, Members* owners, Deadline deadline) {
  if (owners != nullptr) return MemberMutexAcquire(mutex, owners, deadline);
  MutexOutcome outcome = RobustMutexTryAcquire(mutex, nullptr);
  if (outcome != MutexOutcome::kBusy) return outcome;
  do {
    if (deadline.passed()) return MutexOutcome::kBusy;
    Sleep(FutexWord(mutex), deadline);
    outcome = RobustMutexTryAcquire(mutex, nullptr);
    if (outcome == MutexOutcome::kBusy && IsHeldByNobody(mutex)) return MutexOutcome::kBroken;
  } while (outcome == MutexOutcome::kBusy);
  // The release that woke this thread has cleared kWaiters. There may be other sleepers, of which the next release has to wake
  // one.
  if (outcome != MutexOutcome::kBroken) FutexWord(mutex)->fetch_or(kWaiters, std::memory_order_relaxed);
  return outcome;
}

void RobustMutexRelease(RobustMutexStorage* mutex, Members* owners) {
  if (Unlikely(owners != nullptr)) return MemberMutexRelease(mutex);
  if (Unlikely(Look(mutex).kind != kKind)) RestoreKind(mutex);
  pthread_mutex_unlock(Mutex(mutex));
  FullFenceAfterExchange();  // the exchange is the one inside unlock()
}

MutexState RobustMutexPeek(const RobustMutexStorage* mutex, Members* owners) {
  if (Unlikely(owners != nullptr)) return MemberMutexPeek(mutex, owners);
  const uint32_t word = Look(mutex).futex;
  if (word & kOwnerDied) return MutexState::kOwnerDied;
  return IsHeld(word) ? MutexState::kHeld : MutexState::kFree;
}

// The futex word has the id of the thread, and all users are in one pid namespace.
bool RobustMutexIsHeldByThisThread(const RobustMutexStorage* mutex, const Members* owners) {
  if (owners != nullptr) return false;
  const uint32_t futex = Look(mutex).futex;
  return IsHeld(futex) && (futex & kThreadId) == static_cast<uint32_t>(syscall(SYS_gettid));
}

uint32_t RobustMutexAbi(MutexKind kind) {
  if (kind == MutexKind::kMembers) return MemberMutexAbi();
  return kLibrary << 16 | static_cast<uint32_t>(sizeof(void*)) << 8 | static_cast<uint32_t>(sizeof(pthread_mutex_t));
}

}  // namespace procshare
