// Many threads and processes use one object at once: nothing is lost or duplicated, and every waiter is woken.

#include <sched.h>

#include <algorithm>
#include <string>
#include <thread>
#include <vector>

#include "check.h"
#include "child_process.h"
#include "mortal_members.h"
#include "parking_at.h"
#include "shm/barrier.h"
#include "shm/event.h"
#include "shm/ring_queue.h"
#include "shm/semaphore.h"

namespace procshare::testing {
namespace {

constexpr uint64_t kParties = 4;
constexpr int kScale = kThreadSanitizer || kAddressSanitizer ? 1 : 5;
constexpr double kHeartbeatMs = 50;

template <class Body>
void InThreads(uint64_t count, const Body& body) {
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < count; ++i) threads.emplace_back([&body, i] { body(i); });
  for (std::thread& thread : threads) thread.join();
}

// Waits as the library does: announces itself, checks, sleeps; at a heartbeat calls `tend`. True when no heartbeat was needed.
template <class Look, class OnHeartbeat>
void Await(WakeWord* wake, const Look& look, const OnHeartbeat& on_heartbeat) {
  const Deadline deadline = Deadline::AfterMs(kPatienceMs);
  while (!look()) {
    CHECK(!deadline.passed());
    const uint32_t expected = AnnounceWaiter(wake);
    if (look()) return;
    if (FutexWait(&wake->word, expected, Deadline::AfterMs(kHeartbeatMs)) == WaitOutcome::kTimedOut) on_heartbeat();
  }
}

constexpr uint64_t kRecords = 8;
using SemaphoreStage = ObjectStage<sizeof(SemaphoreCell) + kRecords * sizeof(LedgerRecord)>;

void UnitsAreConserved(uint64_t records) {
  const SharedScratch<SemaphoreStage> stage;
  stage->Clear();
  auto* const cell = stage->cell<SemaphoreCell>();
  constexpr uint64_t kUnits = 2;
  CHECK(Semaphore::Init(cell, kUnits, kUnits, records, TestKind()));
  std::atomic<uint64_t> inside{0};
  InThreads(kParties, [&](uint64_t i) {
    Member<SemaphoreStage> member(&*stage, i + 1);
    Semaphore semaphore(cell, sizeof stage->bytes, &member);
    for (int turn = 0; turn < 1000 * kScale; ++turn) {
      while (semaphore.TryAcquire(1) != SemaphoreOutcome::kDone) {
        Await(
            semaphore.wake(), [&] { return semaphore.value() > 0; }, [&] { semaphore.ReapDead(); });
      }
      CHECK(inside.fetch_add(1) < kUnits);
      inside.fetch_sub(1);
      CHECK_EQ(semaphore.Release(1), SemaphoreOutcome::kDone);
    }
  });
  CHECK_EQ(cell->value.load(), kUnits);
}
void UnitsOfAPlainOne() { UnitsAreConserved(0); }
void UnitsOfARecoverableOne() { UnitsAreConserved(kRecords); }

// Processes are killed at any moment. The others continue, and in the end all units are there.
void UnitsSurviveKills() {
  const SharedScratch<SemaphoreStage> stage;
  stage->Clear();
  auto* const cell = stage->cell<SemaphoreCell>();
  constexpr uint64_t kUnits = 3;
  CHECK(Semaphore::Init(cell, kUnits, kUnits, kRecords, TestKind()));
  const auto work = [&](uint64_t number) {
    Member<SemaphoreStage> member(&*stage, number);
    Semaphore semaphore(cell, sizeof stage->bytes, &member);
    for (;;) {
      while (semaphore.TryAcquire(1) != SemaphoreOutcome::kDone) {
        Await(
            semaphore.wake(), [&] { return semaphore.value() > 0; }, [&] { semaphore.ReapDead(); });
      }
      CHECK_EQ(semaphore.Release(1), SemaphoreOutcome::kDone);
    }
  };
  Member<SemaphoreStage> member(&*stage, kMaxMembers - 1);
  Semaphore semaphore(cell, sizeof stage->bytes, &member);
  for (uint64_t round = 0; round < 15; ++round) {
    std::vector<Child> children;
    for (uint64_t i = 0; i < 3; ++i) {
      children.emplace_back([&, i](const Channel&) { work(1 + round * 3 + i); });
    }
    usleep(static_cast<useconds_t>(500 + round * 700));
    for (uint64_t i = 0; i < 3; ++i) {
      children[i].Kill();
      stage->alive[1 + round * 3 + i] = false;
      for (uint64_t unit = 0; i == 2 && unit < kUnits; ++unit) {
        CHECK_EQ(semaphore.TryAcquire(1), SemaphoreOutcome::kDone);
      }
    }
    CHECK_EQ(semaphore.TryAcquire(1), SemaphoreOutcome::kBusy);
    CHECK_EQ(semaphore.Release(kUnits), SemaphoreOutcome::kDone);
  }
}

// A setter sets and clears at once: every waiter from before the set notices it.
void AnEventThatIsClearedAtOnceIsNotMissed() {
  const SharedScratch<EventCell> cell;
  constexpr uint64_t kWaiters = 3;
  std::atomic<uint64_t> waiting{0}, told{0}, over{0};
  InThreads(kWaiters + 1, [&](uint64_t i) {
    Event event(&*cell);
    const uint64_t rounds = 300 * static_cast<uint64_t>(kScale);
    for (uint64_t round = 1; round <= rounds; ++round) {
      if (i == 0) {
        while (waiting < round * kWaiters) sched_yield();
        event.Set();
        event.Clear();
        while (told < round * kWaiters) sched_yield();
        over = round;
        continue;
      }
      const uint32_t ticket = event.ticket();
      ++waiting;
      Await(
          event.wake(), [&] { return event.Happened(ticket); }, [] {});
      ++told;
      while (over < round) sched_yield();  // a ticket of the next round is not drawn while it is set
    }
  });
}

// As many waits end as were unparked, in the end and at any time.
void ExactlySoManyWaitsEnd() {
  const SharedScratch<ParkingStage> stage;
  stage->Clear();
  InitParking(&*stage);
  constexpr uint64_t kKey = 8;
  std::atomic<uint64_t> unparked{0}, ended{0}, running{kParties};
  InThreads(kParties + 1, [&](uint64_t i) {
    if (i == 0) {
      while (running > 0) {
        unparked += ParkingSession(&*stage, kMaxMembers - 1)->Unpark(kKey, 2);
        sched_yield();
      }
      return;
    }
    for (int turn = 0; turn < 500 * kScale; ++turn) {
      LedgerRecord* const record = ParkingSession(&*stage, i)->Park(kKey);
      CHECK(record != nullptr);
      uint64_t outcome;
      bool over = turn % 3 == 0 && (ParkingSession(&*stage, i)->Cancel(kKey, &outcome) || true);
      if (over) continue;
      const Deadline deadline = Deadline::AfterMs(kPatienceMs);
      while (!over) {
        CHECK(!deadline.passed());
        const uint32_t expected = record->grant_word;
        over = ParkingSession(&*stage, i)->Take(kKey, &outcome);
        if (!over) (void)FutexWait(&record->grant_word, expected, Deadline::AfterMs(kHeartbeatMs));
      }
      ++ended;
    }
    --running;
  });
  CHECK(stage->cell<ParkingCell>()->ledger.used == 0);
  CHECK(ended <= unparked);  // waits that left were granted in between
}

using BarrierStage = ObjectStage<sizeof(BarrierCell) + kRecords * sizeof(LedgerRecord)>;

void ManyRoundsOfABarrier() {
  const SharedScratch<BarrierStage> stage;
  stage->Clear();
  CHECK(Barrier::Init(stage->cell<BarrierCell>(), kParties, kRecords, TestKind()));
  std::atomic<uint64_t> arrivals{0}, actions{0};
  const uint64_t rounds = 300 * static_cast<uint64_t>(kScale);
  InThreads(kParties, [&](uint64_t i) {
    Member<BarrierStage> member(&*stage, i + 1);
    Barrier barrier(stage->cell<BarrierCell>(), sizeof stage->bytes, &member);
    for (uint64_t round = 0; round < rounds; ++round) {
      ++arrivals;
      const bool acts = round % 2 == 0;
      Barrier::Arrival arrival = barrier.Arrive(acts);
      CHECK_EQ(arrival.generation, round);
      BarrierOutcome outcome = arrival.outcome;
      if (outcome == BarrierOutcome::kActs) {
        CHECK_EQ(arrivals.load(), (round + 1) * kParties);
        ++actions;
        outcome = barrier.Finish(round);
      }
      const Deadline deadline = Deadline::AfterMs(kPatienceMs);
      while (outcome == BarrierOutcome::kWaits) {
        CHECK(!deadline.passed());
        const uint32_t expected = arrival.record->grant_word;
        outcome = barrier.Take(round);
        if (outcome == BarrierOutcome::kWaits) {
          (void)FutexWait(&arrival.record->grant_word, expected, Deadline::AfterMs(kHeartbeatMs));
        }
      }
      CHECK_EQ(outcome, BarrierOutcome::kTripped);
      CHECK(arrivals >= (round + 1) * kParties);
    }
  });
  CHECK_EQ(actions.load(), rounds / 2);
}

constexpr uint64_t kCapacity = 128;
using QueueStage = ObjectStage<sizeof(QueueCell) + kCapacity>;

// Items of every length, so that records begin at every offset of the ring and go round its end. Each contains its producer and
// its number, and is filled with a byte that follows from these.
void ProducersAndConsumers() {
  const SharedScratch<QueueStage> stage;
  stage->Clear();
  constexpr uint64_t kMaxItems = 5;
  constexpr uint64_t kProducers = 2;
  CHECK(RingQueue::Init(stage->cell<QueueCell>(), kCapacity, kMaxItems, TestKind()));
  const uint64_t items = 2000 * static_cast<uint64_t>(kScale);
  std::atomic<uint64_t> taken[kProducers] = {};
  InThreads(2 * kProducers, [&](uint64_t i) {
    RingQueue queue(stage->cell<QueueCell>(), sizeof stage->bytes, TestOwners());
    uint64_t record[kCapacity / 8];
    auto* const bytes = reinterpret_cast<uint8_t*>(record);
    if (i < kProducers) {
      for (uint64_t number = 0; number < items; ++number) {
        const uint64_t length = 16 + number % (kCapacity - RingQueue::kHeaderBytes - 16 + 1);
        memset(bytes, static_cast<int>(number % 251), sizeof record);
        record[0] = i;
        record[1] = number;
        while (queue.TryPutItem(length, bytes) != QueueOutcome::kDone) {
          Await(
              queue.wake_room(), [&] { return queue.HasRoom(RingQueue::RecordBytes(length), 1); }, [] {});
        }
        CHECK(queue.items() <= kMaxItems);
      }
      return;
    }
    uint64_t last[kProducers] = {};
    while (taken[0] + taken[1] < kProducers * items) {
      const RingQueue::Taken got = queue.TryGet(bytes, sizeof record, 1);
      if (got.outcome == QueueOutcome::kClosed) break;
      if (got.outcome == QueueOutcome::kBusy) {
        Await(
            queue.wake_items(), [&] { return queue.HasItems(); }, [] {});
        continue;
      }
      CHECK_EQ(got.outcome, QueueOutcome::kDone);
      const uint64_t producer = record[1], number = record[2];
      CHECK(producer < kProducers && number < items);
      CHECK_EQ(record[0], 16 + number % (kCapacity - RingQueue::kHeaderBytes - 16 + 1));
      for (uint64_t at = 24; at < 8 + record[0]; ++at) CHECK_EQ(bytes[at], number % 251);
      CHECK(number + 1 > last[producer]);  // first in, first out, for each producer
      last[producer] = number + 1;
      ++taken[producer];
      if (taken[0] + taken[1] == kProducers * items) CHECK_EQ(queue.Close(), QueueOutcome::kDone);
    }
  });
  for (const std::atomic<uint64_t>& count : taken) CHECK_EQ(count.load(), items);
}

// Each party puts and joins. When the join returns, its own item has been reported.
void JoinsCoverWhatWasPutBefore() {
  const SharedScratch<QueueStage> stage;
  stage->Clear();
  constexpr uint64_t kPutters = 3;
  CHECK(RingQueue::Init(stage->cell<QueueCell>(), kCapacity, kPutters, TestKind()));
  const uint64_t items = 4000 * static_cast<uint64_t>(kScale);
  std::atomic<uint64_t> reported[kPutters] = {};
  InThreads(kPutters + 1, [&](uint64_t i) {
    RingQueue queue(stage->cell<QueueCell>(), sizeof stage->bytes, TestOwners());
    if (i < kPutters) {
      for (uint64_t number = 1; number <= items; ++number) {
        CHECK_EQ(queue.TryPutItem(sizeof i, reinterpret_cast<const uint8_t*>(&i)), QueueOutcome::kDone);
        const uint32_t ticket = queue.done_ticket();
        Await(
            queue.wake_done(), [&] { return queue.IsDone(ticket); }, [] {});
        CHECK_EQ(reported[i].load(), number);
      }
      return;
    }
    for (uint64_t left = kPutters * items; left > 0;) {
      uint64_t putter = 0;
      const RingQueue::Taken got = queue.TryGetItem(reinterpret_cast<uint8_t*>(&putter), sizeof putter);
      if (got.outcome == QueueOutcome::kBusy) {
        CHECK(queue.items() <= kPutters);
        Await(
            queue.wake_items(), [&] { return queue.HasItems(); }, [] {});
        continue;
      }
      CHECK_EQ(got.outcome, QueueOutcome::kDone);
      ++reported[putter];
      CHECK_EQ(queue.TaskDone(1), QueueOutcome::kDone);
      --left;
    }
  });
}

// A viewer never gets a number of items greater than the limit.
void ItemsThatThereWere() {
  const SharedScratch<QueueStage> stage;
  stage->Clear();
  constexpr uint64_t kMaxItems = 2;
  CHECK(RingQueue::Init(stage->cell<QueueCell>(), kCapacity, kMaxItems, TestKind()));
  std::atomic<bool> over{false};
  InThreads(3, [&](uint64_t i) {
    RingQueue queue(stage->cell<QueueCell>(), sizeof stage->bytes, TestOwners());
    if (i == 0) {
      for (int turn = 0; turn < 100000 * kScale; ++turn) {
        CHECK_EQ(queue.TryPutItem(0, nullptr), QueueOutcome::kDone);
        CHECK_EQ(queue.TryGetItem(nullptr, 0).outcome, QueueOutcome::kDone);
      }
      over = true;
    }
    while (!over) {
      CHECK(queue.items() <= kMaxItems);
      CHECK(queue.free_bytes() <= kCapacity);
    }
  });
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  const Test tests[] = {
      {"threads take and release units", UnitsOfAPlainOne},
      {"threads take and release units that are known to be theirs", UnitsOfARecoverableOne},
      {"units survive the killing of processes", UnitsSurviveKills},
      {"an event that is cleared at once is not missed", AnEventThatIsClearedAtOnceIsNotMissed},
      {"exactly as many waits end as somebody says", ExactlySoManyWaitsEnd},
      {"parties meet many times", ManyRoundsOfABarrier},
      {"producers and consumers share a small ring", ProducersAndConsumers},
      {"a join covers what was put before it", JoinsCoverWhatWasPutBefore},
      {"a queue never says that it has more items than fit", ItemsThatThereWere},
  };
  return RunTests(argc, argv, tests);
}
