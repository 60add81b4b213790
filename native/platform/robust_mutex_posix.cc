// Robust mutexes on POSIX systems that have them: pthread_mutex_t, process-shared, PTHREAD_MUTEX_ROBUST.
//
// The kind is normal, not recursive or error-checking: those compare bare thread ids, which collide between pid
// namespaces. (A robust normal mutex compares them too, to answer a relock with EDEADLK in lock(); we never lock() what
// this thread holds, trylock() answers EBUSY.)

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include "platform/fence.h"
#include "platform/robust_mutex.h"

namespace procshare {
namespace {

static_assert(sizeof(pthread_mutex_t) <= sizeof(RobustMutexStorage), "storage too small");
static_assert(alignof(pthread_mutex_t) <= alignof(RobustMutexStorage), "storage misaligned");

pthread_mutex_t* Mutex(RobustMutexStorage* storage) { return reinterpret_cast<pthread_mutex_t*>(storage->bytes); }

// Both C libraries of Linux keep the kernel's robust-futex word (owner's thread id | FUTEX_OWNER_DIED | FUTEX_WAITERS; the
// ABI of linux/futex.h) in the mutex, and the mutex's kind next to it. We read them, never write.
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

constexpr uint32_t kThreadMask = 0x3fffffff;  // FUTEX_TID_MASK
constexpr uint32_t kOwnerDied = 0x40000000;   // FUTEX_OWNER_DIED

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

constexpr int64_t kSliceNs = 100'000'000;

// Sleeps until the mutex is worth a try, for a slice at most.
void Sleep(RobustMutexStorage* mutex, Deadline deadline) {
  std::atomic<uint32_t>* const word = reinterpret_cast<std::atomic<uint32_t>*>(mutex->bytes + kFutexOffset);
  uint32_t seen = word->load(std::memory_order_relaxed);  // relaxed, here and below: the try orders what it must
  if (!IsHeld(seen)) return;
  if ((seen & kWaiters) == 0 && !word->compare_exchange_strong(seen, seen | kWaiters, std::memory_order_relaxed)) return;
  const bool last_slice = deadline.remaining_ns() <= kSliceNs;
  (void)FutexWait(word, seen | kWaiters, last_slice ? deadline : Deadline::AfterMs(kSliceNs / 1e6));
}

MutexOutcome Translate(pthread_mutex_t* mutex, int error) {
  switch (error) {
    case 0:
      return MutexOutcome::kAcquired;
    case EOWNERDEAD:
      // Killed between here and the end of pthread_mutex_consistent(), we leave it ownerless again.
      return pthread_mutex_consistent(mutex) == 0 ? MutexOutcome::kAbandoned : MutexOutcome::kBroken;
    case EBUSY:
    case ETIMEDOUT:
    case EDEADLK:
      return MutexOutcome::kBusy;
    default:
      return MutexOutcome::kBroken;  // EINVAL, ENOTRECOVERABLE: not what RobustMutexInit made
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
    Sleep(mutex, deadline);
    outcome = RobustMutexTryAcquire(mutex);
  } while (outcome == MutexOutcome::kBusy);
  // A release wakes one sleeper. We cannot know that we were the only one, so the next release, ours, has to wake again.
  if (outcome != MutexOutcome::kBroken) {
    __atomic_fetch_or(reinterpret_cast<uint32_t*>(mutex->bytes + kFutexOffset), kWaiters, __ATOMIC_RELAXED);
  }
  return outcome;
}

void RobustMutexRelease(RobustMutexStorage* mutex) {
  pthread_mutex_unlock(Mutex(mutex));
  FullFenceAfterExchange();  // the exchange is the one inside unlock()
}

MutexState RobustMutexPeek(const RobustMutexStorage* mutex) {
  const uint32_t word = Look(mutex).futex;
  if (word & kOwnerDied) return MutexState::kOwnerDied;
  return (word & kThreadMask) == 0 ? MutexState::kFree : MutexState::kHeld;
}

uint32_t RobustMutexAbi() {
  return kLibrary << 16 | static_cast<uint32_t>(sizeof(void*)) << 8 | static_cast<uint32_t>(sizeof(pthread_mutex_t));
}

}  // namespace procshare
