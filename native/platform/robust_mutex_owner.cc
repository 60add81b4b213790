// Robust mutexes where the kernel has none (macOS): the mutex says who owns it, and those who want it find out whether that
// process still lives.
//
//   word    63             32   31        30          29     0
//           | owner's start   | kWaiters | kOwnerDied | pid  |      0: free
//
//   O1  Only the word decides. Taking is one compare-and-swap that says who takes, so no kill can fall between the two;
//       releasing is one exchange. Of many who try at once one succeeds: mutual exclusion is that of the compare-and-swap.
//   O2  A pid is reused, a pid with the time at which its process started is not. An owner is dead when there is no such
//       process, or one that started at another time, or one of which no thread runs any more. Then nobody can ever put
//       its word there again, so the compare-and-swap that replaces exactly this word by kOwnerDied is never too late (no
//       ABA), and doing it twice does no harm.
//   O3  kOwnerDied is taken like a free mutex: by one compare-and-swap, so exactly one is told. A new owner that is killed
//       thereafter is a dead owner like any other.
//   O4  A thread knows what it holds. When it ends, it replaces its words by kOwnerDied itself (the process lives on, and
//       others could not tell). The list is private: nothing in shared memory is ever followed.
//
// What a dead owner had written is seen by its successor: the kernel ends a process after its last store, and the question
// whether it lives is asked after that. Release and acquire of the word order everything else; the release is a full fence
// in the sense of platform/fence.h.
//
// Sleepers sleep on the lower half of the word, as those of a futex mutex do: they set kWaiters, the release takes it away
// with the rest and wakes one, and who has slept sets it again for those who may sleep still. (Two sizes of access to one
// word are beyond the letter of C++; the half is only compared, by the kernel or by the loop that stands in for it.)
//
// How soon a death is noticed: nobody is told, so those who want the mutex ask, in each attempt and before and after each
// sleep of 10 to 50 ms, but not more than once in kAskEveryMs for all processes together, for asking takes longer than a
// lock and unlock. An attempt within that time after another one finds the dead owner's mutex busy.
//
// Bytes that others have damaged: no pid or kOwnerDied counts as ownerless; a foreign word as held by whomever it names, or
// ownerless if it names nobody. Not noticed: a program that replaces itself by exec(2) holding a mutex.

#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "platform/fence.h"
#include "platform/futex.h"
#include "platform/process_identity.h"
#include "platform/robust_mutex.h"

namespace procshare {
namespace {

constexpr uint64_t kWaiters = 1u << 31;
constexpr uint64_t kOwnerDied = 1u << 30;
constexpr uint64_t kPid = kOwnerDied - 1;
constexpr uint32_t kKind = 0x6e774f72;  // "rOwn"
constexpr uint32_t kLibrary = 3;        // 1 and 2 are those of robust_mutex_posix.cc
constexpr uint32_t kAskEveryMs = 2;
constexpr double kFirstSliceMs = 10;
constexpr double kLongestSliceMs = 50;

struct Cell {
  std::atomic<uint64_t> word;
  std::atomic<uint32_t> kind;      // written once; by it damaged bytes are recognised
  std::atomic<uint32_t> asked_at;  // when somebody last asked whether the owner lives: milliseconds, a hint
};
static_assert(sizeof(Cell) <= sizeof(RobustMutexStorage) && alignof(Cell) <= alignof(RobustMutexStorage));
static_assert(std::atomic<uint64_t>::is_always_lock_free);

Cell* CellOf(RobustMutexStorage* storage) { return reinterpret_cast<Cell*>(storage->bytes); }
const Cell* CellOf(const RobustMutexStorage* storage) { return reinterpret_cast<const Cell*>(storage->bytes); }

const std::atomic<uint32_t>* SleepWord(const Cell* cell) {
  static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the lower half comes first");
  return reinterpret_cast<const std::atomic<uint32_t>*>(&cell->word);
}

bool IsHeld(uint64_t word) { return (word & kPid) != 0 && (word & kOwnerDied) == 0; }

// Replaces the word of an owner that is no more; false when it was another word already (O2).
bool MakeOwnerless(Cell* cell, uint64_t word) {
  // acq_rel: a thread that gives up publishes what it has written; whoever buries passes on what it has seen.
  if (!cell->word.compare_exchange_strong(word, kOwnerDied | (word & kWaiters), std::memory_order_acq_rel)) return false;
  if ((word & kWaiters) != 0) FutexWake(SleepWord(cell), 1);
  return true;
}

std::atomic<uint64_t> self{0};  // the word of this process as an owner

uint64_t Self() { return self.load(std::memory_order_relaxed); }

// What a thread holds (O4).
class Held {
 public:
  Held() { cells_.reserve(16); }
  ~Held() {
    for (Cell* cell : cells_) {
      uint64_t word = cell->word.load(std::memory_order_relaxed);
      while ((word & ~kWaiters) == Self() && !MakeOwnerless(cell, word)) word = cell->word.load(std::memory_order_relaxed);
    }
  }
  void Add(Cell* cell) { cells_.push_back(cell); }
  void Remove(Cell* cell) {
    const auto found = std::find(cells_.rbegin(), cells_.rend(), cell);  // most often the last one
    if (found != cells_.rend()) cells_.erase(std::next(found).base());
  }
  void Forget() { cells_.clear(); }

 private:
  std::vector<Cell*> cells_;
};
thread_local Held held;

void Identify() {
  const ProcessIdentity process = CurrentProcess();
  self.store(process.start_time << 32 | process.pid, std::memory_order_relaxed);
}

// A forked child is another process and holds nothing.
[[gnu::noinline, gnu::cold]] uint64_t FirstSelf() {
  static const bool once = [] {
    Identify();
    pthread_atfork(nullptr, nullptr, [] {
      held.Forget();
      Identify();
    });
    return true;
  }();
  (void)once;
  return Self();
}

uint64_t WordOfThisProcess() {
  const uint64_t word = Self();
  return __builtin_expect(word != 0, 1) ? word : FirstSelf();
}

// Whether this caller is the one to ask now.
bool IsTimeToAsk(Cell* cell) {
  const auto now = static_cast<uint32_t>(Deadline::AfterMs(0).since_epoch_ns() / 1'000'000);
  uint32_t asked_at = cell->asked_at.load(std::memory_order_relaxed);
  // The difference of what another process has damaged is a large one: then we ask.
  return now - asked_at >= kAskEveryMs && cell->asked_at.compare_exchange_strong(asked_at, now, std::memory_order_relaxed);
}

// Looks at a mutex that is held; true when its owner was dead, and the mutex is ownerless now or was until a moment ago.
[[gnu::noinline, gnu::cold]] bool Bury(Cell* cell, uint64_t word) {
  if ((word & ~kWaiters) == WordOfThisProcess() || !IsTimeToAsk(cell)) return false;
  if (!ProcessHasEnded(static_cast<uint32_t>(word & kPid), static_cast<uint32_t>(word >> 32))) return false;
  (void)MakeOwnerless(cell, word);
  return true;
}

// Sleeps until the mutex is worth a try, or for a slice.
void Sleep(Cell* cell, Deadline deadline) {
  uint64_t seen = cell->word.load(std::memory_order_relaxed);  // relaxed, here and below: the try that follows orders enough
  if (!IsHeld(seen)) return;
  const bool marked = (seen & kWaiters) != 0;
  if (!marked && !cell->word.compare_exchange_strong(seen, seen | kWaiters, std::memory_order_relaxed)) return;
  (void)FutexWait(SleepWord(cell), static_cast<uint32_t>(seen | kWaiters), deadline);
}

}  // namespace

bool RobustMutexInit(RobustMutexStorage* mutex) {
  CellOf(mutex)->kind.store(kKind, std::memory_order_relaxed);  // published with the memory that it lies in
  return true;
}

bool RobustMutexLooksSound(const RobustMutexStorage* mutex) {
  return CellOf(mutex)->kind.load(std::memory_order_relaxed) == kKind;
}

MutexOutcome RobustMutexTryAcquire(RobustMutexStorage* mutex) {
  Cell* const cell = CellOf(mutex);
  if (__builtin_expect(!RobustMutexLooksSound(mutex), 0)) return MutexOutcome::kBroken;
  uint64_t seen = cell->word.load(std::memory_order_relaxed);
  for (;;) {
    if (IsHeld(seen)) {
      if (!Bury(cell, seen)) return MutexOutcome::kBusy;
      seen = cell->word.load(std::memory_order_relaxed);
      continue;
    }
    const uint64_t waiters = seen & kWaiters;
    // acquire: pairs with the release of the last owner, or of whoever made it ownerless (O1, O3).
    if (cell->word.compare_exchange_strong(seen, WordOfThisProcess() | waiters, std::memory_order_acquire,
                                           std::memory_order_relaxed)) {
      held.Add(cell);
      return (seen & ~kWaiters) == 0 ? MutexOutcome::kAcquired : MutexOutcome::kAbandoned;
    }
  }
}

MutexOutcome RobustMutexAcquire(RobustMutexStorage* mutex, Deadline deadline) {
  MutexOutcome outcome = RobustMutexTryAcquire(mutex);
  if (outcome != MutexOutcome::kBusy) return outcome;
  Cell* const cell = CellOf(mutex);
  double slice_ms = kFirstSliceMs;
  do {
    if (deadline.passed()) return MutexOutcome::kBusy;
    // A release wakes one sleeper and relies on it to take the mutex; one that is killed before it does leaves the others
    // asleep. And nobody wakes us when the owner dies. The end of a slice is a new look at both.
    Sleep(cell, Deadline::Earlier(deadline, Deadline::AfterMs(slice_ms)));
    slice_ms = std::min(slice_ms * 2, kLongestSliceMs);
    outcome = RobustMutexTryAcquire(mutex);
  } while (outcome == MutexOutcome::kBusy);
  // The release that woke us took the mark away, and there may be other sleepers: our own release has to wake one of them.
  if (outcome != MutexOutcome::kBroken) cell->word.fetch_or(kWaiters, std::memory_order_relaxed);
  return outcome;
}

void RobustMutexRelease(RobustMutexStorage* mutex) {
  Cell* const cell = CellOf(mutex);
  held.Remove(cell);
  const uint64_t word = cell->word.exchange(0, std::memory_order_release);  // pairs with the acquire in TryAcquire
  FullFenceAfterExchange();
  if (__builtin_expect((word & kWaiters) != 0, 0)) FutexWake(SleepWord(cell), 1);
}

MutexState RobustMutexPeek(const RobustMutexStorage* mutex) {
  const uint64_t word = CellOf(mutex)->word.load(std::memory_order_relaxed);
  if (!IsHeld(word)) return (word & ~kWaiters) == 0 ? MutexState::kFree : MutexState::kOwnerDied;
  // A look that finds a dead owner notes it, as a kernel would: so that the attempt that follows need not ask again.
  const bool died = Bury(CellOf(const_cast<RobustMutexStorage*>(mutex)), word);
  return died ? MutexState::kOwnerDied : MutexState::kHeld;
}

uint32_t RobustMutexAbi() {
  return kLibrary << 16 | static_cast<uint32_t>(sizeof(void*)) << 8 | static_cast<uint32_t>(sizeof(Cell));
}

}  // namespace procshare
