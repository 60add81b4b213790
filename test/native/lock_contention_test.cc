// Many threads and processes contend for one lock. Counts are exact, pairs are never seen half-changed, and every sleeper is
// woken. Except in the test of killed processes no process is killed here, so a sleeper needs no heartbeat, and has none.
//
// Threads share one mapping, because a thread sanitizer needs that. Each process has its own mapping, at its own address.

#include <sys/mman.h>

#include <atomic>
#include <cstdio>
#include <thread>
#include <vector>

#include "awaiting.h"
#include "check.h"
#include "child_process.h"
#include "lock_at.h"
#include "mutex_words.h"
#include "platform/futex.h"
#include "private_memory.h"
#include "shm/segment.h"
#include "shm/shared_lock.h"
#include "thread_members.h"

namespace procshare::testing {
namespace {

constexpr double kForgottenMs = 10'000;  // a sleeper that was not woken for this long is forgotten
constexpr uint32_t kTurns = kThreadSanitizer ? 10'000 : 200'000;

// The data that the lock protects. Plain variables: no atomic hides a missing lock.
struct Protected {
  uint64_t counter = 0;
  uint64_t left = 0;
  uint64_t right = ~uint64_t{0};

  void Change(uint64_t turn) {
    CHECK_EQ(left, ~right);
    counter += 1;
    left = counter * 0x9e3779b97f4a7c15 + turn;
    right = ~left;
  }
};

enum class Manner : uint8_t { kBlocking, kWithDeadline, kTrying, kAsynchronous };
constexpr Manner kManners[] = {Manner::kBlocking, Manner::kAsynchronous, Manner::kWithDeadline, Manner::kTrying};

void AcquireAsynchronously(SharedLock lock) {
  uint32_t expected;
  while (TryAcquireOrAwait(&lock, 1, &expected) != MutexOutcome::kAcquired) {
    // A spurious wake-up, or a faster competitor, leads to another attempt.
    CHECK(FutexWait(lock.release_word(), expected, Deadline::AfterMs(kForgottenMs)) != WaitOutcome::kTimedOut);
  }
}

void Acquire(SharedLock lock, Manner manner) {
  const Deadline deadline = Deadline::AfterMs(kForgottenMs);
  switch (manner) {
    case Manner::kBlocking: CHECK_EQ(lock.Acquire(1, Deadline::Never()), MutexOutcome::kAcquired); return;
    case Manner::kWithDeadline:
      // Mostly too short on purpose: a timeout must not look like an acquisition.
      while (lock.Acquire(1, Deadline::AfterMs(0.05)) != MutexOutcome::kAcquired) CHECK(!deadline.passed());
      return;
    case Manner::kTrying:
      while (lock.TryAcquire(1) != MutexOutcome::kAcquired) {
        CHECK(!deadline.passed());
        sched_yield();
      }
      return;
    case Manner::kAsynchronous: AcquireAsynchronously(lock); return;
  }
}

void TakeTurns(SharedLock lock, Protected* data, Manner manner, uint32_t turns) {
  for (uint32_t turn = 0; turn < turns; ++turn) {
    Acquire(lock, manner);
    data->Change(turn);
    lock.Release();
  }
}

struct Arena {
  LockCell cell;
  Protected data;
  Rendezvous meeting;
};

void ExpectExact(const Arena& arena, uint64_t turns) {
  CHECK_EQ(arena.data.counter, turns);
  CHECK_EQ(SharedLock(const_cast<LockCell*>(&arena.cell), TestOwners()).Peek(), MutexState::kFree);
}

void InThreads(const std::vector<Manner>& manners, uint32_t turns) {
  const SharedScratch<Arena> arena;
  CHECK(SharedLock(&arena->cell, nullptr).Init(TestKind()));
  std::vector<std::thread> threads;
  const auto parties = static_cast<uint32_t>(manners.size());
  for (const Manner manner : manners) {
    threads.emplace_back([&, manner] {
      arena->meeting.Meet(parties);
      TakeTurns(SharedLock(&arena->cell, TestOwners()), &arena->data, manner, turns);
    });
  }
  for (std::thread& thread : threads) thread.join();
  ExpectExact(*arena, uint64_t{turns} * parties);
}

void ThreadsOfAllManners() { InThreads({std::begin(kManners), std::end(kManners)}, kTurns); }

void ThreadsThatBlock() { InThreads({4, Manner::kBlocking}, kTurns); }

void ThreadsThatAwait() { InThreads({4, Manner::kAsynchronous}, kTurns); }

void BlockedAndAwaiting() {
  InThreads({Manner::kBlocking, Manner::kAsynchronous, Manner::kBlocking, Manner::kAsynchronous}, kTurns);
}

// The lock changes hands at each turn: all threads sleep for most of the time, and every release must wake a sleeper.
void ASleeperIsWokenByEveryRelease() {
  for (const Manner manner : {Manner::kAsynchronous, Manner::kBlocking}) {
    const SharedScratch<Arena> arena;
    SharedLock lock(&arena->cell, TestOwners());
    CHECK(lock.Init(TestKind()));
    constexpr uint32_t kHandovers = kThreadSanitizer ? 500 : 2000;
    std::atomic<uint32_t> next{0};
    const auto take_every_other = [&](uint32_t mine) {
      for (; mine < kHandovers; mine += 2) {
        for (bool was_mine = false; !was_mine;) {
          Acquire(lock, manner);
          was_mine = next == mine;
          if (was_mine) {
            arena->data.Change(mine);
            next = mine + 1;
          }
          lock.Release();
        }
      }
    };
    std::thread other([&] { take_every_other(1); });
    take_every_other(0);
    other.join();
    ExpectExact(*arena, kHandovers);
  }
}

// After each abandoned release exactly one acquisition, the next one, returns `abandoned`.
void EveryAbandonmentIsToldOnce() {
  struct Told {
    LockCell cell;
    uint64_t given_up = 0;  // under the lock
    uint64_t told = 0;
    bool pending = false;
  };
  const SharedScratch<Told> told;
  SharedLock lock(&told->cell, TestOwners());
  CHECK(lock.Init(TestKind()));
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      for (uint32_t turn = 0; turn < kTurns / 4; ++turn) {
        MutexOutcome outcome = MutexOutcome::kBusy;
        while (outcome == MutexOutcome::kBusy) {
          uint32_t expected = 0;
          outcome = i % 2 == 0 ? lock.Acquire(1, Deadline::Never()) : TryAcquireOrAwait(&lock, 1, &expected);
          if (outcome != MutexOutcome::kBusy) break;
          CHECK(FutexWait(lock.release_word(), expected, Deadline::AfterMs(kForgottenMs)) != WaitOutcome::kTimedOut);
        }
        CHECK_EQ(outcome == MutexOutcome::kAbandoned, told->pending);
        told->told += told->pending;
        told->pending = turn % 3 == 0;
        told->given_up += told->pending;
        if (told->pending) {
          lock.ReleaseAbandoned();
        } else {
          lock.Release();
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const MutexOutcome last = lock.TryAcquire(1);
  told->told += last == MutexOutcome::kAbandoned;
  CHECK_EQ(told->told, told->given_up);
  lock.Release();
}

void InProcesses(const std::vector<Manner>& manners, uint32_t turns) {
  const std::string name = TestName("contention");
  SegmentSpec spec;
  spec.payload_bytes = sizeof(Protected);
  spec.cells_bytes = sizeof(LockCell);
  spec.any_namespace = TestKind() == MutexKind::kMembers;
  Result<Segment> created = Segment::Create(name, spec);
  CHECK(created.ok());
  Segment& segment = created.value();
  CHECK(SharedLock(LockAt(segment, 0), nullptr).Init(segment.mutex_kind()));
  Protected* const data = new (segment.payload()) Protected();
  CHECK(segment.Publish().ok());
  const SharedScratch<Arena> arena;
  std::vector<Child> children;
  const auto parties = static_cast<uint32_t>(manners.size());
  for (const Manner manner : manners) {
    children.emplace_back([&, manner](const Channel&) {
      const Result<Segment> attached = Segment::Attach(name, false, false);
      CHECK(attached.ok());
      CHECK(attached.value().payload() != segment.payload());
      arena->meeting.Meet(parties);
      TakeTurns(SharedLock(LockAt(attached.value(), 0), TestOwners()),
                reinterpret_cast<Protected*>(attached.value().payload()), manner, turns);
    });
  }
  for (Child& child : children) child.ExpectEnd();
  CHECK_EQ(data->counter, uint64_t{turns} * parties);
  CHECK_EQ(SharedLock(LockAt(segment, 0), TestOwners()).Peek(), MutexState::kFree);
}

void ProcessesOfAllManners() { InProcesses({std::begin(kManners), std::end(kManners)}, kTurns); }

void ProcessesThatAwait() { InProcesses({4, Manner::kAsynchronous}, kTurns); }

void ProcessesThatBlock() { InProcesses({4, Manner::kBlocking}, kTurns); }

// Kills of other processes do not affect exactness: each turn is counted before the lock is released.
void ExactInSpiteOfKills() {
  constexpr uint32_t kWorkers = 3;
  constexpr int kKills = 60;
  struct Ledger {
    LockCell cell;
    uint64_t counter = 0;           // under the lock, and
    uint64_t turns[kWorkers] = {};  // so is this: equal sums but for turns that were cut short
    std::atomic<uint64_t> abandoned{0};
  };
  const SharedScratch<Ledger> ledger;
  CHECK(SharedLock(&ledger->cell, nullptr).Init(TestKind()));
  const auto work = [&](uint32_t index) {
    SharedLock lock(&ledger->cell, TestOwners());
    for (;;) {
      MutexOutcome outcome;
      uint32_t expected;
      while ((outcome = TryAcquireOrAwait(&lock, 1, &expected)) == MutexOutcome::kBusy) {
        (void)FutexWait(lock.release_word(), expected, Deadline::AfterMs(5));
      }
      // The previous owner may have died between the two additions: completes its change.
      if (outcome == MutexOutcome::kAbandoned) {
        ++ledger->abandoned;
        uint64_t sum = 0;
        for (const uint64_t turns : ledger->turns) sum += turns;
        CHECK(ledger->counter == sum || ledger->counter == sum + 1);
        ledger->counter = sum;
      } else {
        CHECK(outcome == MutexOutcome::kAcquired);
      }
      ledger->counter += 1;
      // Long enough for most of the killed to die here.
      for (int i = 0; i < 20'000; ++i) std::atomic_signal_fence(std::memory_order_seq_cst);
      ledger->turns[index] += 1;
      lock.Release();
    }
  };
  std::vector<Child> workers;
  const auto start = [&](uint32_t index) { workers.emplace_back([&, index](const Channel&) { work(index); }); };
  for (uint32_t i = 0; i < kWorkers; ++i) start(i);
  SharedLock lock(&ledger->cell, TestOwners());
  for (int kill = 0; kill < kKills; ++kill) {
    const Deadline deadline = Deadline::AfterMs(kForgottenMs);
    const auto progress = [&] { return ledger->abandoned + ledger->cell.release_word; };
    for (const uint64_t before = progress(); progress() < before + 20;) {
      CHECK(!deadline.passed());
      sched_yield();
    }
    workers[static_cast<size_t>(kill) % workers.size()].Kill();
    // A new process replaces a killed one. The vector only grows, because a dead child costs nothing.
    start(static_cast<uint32_t>(kill) % kWorkers);
  }
  for (Child& worker : workers) worker.Kill();
  const MutexOutcome outcome = lock.Acquire(1, Deadline::AfterMs(100));
  CHECK(outcome == MutexOutcome::kAcquired || outcome == MutexOutcome::kAbandoned);
  uint64_t sum = 0;
  for (const uint64_t turns : ledger->turns) sum += turns;
  CHECK(ledger->counter == sum || (outcome == MutexOutcome::kAbandoned && ledger->counter == sum + 1));
  lock.Release();
  printf("     %llu turns, %llu times abandoned\n", static_cast<unsigned long long>(sum),
         static_cast<unsigned long long>(ledger->abandoned.load()));
  CHECK(ledger->abandoned > 0);
}

// A wait for a lock that stays held ends at the deadline, not before, and has no effect.
void ATakenLockIsGivenUpAtTheDeadline() {
  const SharedScratch<Arena> arena;
  SharedLock lock(&arena->cell, TestOwners());
  CHECK(lock.Init(TestKind()));
  CHECK_EQ(lock.Acquire(7, Deadline::AfterMs(0)), MutexOutcome::kAcquired);  // a free lock needs no time
  std::thread([&] {
    for (const double ms : {0.0, 0.5, 12.0, 130.0}) {
      const Deadline deadline = Deadline::AfterMs(ms);
      const Stopwatch watch;
      CHECK_EQ(lock.Acquire(1, deadline), MutexOutcome::kBusy);
      CHECK(deadline.passed());
      CHECK(watch.ms() < ms + 1000);
    }
    uint32_t expected;
    CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kBusy);
    CHECK_EQ(TryAcquireOrAwait(&lock, 1, &expected), MutexOutcome::kBusy);
    CHECK_EQ(FutexWait(lock.release_word(), expected, Deadline::AfterMs(1)), WaitOutcome::kTimedOut);
    CHECK_EQ(lock.owner(), 7);
  }).join();
  CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kBusy);  // not recursive
  lock.Release();
  CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kAcquired);
  lock.Release();
}

// A waiter that has waited for long reserves the next turn. Getting the lock uses the reservation up, also when the previous
// owner died.
void AnAbandonedLockIsATurn() {
  const SharedScratch<Arena> arena;
  SharedLock lock(&arena->cell, TestOwners());
  CHECK(lock.Init(TestKind()));
  std::atomic<bool> held{false}, asked{false};
  std::thread owner([&] {
    CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kAcquired);
    held = true;
    while (!asked) std::this_thread::yield();
  });
  while (!held) std::this_thread::yield();
  std::thread waiter([&] {
    CHECK_EQ(lock.Acquire(2, Deadline::AfterMs(kForgottenMs)), MutexOutcome::kAbandoned);
    lock.Release();
  });
  while (arena->cell.reserved_for != 2) std::this_thread::yield();
  asked = true;
  owner.join();
  waiter.join();
  CHECK_EQ(lock.TryAcquire(3), MutexOutcome::kAcquired);
  lock.Release();
}

// A wake-up costs a system call. It is made only when a waiter was announced, and once per announcement.
void NobodyIsWokenForNothing() {
  const SharedScratch<Arena> arena;
  SharedLock lock(&arena->cell, TestOwners());
  CHECK(lock.Init(TestKind()));
  for (int i = 0; i < 100; ++i) {
    CHECK_EQ(lock.Acquire(1, Deadline::Never()), MutexOutcome::kAcquired);
    lock.Release();
  }
  CHECK_EQ(arena->cell.release_word.load(), 0);
  CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kAcquired);
  uint32_t expected;
  CHECK_EQ(TryAcquireOrAwait(&lock, 1, &expected), MutexOutcome::kBusy);
  CHECK_EQ(expected, 0);
  lock.Release();
  CHECK_EQ(arena->cell.release_word.load(), 1);
  CHECK_EQ(arena->cell.flags.load(), 0);
  CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kAcquired);
  lock.Release();
  CHECK_EQ(arena->cell.release_word.load(), 1);
}

// The mark of sleepers is cleared when one of several is woken. That one must set it again. Otherwise its own release wakes no
// sleeper, and the next one sleeps to the end of its slice.
void AWokenSleeperLeavesTheMarkForTheOthers() {
  if (OwnerIsMember()) return Skip("its mutex keeps no mark");
  LockCell cell;
  memset(static_cast<void*>(&cell), 0, sizeof cell);
  CHECK(SharedLock(&cell, nullptr).Init(MutexKind::kThreads));
  CHECK_EQ(RobustMutexTryAcquire(&cell.mutex, nullptr), MutexOutcome::kAcquired);
  std::atomic<bool> had{false};
  std::thread sleeper([&] {
    CHECK_EQ(RobustMutexAcquire(&cell.mutex, nullptr, Deadline::AfterMs(kPatienceMs)), MutexOutcome::kAcquired);
    CHECK(HasSleepers(&cell));  // it cannot tell whether there are others
    had = true;
    RobustMutexRelease(&cell.mutex, nullptr);
  });
  Eventually([&] { return HasSleepers(&cell); });  // it sleeps, or is about to
  RobustMutexRelease(&cell.mutex, nullptr);
  sleeper.join();
  CHECK(had.load());
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  UsePrivateMemoryIfPossible();
  const Test tests[] = {
      {"threads of all manners", ThreadsOfAllManners},
      {"threads that block", ThreadsThatBlock},
      {"threads that await", ThreadsThatAwait},
      {"blocked and awaiting", BlockedAndAwaiting},
      {"a sleeper is woken by every release", ASleeperIsWokenByEveryRelease},
      {"every abandonment is told once", EveryAbandonmentIsToldOnce},
      {"processes of all manners", ProcessesOfAllManners},
      {"processes that await", ProcessesThatAwait},
      {"processes that block", ProcessesThatBlock},
      {"exact in spite of kills", ExactInSpiteOfKills},
      {"a taken lock is given up at the deadline", ATakenLockIsGivenUpAtTheDeadline},
      {"an abandoned lock is a turn as any other", AnAbandonedLockIsATurn},
      {"nobody is woken for nothing", NobodyIsWokenForNothing},
      {"a woken sleeper leaves the mark for the others", AWokenSleeperLeavesTheMarkForTheOthers},
  };
  return RunTests(argc, argv, tests);
}
