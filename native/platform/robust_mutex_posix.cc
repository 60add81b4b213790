// Robust mutexes on POSIX systems that have them: pthread_mutex_t, process-shared, PTHREAD_MUTEX_ROBUST.
//
// The kind is normal, not recursive or error-checking: those compare bare thread ids, which collide between pid
// namespaces. (A robust normal mutex compares them too, to answer a relock with EDEADLK in lock(); we never lock() what
// this thread holds, trylock() answers EBUSY.)

#include <errno.h>
#include <pthread.h>
#include <time.h>

#include <atomic>

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
  pthread_mutex_t* const target = Mutex(mutex);
  if (deadline.never()) return Translate(target, pthread_mutex_lock(target));
  if (pthread_mutex_clocklock != nullptr) {
    const int64_t ns = deadline.since_epoch_ns();
    const timespec until = {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
    return Translate(target, pthread_mutex_clocklock(target, CLOCK_MONOTONIC, &until));
  }
  // pthread_mutex_timedlock knows the wall clock only: when that is set back during the wait, the wait is longer by that.
  timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  const int64_t ns = until.tv_nsec + deadline.remaining_ns();
  until.tv_sec += static_cast<time_t>(ns / 1'000'000'000);
  until.tv_nsec = static_cast<long>(ns % 1'000'000'000);
  return Translate(target, pthread_mutex_timedlock(target, &until));
}

void RobustMutexRelease(RobustMutexStorage* mutex) {
  pthread_mutex_unlock(Mutex(mutex));
#if defined(__x86_64__)
  // The exchange inside unlock() is a full fence here; only the compiler needs telling. Saves a third of the call.
  std::atomic_signal_fence(std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
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
