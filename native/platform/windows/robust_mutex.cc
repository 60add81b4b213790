// Robust mutexes on Windows: one word names the owner, and the kernel tells whether that thread lives.
//
//   owner   0 free | id of a thread token (thread_token.h) | kOwnerDied,     any of them with kWaiters
//
//   R1  The word alone decides which thread has the mutex. A thread takes it by a compare-and-swap from free, or from kOwnerDied,
//       to its own id. An id is never used twice, so the id of a dead thread stays dead.
//   R2  A thread that ends leaves its id in the word, and the kernel marks the mutex of its token as abandoned. A thread that
//       finds such an id swaps it for kOwnerDied. The thread that then swaps kOwnerDied for its own id gets kAbandoned.
//   R3  Blocked threads sleep on the word (its lower half; futex.cc) and on the owner's token at once: a death ends
//       the sleep as a release does.
//   R4  As on POSIX systems, a release wakes one sleeper. That one marks the word again when it has the mutex, because there may
//       be others. No sleep is longer than a slice, because the woken sleeper may be killed before it takes the mutex.
//
// A named kernel mutex per storage would take two system calls for each lock and unlock, and a handle per lock and process. When
// an owner died while no other process had that mutex open, its death would go unnoticed. Here lock and unlock take one atomic
// instruction each.
//
// A kill between any two steps: before the first swap nothing has happened. After it the id is that of a dead thread (R2).
// Between the swap of a release and its wake-up the mutex is free, and the sleepers check it at the end of their slice (R4).

#include "platform/robust_mutex.h"

#include <atomic>

#include "platform/compiler.h"
#include "platform/fence.h"
#include "platform/futex.h"
#include "platform/windows/parking.h"
#include "platform/windows/thread_token.h"

namespace procshare {
namespace {

constexpr uint64_t kWaiters = 1;
constexpr uint64_t kOwnerDied = 2;
constexpr uint64_t kSeal = 0x78756d4e49577370;  // "psWINmux"
constexpr double kSliceMs = 100;
constexpr int64_t kTrustNs = 50'000;  // how long an owner counts as alive after a check

struct Words {
  std::atomic<uint64_t> owner;
  std::atomic<uint64_t> seal;
};
static_assert(sizeof(Words) <= sizeof(RobustMutexStorage));

Words* WordsOf(RobustMutexStorage* storage) { return reinterpret_cast<Words*>(storage->bytes); }
const Words* WordsOf(const RobustMutexStorage* storage) { return reinterpret_cast<const Words*>(storage->bytes); }
const std::atomic<uint32_t>* FutexOf(const std::atomic<uint64_t>* owner) {
  return reinterpret_cast<const std::atomic<uint32_t>*>(owner);
}

// Whether a living thread holds the mutex, according to the word and the kernel. Threads read the state of a held mutex in loops,
// so the kernel is asked as rarely as possible.
bool OwnerLives(uint64_t word) {
  thread_local uint64_t trusted = 0;
  thread_local int64_t trusted_until = 0;
  const uint64_t owner = word & ~kWaiters;
  if (owner == 0 || (word & kOwnerDied) != 0) return false;
  const ThreadToken* const self = CurrentThread();
  if (self != nullptr && self->id == owner) return true;
  const int64_t now = Deadline::AfterMs(0).since_epoch_ns();
  if (owner == trusted && now < trusted_until) return true;
  if (HasEnded(owner)) return false;
  trusted = owner;
  trusted_until = now + kTrustNs;
  return true;
}

// Continues an attempt that has found `seen` in the word.
PROCSHARE_COLD MutexOutcome TryHeld(std::atomic<uint64_t>* owner, uint64_t seen, uint64_t self) {
  for (;;) {
    if (seen == 0) {
      if (owner->compare_exchange_strong(seen, self, std::memory_order_acquire)) return MutexOutcome::kAcquired;
    } else if ((seen & kOwnerDied) != 0) {
      if (owner->compare_exchange_strong(seen, self | (seen & kWaiters), std::memory_order_acquire)) {
        return MutexOutcome::kAbandoned;
      }
    } else if (OwnerLives(seen)) {
      return MutexOutcome::kBusy;
    } else if (owner->compare_exchange_strong(seen, kOwnerDied | (seen & kWaiters), std::memory_order_relaxed)) {
      seen = owner->load(std::memory_order_relaxed);
    }
  }
}

// Sleeps until an attempt may succeed, or for a slice.
void SleepOnOwner(std::atomic<uint64_t>* owner, Deadline deadline) {
  uint64_t seen = owner->load(std::memory_order_relaxed);  // relaxed, here and below: the try that follows orders enough
  if (seen == 0 || (seen & kOwnerDied) != 0) return;
  const bool marked = (seen & kWaiters) != 0;
  if (!marked && !owner->compare_exchange_strong(seen, seen | kWaiters, std::memory_order_relaxed)) return;
  const ThreadToken* const self = CurrentThread();
  const uint64_t id = seen & ~kWaiters;
  bool ended = false;
  // A thread would get its own mutex at once, because it owns it.
  Handle life = self != nullptr && self->id == id ? Handle() : OpenLifeOf(id, &ended);
  if (ended) return;
  const bool last_slice = deadline.remaining_ns() <= kSliceMs * 1e6;
  const WaitTarget target = {FutexOf(owner), static_cast<uint32_t>(seen | kWaiters)};
  bool has_life = false;
  (void)SleepOnWords(&target, 1, last_slice ? deadline : Deadline::AfterMs(kSliceMs), life.get(), &has_life);
  if (has_life) ReleaseMutex(life.get());
}

}  // namespace

MutexKind DefaultMutexKind() { return MutexKind::kThreads; }
MutexKind MutexKindForAnyNamespace() { return MutexKind::kThreads; }  // there are no pid namespaces

bool RobustMutexInit(RobustMutexStorage* mutex, MutexKind) {
  WordsOf(mutex)->seal.store(kSeal, std::memory_order_relaxed);
  return true;
}

bool RobustMutexLooksSound(const RobustMutexStorage* mutex, const Members*) {
  return WordsOf(mutex)->seal.load(std::memory_order_relaxed) == kSeal;
}

MutexOutcome RobustMutexTryAcquire(RobustMutexStorage* mutex, Members*) {
  Words* const words = WordsOf(mutex);
  const ThreadToken* const self = CurrentThread();
  if (Unlikely(self == nullptr || words->seal.load(std::memory_order_relaxed) != kSeal)) return MutexOutcome::kBroken;
  uint64_t seen = words->owner.load(std::memory_order_relaxed);
  if (Likely(seen == 0) && words->owner.compare_exchange_strong(seen, self->id, std::memory_order_acquire)) {
    return MutexOutcome::kAcquired;
  }
  return TryHeld(&words->owner, seen, self->id);
}

MutexOutcome RobustMutexAcquire(RobustMutexStorage* mutex, Members*, Deadline deadline) {
  MutexOutcome outcome = RobustMutexTryAcquire(mutex, nullptr);
  if (outcome != MutexOutcome::kBusy) return outcome;
  std::atomic<uint64_t>* const owner = &WordsOf(mutex)->owner;
  do {
    if (deadline.passed()) return MutexOutcome::kBusy;
    SleepOnOwner(owner, deadline);
    outcome = RobustMutexTryAcquire(mutex, nullptr);
  } while (outcome == MutexOutcome::kBusy);
  if (outcome != MutexOutcome::kBroken) owner->fetch_or(kWaiters, std::memory_order_relaxed);  // R4
  return outcome;
}

void RobustMutexRelease(RobustMutexStorage* mutex, Members*) {
  std::atomic<uint64_t>* const owner = &WordsOf(mutex)->owner;
  const uint64_t before = owner->exchange(0, std::memory_order_seq_cst);
  FullFenceAfterExchange();
  if (Unlikely((before & kWaiters) != 0)) FutexWake(FutexOf(owner), 1);
}

MutexState RobustMutexPeek(const RobustMutexStorage* mutex, Members*) {
  const uint64_t word = WordsOf(mutex)->owner.load(std::memory_order_relaxed);
  if (word == 0) return MutexState::kFree;
  return OwnerLives(word) ? MutexState::kHeld : MutexState::kOwnerDied;
}

bool RobustMutexIsHeldByThisThread(const RobustMutexStorage* mutex, const Members*) {
  const ThreadToken* const self = CurrentThread();
  const uint64_t word = WordsOf(mutex)->owner.load(std::memory_order_relaxed);
  return self != nullptr && (word & ~kWaiters) == self->id;
}

uint32_t RobustMutexAbi(MutexKind) {
  constexpr uint32_t kLibrary = 16;  // the number of Windows
  return kLibrary << 16 | static_cast<uint32_t>(sizeof(void*)) << 8 | static_cast<uint32_t>(sizeof(Words));
}

}  // namespace procshare
