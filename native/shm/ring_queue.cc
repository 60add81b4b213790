#include "shm/ring_queue.h"

#include <algorithm>
#include <cstring>

#include "platform/robust_mutex.h"

namespace procshare {
namespace {

constexpr int kSpins = 200;  // a critical section is shorter, unless its thread was preempted

uint64_t Load(const std::atomic<uint64_t>& word) { return word.load(std::memory_order_relaxed); }

MutexOutcome Acquire(RobustMutexStorage* mutex, Members* owners) {
  const MutexOutcome outcome = RobustMutexSpin(mutex, owners, kSpins);
  return outcome == MutexOutcome::kBusy ? RobustMutexAcquire(mutex, owners, Deadline::Never()) : outcome;
}

}  // namespace

// The mutex of one side, held for the lifetime of the guard. It does not matter whether its last owner died (Q2).
class RingQueue::SideGuard {
 public:
  SideGuard(QueueSide* side, Members* owners)
      : side_(side), owners_(owners), held_(IsAcquired(Acquire(&side->mutex, owners))) {}
  ~SideGuard() { Release(); }
  SideGuard(const SideGuard&) = delete;
  SideGuard& operator=(const SideGuard&) = delete;

  bool held() const { return held_; }

  // Commits by moving the position (Q2), frees the mutex, which is a full fence, and wakes the waiters of the other side.
  void CommitAndRelease(uint64_t position) {
    side_->position.store(position, std::memory_order_release);  // Q3
    Release();
    WakeAnnounced(&side_->wake);
  }

  void Release() {
    if (held_) RobustMutexRelease(&side_->mutex, owners_);
    held_ = false;
  }

 private:
  QueueSide* const side_;
  Members* const owners_;
  bool held_;
};

bool RingQueue::Init(QueueCell* cell, uint64_t capacity, uint64_t max_items, MutexKind kind) {
  cell->capacity.store(capacity, std::memory_order_relaxed);
  cell->max_items.store(max_items, std::memory_order_relaxed);
  return RobustMutexInit(&cell->producers.mutex, kind) && RobustMutexInit(&cell->consumers.mutex, kind);
}

RingQueue::RingQueue(QueueCell* cell, size_t byte_length, Members* owners)
    : cell_(cell),
      byte_length_(byte_length),
      owners_(owners),
      capacity_(Load(cell->capacity)),
      max_items_(Load(cell->max_items)),
      ring_(reinterpret_cast<uint8_t*>(cell + 1)) {}

bool RingQueue::LooksSound() const {
  return byte_length_ >= sizeof(QueueCell) && capacity_ <= byte_length_ - sizeof(QueueCell) && capacity_ % kUnit == 0 &&
         capacity_ > 0 && capacity_ <= kMaxCapacity && RobustMutexLooksSound(&cell_->producers.mutex, owners_) &&
         RobustMutexLooksSound(&cell_->consumers.mutex, owners_);
}

uint64_t RingQueue::UnitsBetween(uint64_t from, uint64_t to) const {
  const uint64_t first = static_cast<uint32_t>(from), last = static_cast<uint32_t>(to);
  return last >= first ? last - first : last + 2 * (capacity_ / kUnit) - first;
}

uint64_t RingQueue::PositionAfter(uint64_t position, uint64_t byte_length, uint64_t count) const {
  const uint64_t turn = 2 * (capacity_ / kUnit);
  uint64_t units = static_cast<uint32_t>(position) + byte_length / kUnit;
  if (units >= turn) units -= turn;
  return ((position >> 32) + count) << 32 | units;
}

bool RingQueue::IsSound(uint64_t head, uint64_t tail) const {
  const uint64_t units = capacity_ / kUnit;
  return static_cast<uint32_t>(head) < 2 * units && static_cast<uint32_t>(tail) < 2 * units &&
         UnitsBetween(head, tail) <= units && CountIsSound(head, tail);
}

// Waiters check the count, and attempts check the bytes. If the two disagreed, a waiter would try for ever.
bool RingQueue::CountIsSound(uint64_t head, uint64_t tail) const {
  const uint64_t count = CountOf(head, tail), max_count = UnitsBetween(head, tail);
  return count <= max_count && (count == 0) == (max_count == 0);
}

bool RingQueue::Fits(uint64_t head, uint64_t tail, uint64_t byte_length, uint64_t count) const {
  return byte_length <= capacity_ - UnitsBetween(head, tail) * kUnit && CountOf(head, tail) + count <= max_items_;
}

QueueOutcome RingQueue::ClaimCapacity(uint64_t tail, uint64_t byte_length, uint64_t count) {
  if (closed()) return QueueOutcome::kClosed;
  if (ends_ != nullptr && !ends_->IsOpen(reader_)) return QueueOutcome::kNoReader;
  if (byte_length > capacity_ || count > max_items_) return QueueOutcome::kTooLarge;
  const uint64_t cached_head = Load(cell_->producers.cached_peer_position);  // Q5
  if (IsSound(cached_head, tail) && Fits(cached_head, tail, byte_length, count)) return QueueOutcome::kDone;
  const uint64_t head = this->head();
  if (!IsSound(head, tail)) return QueueOutcome::kBroken;
  cell_->producers.cached_peer_position.store(head, std::memory_order_relaxed);
  return Fits(head, tail, byte_length, count) ? QueueOutcome::kDone : QueueOutcome::kBusy;
}

QueueOutcome RingQueue::TryPut(const uint8_t* records, uint64_t byte_length, uint64_t count) {
  SideGuard guard(&cell_->producers, owners_);
  if (!guard.held()) return QueueOutcome::kBroken;
  const uint64_t tail = Load(cell_->producers.position);  // only the owner of the mutex moves it
  const QueueOutcome outcome = ClaimCapacity(tail, byte_length, count);
  if (outcome != QueueOutcome::kDone) return outcome;
  Write(tail, 0, records, byte_length);
  guard.CommitAndRelease(PositionAfter(tail, byte_length, count));
  return QueueOutcome::kDone;
}

QueueOutcome RingQueue::TryPutItem(uint64_t header, const uint8_t* item) {
  const uint64_t length = header & kLengthMask;
  SideGuard guard(&cell_->producers, owners_);
  if (!guard.held()) return QueueOutcome::kBroken;
  const uint64_t tail = Load(cell_->producers.position);
  const QueueOutcome outcome = ClaimCapacity(tail, RecordBytes(length), 1);
  if (outcome != QueueOutcome::kDone) return outcome;
  Write(tail, 0, reinterpret_cast<const uint8_t*>(&header), kHeaderBytes);
  Write(tail, kHeaderBytes, item, length);
  guard.CommitAndRelease(PositionAfter(tail, RecordBytes(length), 1));
  return QueueOutcome::kDone;
}

// Takes records for as long as they fit into `byte_length` bytes, less `overhead` each. `copy(position, bytes, header)` copies them
// out; `header` is that of the first one.
template <class Copy>
RingQueue::Taken RingQueue::Take(uint64_t byte_length, uint64_t count, uint64_t overhead, Copy copy) {
  // Read without the mutex: an attempt may fail for any reason.
  if (Load(cell_->consumers.cached_peer_position) == this->head() && !HasItems()) return {QueueOutcome::kBusy};
  SideGuard guard(&cell_->consumers, owners_);
  if (!guard.held()) return {QueueOutcome::kBroken};
  const bool ended = closed();  // read before the tail: no item is put after that
  const uint64_t head = Load(cell_->consumers.position);
  uint64_t tail = Load(cell_->consumers.cached_peer_position);  // Q5
  if (count > 1 || tail == head || !IsSound(head, tail)) {
    tail = this->tail();
    if (!IsSound(head, tail)) return {QueueOutcome::kBroken};
    cell_->consumers.cached_peer_position.store(tail, std::memory_order_relaxed);
  }
  const uint64_t available = UnitsBetween(head, tail) * kUnit;
  if (available == 0) return {ended ? QueueOutcome::kClosed : QueueOutcome::kBusy};

  uint64_t count_taken = 0, bytes = 0, first = 0;
  while (count_taken < count && bytes < available) {
    uint64_t header;
    if (!HeaderAt(head, bytes, available, &header)) return {QueueOutcome::kBroken};
    const uint64_t length = header & kLengthMask;
    if (Unlikely((header >> 56 & kSpilledFlag) != 0)) {  // Q6
      if (count_taken == 0) return {QueueOutcome::kSpilled, length};
      break;
    }
    const uint64_t needed = overhead == 0 ? RecordBytes(length) : length;
    if (needed > byte_length - bytes) {
      if (count_taken == 0) return {QueueOutcome::kTooSmall, length};
      break;
    }
    if (count_taken == 0) first = header;
    bytes += RecordBytes(length);
    ++count_taken;
  }
  copy(head, bytes, first);
  guard.CommitAndRelease(PositionAfter(head, bytes, count_taken));
  return overhead == 0 ? Taken{QueueOutcome::kDone, bytes, count_taken}
                       : Taken{QueueOutcome::kDone, first & kLengthMask, first >> 56};
}

// Reads the header of the record at `offset` after the head; there are `available` bytes of records. False when the bytes are no
// valid header.
bool RingQueue::HeaderAt(uint64_t head, uint64_t offset, uint64_t available, uint64_t* header) const {
  Read(head, offset, reinterpret_cast<uint8_t*>(header), kHeaderBytes);
  const uint64_t length = *header & kLengthMask;
  return length <= available && RecordBytes(length) <= available - offset;
}

RingQueue::Taken RingQueue::Peek(uint8_t* into, uint64_t byte_length, uint64_t* position) {
  SideGuard guard(&cell_->consumers, owners_);
  if (!guard.held()) return {QueueOutcome::kBroken};
  const uint64_t head = Load(cell_->consumers.position), tail = this->tail();
  if (!IsSound(head, tail)) return {QueueOutcome::kBroken};
  const uint64_t available = UnitsBetween(head, tail) * kUnit;
  if (available == 0) return {QueueOutcome::kBusy};
  uint64_t header;
  if (!HeaderAt(head, 0, available, &header)) return {QueueOutcome::kBroken};
  const uint64_t length = header & kLengthMask;
  Read(head, kHeaderBytes, into, std::min(length, byte_length));
  *position = head;
  return {QueueOutcome::kDone, length, header >> 56};
}

QueueOutcome RingQueue::TakePeeked(uint64_t position) {
  SideGuard guard(&cell_->consumers, owners_);
  if (!guard.held()) return QueueOutcome::kBroken;
  const uint64_t head = Load(cell_->consumers.position), tail = this->tail();
  if (!IsSound(head, tail)) return QueueOutcome::kBroken;
  const uint64_t available = UnitsBetween(head, tail) * kUnit;
  // The head has the same value again only after a multiple of 2^32 records.
  if (head != position || available == 0) return QueueOutcome::kBusy;
  uint64_t header;
  if (!HeaderAt(head, 0, available, &header)) return QueueOutcome::kBroken;
  guard.CommitAndRelease(PositionAfter(head, RecordBytes(header & kLengthMask), 1));
  return QueueOutcome::kDone;
}

QueueOutcome RingQueue::ForEachSpilled(const std::function<void(std::string bytes)>& visit) {
  const SideGuard producers(&cell_->producers, owners_);  // in this order; no other function takes both
  const SideGuard consumers(&cell_->consumers, owners_);
  if (!producers.held() || !consumers.held()) return QueueOutcome::kBroken;
  const uint64_t head = this->head(), tail = this->tail();
  if (!IsSound(head, tail)) return QueueOutcome::kBroken;
  const uint64_t available = UnitsBetween(head, tail) * kUnit;
  for (uint64_t offset = 0; offset < available;) {
    uint64_t header;
    if (!HeaderAt(head, offset, available, &header)) return QueueOutcome::kBroken;
    const uint64_t length = header & kLengthMask;
    if ((header >> 56 & kSpilledFlag) != 0 && length <= kMaxNameBytes) {
      std::string bytes(length, '\0');
      Read(head, offset + kHeaderBytes, reinterpret_cast<uint8_t*>(bytes.data()), length);
      visit(std::move(bytes));
    }
    offset += RecordBytes(length);
  }
  return QueueOutcome::kDone;
}

RingQueue::Taken RingQueue::TryGet(uint8_t* into, uint64_t byte_length, uint64_t count) {
  return Take(byte_length, count, 0, [&](uint64_t position, uint64_t bytes, uint64_t) { Read(position, 0, into, bytes); });
}

RingQueue::Taken RingQueue::TryGetItem(uint8_t* into, uint64_t byte_length) {
  return Take(byte_length, 1, kHeaderBytes, [&](uint64_t position, uint64_t, uint64_t header) {
    Read(position, kHeaderBytes, into, header & kLengthMask);
  });
}

QueueOutcome RingQueue::Close() {
  {
    SideGuard guard(&cell_->producers, owners_);
    if (!guard.held()) return QueueOutcome::kBroken;
    cell_->closed.store(1, std::memory_order_release);
  }
  WakeAll();
  return QueueOutcome::kDone;
}

void RingQueue::WakeAll() {
  // W1: the fence needs an exchange. This one does not change the word.
  cell_->done_wake.flags.fetch_or(0, std::memory_order_seq_cst);
  FullFenceAfterExchange();
  WakeAnnounced(wake_items());
  WakeAnnounced(wake_room());
}

QueueOutcome RingQueue::TaskDone(uint64_t count) {
  {
    SideGuard guard(&cell_->consumers, owners_);
    if (!guard.held()) return QueueOutcome::kBroken;
    const uint64_t left = unfinished();
    if (count > left) return QueueOutcome::kTooMany;
    // One store: a join sees that no item was unfinished, even if another item is put at once and this process is killed here.
    // Items that are put after `left` was read do not belong to that count.
    const uint64_t before = Load(cell_->done), done = static_cast<uint32_t>(before + count);
    const uint64_t completed = count == left ? done : before >> 32;
    cell_->done.store(completed << 32 | done, std::memory_order_release);
    if (count < left) return QueueOutcome::kDone;
  }
  WakeAnnounced(wake_done());
  return QueueOutcome::kDone;
}

// The index of the byte at `offset` after a position.
uint64_t RingQueue::IndexOf(uint64_t position, uint64_t offset) const {
  uint64_t index = static_cast<uint32_t>(position) * kUnit + offset;
  if (index >= capacity_) index -= capacity_;
  if (index >= capacity_) index -= capacity_;
  return index;
}

void RingQueue::Write(uint64_t position, uint64_t offset, const uint8_t* bytes, uint64_t byte_length) {
  if (byte_length == 0) return;  // `bytes` may be null then
  const uint64_t start = IndexOf(position, offset);
  const uint64_t first = std::min(byte_length, capacity_ - start);
  memcpy(ring_ + start, bytes, first);
  if (first < byte_length) memcpy(ring_, bytes + first, byte_length - first);
}

void RingQueue::Read(uint64_t position, uint64_t offset, uint8_t* into, uint64_t byte_length) const {
  if (byte_length == 0) return;
  const uint64_t start = IndexOf(position, offset);
  const uint64_t first = std::min(byte_length, capacity_ - start);
  memcpy(into, ring_ + start, first);
  if (first < byte_length) memcpy(into + first, ring_, byte_length - first);
}

}  // namespace procshare
