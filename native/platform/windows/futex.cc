// Waiting on words across processes on Windows. A parking table for each piece of memory (parking_table.h) has the sleepers of
// its words. Each thread has one named event on which it sleeps, for any number of words of any memory.
//
// sleeper, for each of its words                    waker
//   s1  takes a place: waiter 0 -> its id             k0  has changed the word
//   s2  place.key = the word                          k1  full fence
//   s3  full fence                                    k2  for each place: key the word -> 0; that one is woken and counts
//   s4  the word is not what it should be: s6         k3  opens the event of place.waiter and sets it
//   s5  sleeps on its event, for a slice              k4    there is no such event: the thread has died, and does not count:
//   s6  key -> 0: was it 0 before? then woken               the place is freed
//   s7  waiter -> 0
//
//   F1  No wake-up is lost. s2 | s3 | s4 and k0 | k1 | k2 are Dekker's pattern: either the waker sees the key, or the sleeper
//       sees the change. The same order holds for the table itself. The kernel creates it, zeroed, before s1, so a waker that
//       finds no table at k2 came before that. `used` is raised in s1, so a waker that sees the key sees it within the bound.
//   F2  A wake-up counts once. The exchanges of k2 and s6 on one word decide whether the waker or the sleeper had the key. In the
//       first case the sleeper reports a wake-up, even if something else has ended its sleep.
//   F3  When a sleeper finds at s4 that it need not sleep, it passes a wake-up that it got on to another sleeper.
//   F4  k3 may come when the sleeper has left already. Then it spuriously ends the next sleep of that thread, or of another
//       thread that has the place now. That sleeper finds its keys in place and continues to sleep.
//
//   Killed sleeper  Its event ends with it, so k4 frees the place at the first wake. A place whose key is not entered yet, or was
//                   cleared already, is freed when the table is full.
//   Killed waker    Between k2 and k3 the sleeper is marked but its event is not set. It checks its places at the end of the
//                   slice.
//   Full table      The sleeper gets no place, and returns spuriously after a few milliseconds.
//
// A word in no mapping of shared memory (the kick of a waiting thread) has its places in the table of this process.

#include "platform/futex.h"

#include <algorithm>

#include "platform/windows/mapping_registry.h"
#include "platform/windows/parking.h"
#include "platform/windows/thread_token.h"

namespace procshare {
namespace {

constexpr size_t kMaxTargets = 128;
constexpr DWORD kSliceMs = 100;       // the longest delay of a sleeper by a killed waker
constexpr DWORD kWithoutPlaceMs = 2;  // the length of a sleep without a place in the table

// Rounded up, because a sleep that ends before its deadline would only begin again.
DWORD MsUntil(Deadline deadline, DWORD most) {
  const int64_t ns = deadline.remaining_ns();
  if (ns >= int64_t{most} * 1'000'000) return most;
  return static_cast<DWORD>((ns + 999'999) / 1'000'000);
}

// The places of one sleep.
class Places {
 public:
  explicit Places(const ThreadToken* thread) : thread_(thread) {}
  ~Places() { (void)Leave(); }
  Places(const Places&) = delete;
  Places& operator=(const Places&) = delete;

  // False when there is no place for the word.
  bool Add(const std::atomic<uint32_t>* word) {
    WordSite site = SiteOf(word, true);
    ParkingTable::Place* const place = site.table == nullptr ? nullptr : site.table->Claim(thread_->id);
    if (place == nullptr) return false;
    ParkingTable::Enter(place, site.key);
    places_[count_++] = {std::move(site), place};
    return true;
  }

  bool AnyWoken() const {
    for (size_t i = 0; i < count_; ++i) {
      if (places_[i].place->key.load(std::memory_order_acquire) == 0) return true;
    }
    return false;
  }

  // Gives all places back. True when any was woken. With `hand_on`, passes superfluous wake-ups on to other sleepers (F3).
  bool Leave(bool hand_on = false) {
    bool any = false;
    while (count_ > 0) {
      Entry entry = std::move(places_[--count_]);
      if (!ParkingTable::Leave(entry.place)) continue;
      any = true;
      if (hand_on) entry.site.table->Wake(entry.site.key, 1);
    }
    return any;
  }

 private:
  struct Entry {
    WordSite site;  // keeps the table
    ParkingTable::Place* place = nullptr;
  };
  const ThreadToken* const thread_;
  Entry places_[kMaxTargets];
  size_t count_ = 0;
};

bool AllHold(const WaitTarget* targets, size_t count) {
  return std::all_of(targets, targets + count, [](const WaitTarget& target) { return Holds(target.word, target.expected); });
}

}  // namespace

WaitOutcome SleepOnWords(const WaitTarget* targets, size_t count, Deadline deadline, HANDLE mutex, bool* has_mutex) {
  const ThreadToken* const thread = CurrentThread();
  if (thread == nullptr) {
    Sleep(kWithoutPlaceMs);
    return WaitOutcome::kWoken;
  }
  Places places(thread);
  bool seen = true;
  for (size_t i = 0; i < count; ++i) seen = places.Add(targets[i].word) && seen;
  std::atomic_thread_fence(std::memory_order_seq_cst);  // F1
  if (!AllHold(targets, count)) {
    (void)places.Leave(true);
    return WaitOutcome::kChanged;
  }
  const HANDLE handles[] = {thread->wake.get(), mutex};
  for (;;) {
    const DWORD ms = MsUntil(deadline, seen ? kSliceMs : kWithoutPlaceMs);
    const DWORD ended = WaitForMultipleObjects(mutex == nullptr ? 1 : 2, handles, FALSE, ms);
    if (ended == WAIT_OBJECT_0 + 1 || ended == WAIT_ABANDONED_0 + 1) {
      *has_mutex = true;
      return WaitOutcome::kWoken;
    }
    if (places.AnyWoken()) return WaitOutcome::kWoken;
    if (deadline.passed()) return places.Leave() ? WaitOutcome::kWoken : WaitOutcome::kTimedOut;
    if (!seen || ended == WAIT_FAILED) return WaitOutcome::kWoken;
  }
}

WaitOutcome FutexWait(const std::atomic<uint32_t>* word, uint32_t expected, Deadline deadline) {
  const WaitTarget target = {word, expected};
  return FutexWaitAny(&target, 1, deadline);
}

size_t MaxWaitTargets() { return kMaxTargets; }

WaitOutcome FutexWaitAny(const WaitTarget* targets, size_t count, Deadline deadline) {
  bool unused;
  return SleepOnWords(targets, count, deadline, nullptr, &unused);
}

int FutexWake(const std::atomic<uint32_t>* word, int count) {
  if (count <= 0) return 0;
  std::atomic_thread_fence(std::memory_order_seq_cst);  // F1
  const WordSite site = SiteOf(word, false);
  return site.table == nullptr ? 0 : site.table->Wake(site.key, count);
}

}  // namespace procshare
