// Robust mutexes on POSIX systems that have them: pthread_mutex_t, process-shared, PTHREAD_MUTEX_ROBUST.
//
// Thread ids collide between pid namespaces: the first process of each container has the id 1. So
//
//   - the kind is normal, not recursive or error-checking, for those compare ids to tell whether the caller is the owner;
//   - we never sleep inside pthread_mutex_lock() or _clocklock(). They announce the mutex in list_op_pending for as long
//     as they sleep, and when the sleeper is killed then, the kernel compares ids to tell whether it was the owner: the
//     death of a waiter would take the mutex away from a living owner. We sleep on the futex word ourselves, as they do,
//     and take the mutex with trylock(), and that only when it looks free.

#include <errno.h>
#include <pthread.h>

#include <atomic>

#include "platform/fence.h"
#include "platform/futex.h"
#include "platform/robust_mutex.h"

namespace procshare {
namespace {

static_assert(sizeof(pthread_mutex_t) <= sizeof(RobustMutexStorage), "storage too small");
static_assert(alignof(pthread_mutex_t) <= alignof(RobustMutexStorage), "storage misaligned");

pthread_mutex_t* Mutex(RobustMutexStorage* storage) { return reinterpret_cast<pthread_mutex_t*>(storage->bytes); }

// Both C libraries of Linux keep the kernel's robust-futex word (owner's thread id | FUTEX_OWNER_DIED | FUTEX_WAITERS; the
// ABI of linux/futex.h) in the mutex, and the mutex's kind next to it. We read them; FUTEX_WAITERS is all that we write.
struct Words {
  uint32_t futex;
  int32_t kind;
};

#if defined(__GLIBC__)
constexpr size_t kFutexOffset = offsetof(pthread_mutex_t, __data.__lock);
constexpr size_t kKindOffset = offsetof(pthread_mutex_t, __data.__kind);
constexpr uint32_t kLibrary = 1;
#else  // musl: { int type; int lock; ... }
constexpr size_t kFutexOffset = 4;
constexpr size_t kKindOffset = 0;
constexpr uint32_t kLibrary = 2;
#endif

constexpr uint32_t kOwnerDied = 0x40000000;  // FUTEX_OWNER_DIED
constexpr uint32_t kWaiters = 0x80000000;    // FUTEX_WAITERS

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

// A release wakes one sleeper and relies on it to take the mutex. One that is killed before it does leaves the others
// asleep and forgotten. So no sleep is longer than this: its end is a new look.
constexpr double kSliceMs = 100;

// Sleeps until the mutex is worth a try, or for a slice.
void Sleep(std::atomic<uint32_t>* word, Deadline deadline) {
  uint32_t seen = word->load(std::memory_order_relaxed);  // relaxed, here and below: the try that follows orders enough
  if (!IsHeld(seen)) return;
  const bool marked = (seen & kWaiters) != 0;
  if (!marked && !word->compare_exchange_strong(seen, seen | kWaiters, std::memory_order_relaxed)) return;
  const bool last_slice = deadline.remaining_ns() <= kSliceMs * 1e6;
  (void)FutexWait(word, seen | kWaiters, last_slice ? deadline : Deadline::AfterMs(kSliceMs));
}

[[gnu::noinline, gnu::cold]] MutexOutcome Translate(pthread_mutex_t* mutex, int error) {
  switch (error) {
    case 0: return MutexOutcome::kAcquired;
    case EOWNERDEAD:
      // Killed between here and the end of pthread_mutex_consistent(), we leave it ownerless again.
      return pthread_mutex_consistent(mutex) == 0 ? MutexOutcome::kAbandoned : MutexOutcome::kBroken;
    case EBUSY:
    case ETIMEDOUT:
    case EDEADLK: return MutexOutcome::kBusy;
    default: return MutexOutcome::kBroken;  // EINVAL, ENOTRECOVERABLE: not what RobustMutexInit made
  }
}

}  // namespace

bool RobustMutexInit(RobustMutexStorage* mutex) { return Init(Mutex(mutex)); }

bool RobustMutexLooksSound(const RobustMutexStorage* mutex) {
  static const int32_t kind = [] {
    RobustMutexStorage sample = {};
    Init(Mutex(&sample));
    return Look(&sample).kind;
  }();
  return Look(mutex).kind == kind;
}

MutexOutcome RobustMutexTryAcquire(RobustMutexStorage* mutex) {
  if (__builtin_expect(IsHeld(Look(mutex).futex), 0)) return MutexOutcome::kBusy;
  const int error = pthread_mutex_trylock(Mutex(mutex));
  return __builtin_expect(error == 0, 1) ? MutexOutcome::kAcquired : Translate(Mutex(mutex), error);
}

MutexOutcome RobustMutexAcquire(RobustMutexStorage* mutex, Deadline deadline) {
  MutexOutcome outcome = RobustMutexTryAcquire(mutex);
  if (outcome != MutexOutcome::kBusy) return outcome;
  do {
    if (deadline.passed()) return MutexOutcome::kBusy;
    Sleep(FutexWord(mutex), deadline);
    outcome = RobustMutexTryAcquire(mutex);
  } while (outcome == MutexOutcome::kBusy);
  // The release that woke us took the mark away, and there may be other sleepers: our own release has to wake one of them.
  if (outcome != MutexOutcome::kBroken) FutexWord(mutex)->fetch_or(kWaiters, std::memory_order_relaxed);
  return outcome;
}

void RobustMutexRelease(RobustMutexStorage* mutex) {
  pthread_mutex_unlock(Mutex(mutex));
  FullFenceAfterExchange();  // the exchange is the one inside unlock()
}

MutexState RobustMutexPeek(const RobustMutexStorage* mutex) {
  const uint32_t word = Look(mutex).futex;
  if (word & kOwnerDied) return MutexState::kOwnerDied;
  return IsHeld(word) ? MutexState::kHeld : MutexState::kFree;
}

uint32_t RobustMutexAbi() {
  return kLibrary << 16 | static_cast<uint32_t>(sizeof(void*)) << 8 | static_cast<uint32_t>(sizeof(pthread_mutex_t));
}

}  // namespace procshare
