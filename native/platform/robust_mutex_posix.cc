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

// In glibc since 2.30, and not in every other C library: null where it is missing.
extern "C" int pthread_mutex_clocklock(pthread_mutex_t*, clockid_t, const timespec*) noexcept __attribute__((weak));

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

int LockUntil(pthread_mutex_t* mutex, Deadline deadline) {
  if (pthread_mutex_clocklock != nullptr) {
    const int64_t ns = deadline.since_epoch_ns();
    const timespec until = {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
    return pthread_mutex_clocklock(mutex, CLOCK_MONOTONIC, &until);
  }
  // pthread_mutex_timedlock knows the wall clock only: when that is set back during the wait, the wait is longer by that.
  timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  const int64_t ns = until.tv_nsec + deadline.remaining_ns();
  until.tv_sec += static_cast<time_t>(ns / 1'000'000'000);
  until.tv_nsec = static_cast<long>(ns % 1'000'000'000);
  return pthread_mutex_timedlock(mutex, &until);
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
  const int error = pthread_mutex_trylock(Mutex(mutex));
  return __builtin_expect(error == 0, 1) ? MutexOutcome::kAcquired : Translate(Mutex(mutex), error);
}

MutexOutcome RobustMutexAcquire(RobustMutexStorage* mutex, Deadline deadline) {
  for (;;) {
    // A release wakes one sleeper and relies on it to take the mutex, or to see that there are others. One that is killed
    // before it can do so, while somebody else took the mutex in passing, leaves the others asleep and forgotten. So no
    // sleep is longer than a slice: its end is a new look.
    const bool last_slice = deadline.remaining_ns() <= kSliceNs;
    const int error = LockUntil(Mutex(mutex), last_slice ? deadline : Deadline::AfterMs(kSliceNs / 1e6));
    if (last_slice || error != ETIMEDOUT) return Translate(Mutex(mutex), error);
  }
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
