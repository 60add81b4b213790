// A ring queue whose users are killed at every instruction: its items are those before or those after the operation, and each one
// is whole.

#include <string>
#include <vector>

#include "check.h"
#include "kill_each_step.h"
#include "shm/ring_queue.h"

namespace procshare::testing {
namespace {

constexpr uint64_t kCapacity = 64;
constexpr uint64_t kMaxItems = 4;
using Stage = ObjectStage<sizeof(QueueCell) + kCapacity>;
using Script = KillScript<Stage>;
using Items = std::vector<std::string>;

RingQueue QueueOf(Stage* stage) {
  RingQueue queue(stage->cell<QueueCell>(), sizeof stage->bytes, TestOwners());
  CHECK(queue.LooksSound());
  return queue;
}

void Put(Stage* stage, const std::string& item) {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(item.data());
  CHECK_EQ(QueueOf(stage).TryPutItem(item.size(), bytes), QueueOutcome::kDone);
}

// Takes one item or nothing. Reads nothing before, so the attempt meets the state that a victim left.
bool Get(Stage* stage, std::string* item) {
  uint64_t record[kCapacity / 8];
  const RingQueue::Taken taken = QueueOf(stage).TryGet(reinterpret_cast<uint8_t*>(record), sizeof record, 1);
  if (taken.outcome == QueueOutcome::kBusy || taken.outcome == QueueOutcome::kClosed) return false;
  CHECK_EQ(taken.outcome, QueueOutcome::kDone);
  CHECK_EQ(taken.count, 1u);
  CHECK_EQ(taken.byte_length, RingQueue::RecordBytes(record[0]));
  item->assign(reinterpret_cast<const char*>(record + 1), record[0]);
  return true;
}

// Items of several lengths, the records of which go round the end of the ring.
void Prepare(Stage* stage, const Items& items) {
  CHECK(RingQueue::Init(stage->cell<QueueCell>(), kCapacity, kMaxItems, TestKind()));
  for (const char* const item : {"sixteen bytes...", "another sixteen."}) {
    Put(stage, item);
    std::string taken;
    CHECK(Get(stage, &taken) && taken == item);
    CHECK_EQ(QueueOf(stage).TaskDone(1), QueueOutcome::kDone);
  }
  for (const std::string& item : items) Put(stage, item);
  QueueCell* const cell = stage->cell<QueueCell>();
  cell->producers.wake.flags = cell->consumers.wake.flags = cell->done_wake.flags = kAwaited;
}

void MustWorkNormally(Stage* stage) {
  const RingQueue queue = QueueOf(stage);
  CHECK_EQ(queue.items(), 0u);
  for (uint64_t length = 0; length <= kCapacity - RingQueue::kHeaderBytes; ++length) {
    const std::string item(length, static_cast<char>('a' + length % 26));
    Put(stage, item);
    std::string taken;
    CHECK(Get(stage, &taken) && taken == item);
    CHECK(!Get(stage, &taken));
  }
}

// The items in the queue, in order. Empties the queue.
Items Drain(Stage* stage) {
  Items items;
  for (std::string item; Get(stage, &item);) items.push_back(item);
  return items;
}

void ExpectOneOf(Stage* stage, const std::vector<Items>& states, size_t max_unfinished) {
  const Items items = Drain(stage);
  size_t state = 0;
  while (state < states.size() && states[state] != items) ++state;
  CHECK(state < states.size());
  CHECK(state > 0 || !stage->done);
  CHECK(QueueOf(stage).unfinished() <= max_unfinished);
  MustWorkNormally(stage);
}

const Items kTwo = {"one", "two two two two"};

const Script kScripts[] = {
    {"put an item", [](Stage* stage) { Prepare(stage, kTwo); },
     [](Stage* stage, uint64_t) { (void)QueueOf(stage).TryPutItem(5, reinterpret_cast<const uint8_t*>("three")); },
     [](Stage* stage) {
       ExpectOneOf(stage, {kTwo, {kTwo[0], kTwo[1], "three"}}, 3);
     }},
    {"put two records", [](Stage* stage) { Prepare(stage, {"one"}); },
     [](Stage* stage, uint64_t) {
       uint64_t records[] = {3, 0, 8, 0};
       memcpy(&records[1], "two", 3);
       memcpy(&records[3], "and four", 8);
       (void)QueueOf(stage).TryPut(reinterpret_cast<const uint8_t*>(records), sizeof records, 2);
     },
     [](Stage* stage) {
       ExpectOneOf(stage, {{"one"}, {"one", "two", "and four"}}, 3);
     }},
    {"get an item", [](Stage* stage) { Prepare(stage, kTwo); },
     [](Stage* stage, uint64_t) {
       uint64_t record[8];
       (void)QueueOf(stage).TryGet(reinterpret_cast<uint8_t*>(record), sizeof record, 1);
     },
     [](Stage* stage) {
       ExpectOneOf(stage, {kTwo, {kTwo[1]}, {}}, 2);
     }},
    {"get the last items", [](Stage* stage) { Prepare(stage, kTwo); },
     [](Stage* stage, uint64_t) {
       uint64_t records[8];
       (void)QueueOf(stage).TryGet(reinterpret_cast<uint8_t*>(records), sizeof records, 9);
     },
     [](Stage* stage) {
       ExpectOneOf(stage, {kTwo, {}}, 2);
     }},
    {"close", [](Stage* stage) { Prepare(stage, kTwo); }, [](Stage* stage, uint64_t) { (void)QueueOf(stage).Close(); },
     [](Stage* stage) {
       CHECK(Drain(stage) == kTwo);
       CHECK(!stage->done || QueueOf(stage).closed());
       const QueueOutcome outcome = QueueOf(stage).TryPutItem(0, nullptr);
       CHECK_EQ(outcome, QueueOf(stage).closed() ? QueueOutcome::kClosed : QueueOutcome::kDone);
       CHECK_EQ(Drain(stage).size(), outcome == QueueOutcome::kDone ? 1u : 0u);
     }},
    // A join sees that all items were done, even if another item is put at once; or that they were not.
    {"report the last one as done",
     [](Stage* stage) {
       Prepare(stage, kTwo);
       CHECK_EQ(QueueOf(stage).TaskDone(1), QueueOutcome::kDone);
     },
     [](Stage* stage, uint64_t) { (void)QueueOf(stage).TaskDone(1); },
     [](Stage* stage) {
       constexpr uint32_t kTicket = 4;  // the number of items put so far
       const bool done = QueueOf(stage).IsDone(kTicket);
       CHECK(done || !stage->done);
       CHECK_EQ(QueueOf(stage).unfinished(), done ? 0u : 1u);
       Put(stage, "new");
       CHECK_EQ(QueueOf(stage).IsDone(kTicket), done);
       CHECK_EQ(QueueOf(stage).TaskDone(done ? 1 : 2), QueueOutcome::kDone);
       CHECK(QueueOf(stage).IsDone(kTicket));
       CHECK_EQ(QueueOf(stage).TaskDone(1), QueueOutcome::kTooMany);
     }},
};

// Of two consumers that have peeked at the first record, one takes it, and none takes the next record in its place.
void AnItemThatIsPeekedAtIsTakenOnce() {
  const SharedScratch<Stage> stage;
  stage->Clear();
  Prepare(&*stage, kTwo);
  uint8_t bytes[kCapacity];
  uint64_t first, second, third;
  CHECK_EQ(QueueOf(&*stage).Peek(bytes, sizeof bytes, &first).outcome, QueueOutcome::kDone);
  CHECK(memcmp(bytes, "one", 3) == 0);
  CHECK_EQ(QueueOf(&*stage).Peek(bytes, sizeof bytes, &second).outcome, QueueOutcome::kDone);
  CHECK_EQ(first, second);
  CHECK_EQ(QueueOf(&*stage).TakePeeked(first), QueueOutcome::kDone);
  CHECK_EQ(QueueOf(&*stage).TakePeeked(second), QueueOutcome::kBusy);
  CHECK_EQ(QueueOf(&*stage).items(), 1u);
  CHECK_EQ(QueueOf(&*stage).Peek(bytes, sizeof bytes, &third).outcome, QueueOutcome::kDone);
  CHECK(memcmp(bytes, "two two two two", 15) == 0);
  CHECK_EQ(QueueOf(&*stage).TakePeeked(third), QueueOutcome::kDone);
  CHECK_EQ(QueueOf(&*stage).TakePeeked(third), QueueOutcome::kBusy);
  CHECK_EQ(QueueOf(&*stage).Peek(bytes, sizeof bytes, &third).outcome, QueueOutcome::kBusy);
  MustWorkNormally(&*stage);
}

void Killed() { KillAtEachStep<Stage>(kScripts, nullptr); }

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  const Test tests[] = {
      {"a user of a queue is killed at each instruction", Killed},
      {"an item that two have peeked at is taken once", AnItemThatIsPeekedAtIsTakenOnce},
  };
  return RunTests(argc, argv, tests);
}
