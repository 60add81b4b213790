// The mutex has the number of its owner, a member of the memory. The system can tell in every pid namespace whether a member
// lives.
//
//   word    63                          32   31        30          29                      0
//           | member, bits 30 and above    | kWaiters | kOwnerDied | member, bits 0 to 29  |      0: free
//
//   O1  Only the word decides. One compare-and-swap takes the mutex and stores the owner, so no kill can fall in between. One
//       exchange releases it. Of many concurrent attempts one succeeds, because the compare-and-swap is atomic.
//   O2  The number of a member is never given to another one, and a member that has ended never comes back. So no process can
//       store the word of a dead member again. The compare-and-swap that replaces exactly this word by kOwnerDied is never too
//       late (no ABA), and a second one does no harm.
//   O3  A mutex with kOwnerDied is taken like a free one, by one compare-and-swap, so exactly one owner gets kAbandoned. A new owner that
//       is killed afterwards is a dead owner like any other.
//   O4  A member is one environment, and its thread takes the mutex. A waiting thread of the environment takes it under the same
//       number. The compare-and-swap excludes the two from each other, as any two owners. An environment that ends releases its
//       mutexes before it stops being a member.
//
// The next owner sees all that a dead owner has written: the kernel drops the file locks of a process after its last store, and
// the query comes after that. Release and acquire of the word order everything else; the release is a full fence in the sense of
// platform/fence.h.
//
// Sleepers sleep on the lower half of the word, as those of a futex mutex do. They set kWaiters. The release clears it with the
// rest of the word and wakes one sleeper. A sleeper that gets the mutex sets it again for others that may still sleep. (C++ does
// not define accesses of two sizes to one word. The half is only compared, by the kernel or by a polling loop.)
//
// Each attempt queries whether the owner lives, and so does each sleeper after a slice of 10 to 50 ms. Threads that only read the
// state in a loop make one query per kAskEveryMs, in all processes together.
//
// Damaged bytes: a word that names no living member counts as ownerless; one that names a living member, as owned by it.

#include "platform/posix/member_mutex.h"

#include <algorithm>
#include <atomic>

#include "platform/fence.h"
#include "platform/futex.h"

namespace procshare {
namespace {

constexpr uint64_t kWaiters = 1u << 31;
constexpr uint64_t kOwnerDied = 1u << 30;
constexpr int kLowBits = 30;
constexpr uint64_t kLow = kOwnerDied - 1;
constexpr uint32_t kKind = 0x62654d72;  // "rMeb"
constexpr uint32_t kLibrary = 4;        // of no C library
constexpr uint32_t kAskEveryMs = 2;
constexpr double kFirstSliceMs = 10;
constexpr double kMaxSliceMs = 50;

struct Cell {
  std::atomic<uint64_t> word;
  std::atomic<uint32_t> kind;      // written once; by it damaged bytes are recognised
  std::atomic<uint32_t> asked_at;  // when the last query was made whether the owner lives: milliseconds, a hint
};
static_assert(sizeof(Cell) <= sizeof(RobustMutexStorage) && alignof(Cell) <= alignof(RobustMutexStorage));
static_assert(std::atomic<uint64_t>::is_always_lock_free);

Cell* CellOf(RobustMutexStorage* storage) { return reinterpret_cast<Cell*>(storage->bytes); }
const Cell* CellOf(const RobustMutexStorage* storage) { return reinterpret_cast<const Cell*>(storage->bytes); }

const std::atomic<uint32_t>* SleepWord(const Cell* cell) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the lower half comes first");
  return reinterpret_cast<const std::atomic<uint32_t>*>(&cell->word);
}

uint64_t WordOf(uint64_t member) { return (member & kLow) | (member >> kLowBits) << 32; }
uint64_t MemberIn(uint64_t word) { return (word & kLow) | (word >> 32) << kLowBits; }
bool IsHeld(uint64_t word) { return (word & kOwnerDied) == 0 && MemberIn(word) != 0; }

// Replaces the word of a dead owner (O2).
void MarkOwnerDied(Cell* cell, uint64_t word) {
  // acq_rel: the successor sees what this caller has seen.
  if (!cell->word.compare_exchange_strong(word, kOwnerDied | (word & kWaiters), std::memory_order_acq_rel)) return;
  if ((word & kWaiters) != 0) FutexWake(SleepWord(cell), 1);
}

// Whether this caller, of all threads that read the state in a loop, makes the query now.
bool IsTimeToAsk(Cell* cell) {
  const auto now = static_cast<uint32_t>(Deadline::AfterMs(0).since_epoch_ns() / 1'000'000);
  uint32_t asked_at = cell->asked_at.load(std::memory_order_relaxed);
  // A damaged time gives a large difference, and so leads to a query.
  return now - asked_at >= kAskEveryMs && cell->asked_at.compare_exchange_strong(asked_at, now, std::memory_order_relaxed);
}

// Sleeps until an attempt may succeed, or until the deadline.
void Sleep(Cell* cell, Deadline deadline) {
  uint64_t seen = cell->word.load(std::memory_order_relaxed);  // relaxed, here and below: the try that follows orders enough
  if (!IsHeld(seen)) return;
  const bool marked = (seen & kWaiters) != 0;
  if (!marked && !cell->word.compare_exchange_strong(seen, seen | kWaiters, std::memory_order_relaxed)) return;
  (void)FutexWait(SleepWord(cell), static_cast<uint32_t>(seen | kWaiters), deadline);
}

}  // namespace

void MemberMutexInit(RobustMutexStorage* mutex) {
  CellOf(mutex)->kind.store(kKind, std::memory_order_relaxed);  // published with the memory that it lies in
}

bool MemberMutexLooksSound(const RobustMutexStorage* mutex) {
  return CellOf(mutex)->kind.load(std::memory_order_relaxed) == kKind;
}

MutexOutcome MemberMutexTryAcquire(RobustMutexStorage* mutex, Members* owners) {
  Cell* const cell = CellOf(mutex);
  const uint64_t self = owners->self();
  if (Unlikely(self == 0 || !MemberMutexLooksSound(mutex))) return MutexOutcome::kBroken;
  uint64_t seen = cell->word.load(std::memory_order_relaxed);
  for (;;) {
    if (IsHeld(seen)) {
      if (owners->IsMember(MemberIn(seen))) return MutexOutcome::kBusy;
      MarkOwnerDied(cell, seen);
      seen = cell->word.load(std::memory_order_relaxed);
      continue;
    }
    const uint64_t waiters = seen & kWaiters;
    // acquire: pairs with the release of the last owner, or of the thread that marked it as ownerless (O1, O3).
    if (cell->word.compare_exchange_strong(seen, WordOf(self) | waiters, std::memory_order_acquire,
                                           std::memory_order_relaxed)) {
      return (seen & ~kWaiters) == 0 ? MutexOutcome::kAcquired : MutexOutcome::kAbandoned;
    }
  }
}

MutexOutcome MemberMutexAcquire(RobustMutexStorage* mutex, Members* owners, Deadline deadline) {
  MutexOutcome outcome = MemberMutexTryAcquire(mutex, owners);
  if (outcome != MutexOutcome::kBusy) return outcome;
  Cell* const cell = CellOf(mutex);
  double slice_ms = kFirstSliceMs;
  do {
    if (deadline.passed()) return MutexOutcome::kBusy;
    // A release wakes one sleeper and relies on it to take the mutex. If that sleeper is killed before, the others stay asleep.
    // Nothing wakes a sleeper when the owner dies. At the end of a slice the thread checks both.
    Sleep(cell, Deadline::Earlier(deadline, Deadline::AfterMs(slice_ms)));
    slice_ms = std::min(slice_ms * 2, kMaxSliceMs);
    outcome = MemberMutexTryAcquire(mutex, owners);
  } while (outcome == MutexOutcome::kBusy);
  // The release that woke this thread has cleared kWaiters. There may be other sleepers, of which the next release has to wake
  // one.
  if (outcome != MutexOutcome::kBroken) cell->word.fetch_or(kWaiters, std::memory_order_relaxed);
  return outcome;
}

void MemberMutexRelease(RobustMutexStorage* mutex) {
  Cell* const cell = CellOf(mutex);
  const uint64_t word = cell->word.exchange(0, std::memory_order_release);  // pairs with the acquire in TryAcquire
  FullFenceAfterExchange();
  if (Unlikely((word & kWaiters) != 0)) FutexWake(SleepWord(cell), 1);
}

MutexState MemberMutexPeek(const RobustMutexStorage* mutex, Members* owners) {
  const uint64_t word = CellOf(mutex)->word.load(std::memory_order_relaxed);
  if (!IsHeld(word)) return (word & ~kWaiters) == 0 ? MutexState::kFree : MutexState::kOwnerDied;
  // A read that finds a dead owner marks it, as the kernel would: the attempt that follows needs no query.
  Cell* const cell = CellOf(const_cast<RobustMutexStorage*>(mutex));
  if (!IsTimeToAsk(cell) || owners->IsMember(MemberIn(word))) return MutexState::kHeld;
  MarkOwnerDied(cell, word);
  return MutexState::kOwnerDied;
}

uint32_t MemberMutexAbi() {
  return kLibrary << 16 | static_cast<uint32_t>(sizeof(void*)) << 8 | static_cast<uint32_t>(sizeof(Cell));
}

}  // namespace procshare
