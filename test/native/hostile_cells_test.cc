// Objects whose cells another process has damaged. An operation ends, and returns an error or a harmless result. It touches
// nothing outside of the cell and its own buffers (the address sanitizer checks that).
//
// The limit: a mutex whose bytes name a living thread, or a living member, looks like a held one. Operations that block wait for
// it for ever. So no test here writes the number of a living thread or member.

#include <atomic>
#include <cstdlib>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "check.h"
#include "sanitizers.h"
#include "shm/barrier.h"
#include "shm/ends.h"
#include "shm/event.h"
#include "shm/parking.h"
#include "shm/ring_queue.h"
#include "shm/semaphore.h"
#include "shm/shared_lock.h"
#include "thread_members.h"

namespace procshare::testing {
namespace {

constexpr uint64_t kRecords = 4;
constexpr uint64_t kCapacity = 64;
constexpr double kPromptMs = 2000;

// A cell that ends where its heap block ends, with the guards of the sanitizer before and behind it.
class Block {
 public:
  explicit Block(size_t byte_length)
      : bytes_(static_cast<uint8_t*>(aligned_alloc(kCellAlignment, byte_length))), byte_length_(byte_length) {
    CHECK(bytes_ != nullptr && byte_length % kCellAlignment == 0);
    memset(bytes_, 0, byte_length);
  }
  ~Block() { free(bytes_); }
  Block(const Block&) = delete;
  Block& operator=(const Block&) = delete;

  uint8_t* bytes() const { return bytes_; }
  size_t byte_length() const { return byte_length_; }
  template <class Cell>
  Cell* cell() const {
    return reinterpret_cast<Cell*>(bytes_);
  }

 private:
  uint8_t* const bytes_;
  const size_t byte_length_;
};

// Whether the bytes change during the use: then two reads need not agree.
bool bytes_change = false;

// Some members live, and some do not; any number may occur.
class AnyMembers final : public Members {
 public:
  explicit AnyMembers(uint64_t self) : self_(self) {}
  uint64_t self() override { return self_; }
  Members* owners() override { return TestOwners(); }
  bool IsMember(uint64_t member) const override { return member == self_ || member % 3 == 1; }

 private:
  const uint64_t self_;
};

void UseSemaphore(const Block& block) {
  for (const uint64_t self : {1, 4, 7}) {
    AnyMembers members(self);
    Semaphore semaphore(block.cell<SemaphoreCell>(), block.byte_length(), &members);
    if (!semaphore.LooksSound()) return;
    (void)semaphore.TryAcquire(1);
    (void)semaphore.TryAcquire(UINT64_MAX);
    semaphore.ReapDead();
    (void)semaphore.Release(1);
    (void)semaphore.Release(2);
    (void)semaphore.Release(UINT64_MAX);
  }
}

void UseParking(const Block& block) {
  auto* const cell = block.cell<ParkingCell>();
  const uint64_t capacity = LedgerView::CapacityOf(&cell->ledger, block.byte_length() - offsetof(ParkingCell, ledger));
  if (capacity == UINT64_MAX) return;
  for (const uint64_t self : {1, 4, 7, 10, 13}) {
    AnyMembers members(self);
    Guard guard(&cell->guarded, block.byte_length(), TestOwners());
    if (!guard.held()) return;
    Parking parking(&guard, LedgerView(&cell->ledger, capacity), &members);
    uint64_t outcome;
    (void)parking.Park(8);
    (void)parking.Unpark(8, 2);
    (void)parking.Take(8, &outcome);
    (void)parking.Park(8);
    (void)parking.Cancel(8, &outcome);
    (void)parking.Unpark(8, UINT64_MAX);
    (void)parking.ReapDead();
  }
}

void UseBarrier(const Block& block) {
  for (const uint64_t self : {1, 4, 7, 10, 13}) {
    AnyMembers members(self);
    Barrier barrier(block.cell<BarrierCell>(), block.byte_length(), &members);
    if (!barrier.LooksSound()) return;
    const Barrier::Arrival arrival = barrier.Arrive(self == 7);
    barrier.ReapDead();
    (void)barrier.waiting();
    (void)barrier.Take(arrival.generation);
    (void)barrier.Finish(arrival.generation);
    (void)barrier.Cancel(arrival.generation);
    if (self == 10) barrier.Abort();
    barrier.Reset();
  }
}

void UseQueue(const Block& block) {
  RingQueue queue(block.cell<QueueCell>(), block.byte_length(), TestOwners());
  if (!queue.LooksSound()) return;
  for (const size_t room : {8, 16, 64}) {
    const std::unique_ptr<uint8_t[]> into(new uint8_t[room]());
    (void)queue.HasItems();
    (void)queue.HasRoom(room, 1);
    (void)queue.TryPutItem(room, into.get());
    (void)queue.TryPut(into.get(), room, room / 8);
    const RingQueue::Taken taken = queue.TryGet(into.get(), room, 3);
    CHECK(taken.outcome != QueueOutcome::kDone || taken.byte_length <= room);
    // The check of a waiter agrees with its attempt, or it would try for ever.
    if (queue.HasItems()) CHECK(queue.TryGet(into.get(), room, 1).outcome != QueueOutcome::kBusy || bytes_change);
    (void)queue.TryPutItem(uint64_t{RingQueue::kSpilledFlag} << 56 | room, into.get());
    uint64_t position = 0;
    const RingQueue::Taken peeked = queue.Peek(into.get(), room, &position);
    (void)queue.ForEachSpilled([](const std::string& bytes) { CHECK(bytes.size() <= kMaxNameBytes); });
    if (peeked.outcome == QueueOutcome::kDone) (void)queue.TakePeeked(position);
    (void)queue.TryGetItem(into.get(), room);
    (void)queue.items();
    (void)queue.free_bytes();
    (void)queue.unfinished();
    (void)queue.TaskDone(1);
    (void)queue.IsDone(queue.done_ticket());
  }
  (void)queue.Close();
}

void UseEnds(const Block& block) {
  for (const uint64_t self : {1, 4, 7, 10, 13}) {
    AnyMembers members(self);
    Ends ends(block.cell<EndsCell>(), block.byte_length(), &members);
    if (!ends.LooksSound()) return;
    (void)ends.Open(self % 2);
    (void)ends.IsOpen(0);
    ends.ReapDeadIfDue();
    ends.Close(self % 2);
    ends.Close(1);
  }
}

void UseLock(const Block& block) {
  SharedLock lock(block.cell<LockCell>(), TestOwners());
  if (!lock.LooksSound()) return;
  for (const uint64_t owner : {1, 2}) {
    (void)lock.Peek();
    (void)lock.owner();
    lock.Reserve(owner);
    if (IsAcquired(lock.TryAcquire(owner))) lock.Release();
    lock.Reserve(3);
    lock.Unreserve(3);
    if (IsAcquired(lock.Acquire(owner, Deadline::AfterMs(5)))) lock.ReleaseAbandoned();
  }
}

void UseEvent(const Block& block) {
  Event event(block.cell<EventCell>());
  const uint32_t ticket = event.ticket();
  event.Set();
  CHECK((event.is_set() && event.Happened(ticket)) || bytes_change);
  event.Clear();
  CHECK(!event.is_set() || bytes_change);
}

struct Object {
  const char* name;
  size_t byte_length;
  bool (*init)(const Block& block);
  void (*use)(const Block& block);
};

// Records end with the block: sizes are multiples of a cell line, so capacities are not round numbers.
constexpr size_t BytesOf(size_t cell_bytes) {
  return (cell_bytes + kRecords * sizeof(LedgerRecord) + kCellAlignment - 1) / kCellAlignment * kCellAlignment;
}

const Object kObjects[] = {
    {"semaphore", BytesOf(sizeof(SemaphoreCell)),
     [](const Block& block) { return Semaphore::Init(block.cell<SemaphoreCell>(), 3, 5, kRecords, TestKind()); },
     UseSemaphore},
    {"plain semaphore", sizeof(SemaphoreCell),
     [](const Block& block) { return Semaphore::Init(block.cell<SemaphoreCell>(), 3, 5, 0, TestKind()); }, UseSemaphore},
    {"parking", BytesOf(sizeof(ParkingCell)),
     [](const Block& block) {
       block.cell<ParkingCell>()->ledger.capacity = kRecords;
       return InitGuarded(block.cell<GuardedCell>(), TestKind());
     },
     UseParking},
    {"barrier", BytesOf(sizeof(BarrierCell)),
     [](const Block& block) { return Barrier::Init(block.cell<BarrierCell>(), 3, kRecords, TestKind()); }, UseBarrier},
    {"queue", sizeof(QueueCell) + kCapacity,
     [](const Block& block) { return RingQueue::Init(block.cell<QueueCell>(), kCapacity, 5, TestKind()); }, UseQueue},
    {"ends", BytesOf(sizeof(EndsCell)),
     [](const Block& block) { return Ends::Init(block.cell<EndsCell>(), kRecords, TestKind()); }, UseEnds},
    {"lock", sizeof(LockCell),
     [](const Block& block) { return SharedLock(block.cell<LockCell>(), TestOwners()).Init(TestKind()); }, UseLock},
    {"event", sizeof(EventCell), [](const Block&) { return true; }, UseEvent},
};

bool IsOfMutex(const Object& object, size_t offset) {
  if (object.use == UseQueue) {
    const auto is_in = [&](size_t side) { return offset >= side && offset < side + sizeof(RobustMutexStorage); };
    return is_in(offsetof(QueueCell, producers.mutex)) || is_in(offsetof(QueueCell, consumers.mutex));
  }
  if (object.use == UseLock) return offset >= offsetof(LockCell, mutex) && offset < offsetof(LockCell, reserved_for);
  return object.byte_length > sizeof(EventCell) && offset >= offsetof(GuardedCell, mutex) &&
         offset < offsetof(GuardedCell, journal);
}

constexpr uint64_t kBad[] = {0,          1,          2,          7,          8,     63,       64,       65,
                             72,         255,        256,        320,        504,   1u << 20, 1u << 31, UINT32_MAX,
                             1ull << 32, 1ull << 56, 1ull << 63, UINT64_MAX, ~7ull, ~63ull,   ~255ull,  (1ull << 63) - 8};

void Try(const Object& object, const Block& block, Promptness* promptness) {
  const Stopwatch watch;
  object.use(block);
  promptness->Note(watch.ms());
}

// Each word of each cell, fresh and used, with each bad value.
void EachWord() {
  Promptness promptness(kPromptMs);
  for (const Object& object : kObjects) {
    for (const bool used : {false, true}) {
      for (size_t offset = 0; offset < object.byte_length; offset += 8) {
        if (IsOfMutex(object, offset)) continue;
        for (const uint64_t bad : kBad) {
          Context() = std::string(object.name) + ", " + std::to_string(bad) + " at " + std::to_string(offset);
          const Block block(object.byte_length);
          CHECK(object.init(block));
          if (used) object.use(block);
          memcpy(block.bytes() + offset, &bad, sizeof bad);
          Try(object, block, &promptness);
        }
      }
    }
  }
}

// Several words at once: a journal that points anywhere, a ledger that claims to be full, nonsensical records.
void ManyWords() {
  std::mt19937 random(Seed());
  Promptness promptness(kPromptMs);
  for (const Object& object : kObjects) {
    for (int round = 0; round < 4000; ++round) {
      Context() = std::string(object.name) + ", round " + std::to_string(round);
      const Block block(object.byte_length);
      CHECK(object.init(block));
      const unsigned damages = 1 + random() % 12;
      for (unsigned i = 0; i < damages; ++i) {
        const size_t offset = random() % (object.byte_length / 8) * 8;
        const uint64_t word = random() % 3 != 0 ? kBad[random() % std::size(kBad)] : uint64_t{random()} << 32 | random();
        if (!IsOfMutex(object, offset)) memcpy(block.bytes() + offset, &word, sizeof word);
      }
      Try(object, block, &promptness);
    }
  }
}

// The words of the mutexes, with numbers that name no living owner.
void WordsOfMutexes() {
  constexpr double kBrokenMs = 10'000;  // a mutex of a nonexistent thread counts as broken after 100 ms
  constexpr int kRounds = 60;
  std::mt19937 random(Seed());
  Promptness promptness(kBrokenMs);
  for (const Object& object : kObjects) {
    for (int round = 0; round < kRounds; ++round) {
      Context() = std::string(object.name) + ", round " + std::to_string(round);
      const Block block(object.byte_length);
      CHECK(object.init(block));
      for (size_t offset = 0; offset < object.byte_length; offset += 8) {
        const bool is_first = IsOfMutex(object, offset) && (offset == 0 || !IsOfMutex(object, offset - 8));
        const bool held = round == 0;  // by an owner that does not exist
        if (!IsOfMutex(object, offset) || (held ? !is_first : random() % 3 != 0)) continue;
        uint64_t word = uint64_t{random()} << 32 | random();
        // In each C library a futex word lies in the first 8 bytes, and so does the owner of a mutex of members. Bits 22 to 29 of both
        // halves are more than any thread number has; bit 30 says that the owner died.
        if (is_first) word = held ? (word | 0x3fc000003fc00000) & ~0x4000000040000000 : (word & 1) << 30 | (word & 1) << 62;
        memcpy(block.bytes() + offset, &word, sizeof word);
      }
      Try(object, block, &promptness);
    }
  }
}

// Another process writes random words into the cell, and into the ring, during all operations.
void WordsThatChangeMeanwhile() {
  constexpr double kEachMs = 400;
  constexpr double kSlowMs = 4000;  // an operation may have to begin again for each change
  bytes_change = true;
  Promptness promptness(kSlowMs);
  for (const Object& object : kObjects) {
    Context() = std::string(object.name) + ", while it changes";
    const Block block(object.byte_length);
    CHECK(object.init(block));
    // Payload bytes are copied without atomic operations, as another process may copy them: the thread sanitizer does not allow that.
    const size_t end = object.use == UseQueue && kThreadSanitizer ? sizeof(QueueCell) : object.byte_length;
    std::atomic<bool> stop{false};
    std::thread writer([&] {
      std::mt19937 random(Seed());
      while (!stop.load(std::memory_order_relaxed)) {
        const size_t offset = random() % (end / 8) * 8;
        const uint64_t word = random() % 3 != 0 ? kBad[random() % std::size(kBad)] : uint64_t{random()} << 32 | random();
        if (IsOfMutex(object, offset)) continue;
        reinterpret_cast<std::atomic<uint64_t>*>(block.bytes() + offset)->store(word, std::memory_order_relaxed);
        if (random() % 16 == 0) std::this_thread::yield();
      }
    });
    const Stopwatch watch;
    while (watch.ms() < kEachMs) Try(object, block, &promptness);
    stop.store(true, std::memory_order_relaxed);
    writer.join();
  }
  bytes_change = false;
}

// While an operation is under way, another process writes into the cell.
void AJournalThatGrowsMeanwhile() {
  const Block block(BytesOf(sizeof(SemaphoreCell)));
  auto* const cell = block.cell<SemaphoreCell>();
  CHECK(Semaphore::Init(cell, 3, 5, kRecords, TestKind()));
  Guard guard(&cell->guarded, block.byte_length(), TestOwners());
  CHECK(guard.held());
  for (const uint64_t bad : {uint64_t{7}, uint64_t{8}, uint64_t{1} << 40, UINT64_MAX}) {
    cell->guarded.journal_count = bad;
    guard.Set(&cell->value, 1);
    cell->guarded.journal_count = bad;
    guard.Set(&cell->value, 2);
    guard.Commit();
  }
  CHECK_EQ(cell->value.load(), 2u);
}

// A dead member with more grants than could be counted, and a recipient with as many waits.
void GrantsWithoutEnd() {
  const Block block(BytesOf(sizeof(ParkingCell)));
  auto* const cell = block.cell<ParkingCell>();
  CHECK(InitGuarded(&cell->guarded, TestKind()));
  cell->ledger.capacity = kRecords;
  cell->ledger.used = 2;
  auto* const records = reinterpret_cast<LedgerRecord*>(&cell->ledger + 1);
  records[0].member = 3;  // dead, to AnyMembers
  records[1].member = 4;
  for (int i = 0; i < 2; ++i) records[i].count = uint64_t{1} << 62;
  records[0].granted = uint64_t{1} << 62;
  AnyMembers members(1);
  Guard guard(&cell->guarded, block.byte_length(), TestOwners());
  CHECK(guard.held());
  const Stopwatch watch;
  CHECK(Parking(&guard, LedgerView(&cell->ledger, kRecords), &members).ReapDead());
  CHECK(watch.ms() < kPromptMs);
}

// A waiter reaps when it is time, whatever last time the cell contains.
void ATimeToCome() {
  for (const uint64_t bad : {uint64_t{1} << 63, UINT64_MAX, (uint64_t{1} << 63) - 1, uint64_t{0}}) {
    Context() = "reaped at " + std::to_string(bad);
    Ledger ledger = {};
    ledger.reaped_at = bad;
    CHECK(ClaimReaping(&ledger));
    CHECK(!ClaimReaping(&ledger));
  }
}

// A generation that is no exact integer in JavaScript.
void AGenerationBeyondNumbers() {
  AnyMembers members(1);
  for (const uint64_t bad : {uint64_t{1} << 53, uint64_t{1} << 63, UINT64_MAX}) {
    Context() = "generation " + std::to_string(bad);
    const Block block(BytesOf(sizeof(BarrierCell)));
    CHECK(Barrier::Init(block.cell<BarrierCell>(), 2, kRecords, TestKind()));
    block.cell<BarrierCell>()->generation = bad;
    Barrier barrier(block.cell<BarrierCell>(), block.byte_length(), &members);
    for (const bool acts : {false, true}) CHECK(barrier.Arrive(acts).outcome == BarrierOutcome::kCorrupt);
  }
}

// A reservation that ends in a hundred years excludes no other owner, and no other reservation.
void AReservationWithoutEnd() {
  for (const uint64_t bad : {UINT64_MAX >> 1, uint64_t{1} << 62, UINT64_MAX, uint64_t{1} << 63}) {
    Context() = "reserved until " + std::to_string(bad);
    const Block block(sizeof(LockCell));
    auto* const cell = block.cell<LockCell>();
    SharedLock lock(cell, TestOwners());
    CHECK(lock.Init(TestKind()));
    cell->reserved_for = 99;
    cell->reserved_until = bad;
    cell->flags = kLockReserved;
    lock.Reserve(7);
    CHECK_EQ(cell->reserved_for.load(), 7u);
    CHECK(lock.TryAcquire(7) == MutexOutcome::kAcquired);
    lock.Release();
  }
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  const Test tests[] = {
      {"each word of each cell has a bad value", EachWord},
      {"many words have bad values", ManyWords},
      {"words of mutexes name no living owner", WordsOfMutexes},
      {"words change during the operations", WordsThatChangeMeanwhile},
      {"the journal's length changes during a transaction", AJournalThatGrowsMeanwhile},
      {"a time of the last reaping in the future is none", ATimeToCome},
      {"a barrier has a generation that is no number of JavaScript", AGenerationBeyondNumbers},
      {"a reservation that does not end is void", AReservationWithoutEnd},
      {"a dead member has grants without end", GrantsWithoutEnd},
  };
  return RunTests(argc, argv, tests);
}
