#include "shm/ring_queue.h"

#include <algorithm>
#include <cstring>

namespace procshare {

bool RingQueue::Init(QueueCell* cell, uint64_t capacity, uint64_t max_items) {
  cell->capacity.store(capacity, std::memory_order_relaxed);
  cell->max_items.store(max_items, std::memory_order_relaxed);
  return InitGuarded(&cell->guarded);
}

RingQueue::RingQueue(QueueCell* cell, size_t byte_length)
    : cell_(cell),
      byte_length_(byte_length),
      capacity_(Load(cell->capacity)),
      max_items_(Load(cell->max_items)),
      ring_(reinterpret_cast<uint8_t*>(cell + 1)) {}

bool RingQueue::LooksSound() const {
  return byte_length_ >= sizeof(QueueCell) && capacity_ <= byte_length_ - sizeof(QueueCell) && capacity_ % 8 == 0 &&
         capacity_ > 0 && GuardedLooksSound(&cell_->guarded);
}

bool RingQueue::StateIsSound() const {
  const uint64_t head = Load(cell_->head), tail = Load(cell_->tail);
  if (head > tail || tail - head > capacity_ || head % 8 != 0 || tail % 8 != 0) return false;
  // Who waits goes by the number of items, who takes by the bytes: did they differ, a waiter would try for ever.
  return (items() == 0) == (head == tail) && items() <= (tail - head) / kHeaderBytes;
}

QueueOutcome RingQueue::Admit(uint64_t byte_length, uint64_t count) const {
  if (!StateIsSound()) return QueueOutcome::kBroken;
  if (closed()) return QueueOutcome::kClosed;
  if (byte_length > capacity_ || count > max_items_) return QueueOutcome::kTooLarge;
  return HasRoom(byte_length, count) ? QueueOutcome::kDone : QueueOutcome::kBusy;
}

void RingQueue::Append(Guard* guard, uint64_t byte_length, uint64_t count) {
  guard->Set(&cell_->tail, Load(cell_->tail) + byte_length);
  guard->Set(&cell_->items, items() + count);
  guard->Set(&cell_->unfinished, unfinished() + count);
  guard->Commit();
  guard->Release();
  WakeAnnounced(wake_items());
}

QueueOutcome RingQueue::TryPut(const uint8_t* records, uint64_t byte_length, uint64_t count) {
  Guard guard(&cell_->guarded, byte_length_);
  if (!guard.held()) return QueueOutcome::kBroken;
  const QueueOutcome outcome = Admit(byte_length, count);
  if (outcome != QueueOutcome::kDone) return outcome;
  Write(Load(cell_->tail), records, byte_length);
  Append(&guard, byte_length, count);
  return QueueOutcome::kDone;
}

QueueOutcome RingQueue::TryPutItem(uint64_t header, const uint8_t* item) {
  const uint64_t length = header & kLengthMask;
  Guard guard(&cell_->guarded, byte_length_);
  if (!guard.held()) return QueueOutcome::kBroken;
  const QueueOutcome outcome = Admit(RecordBytes(length), 1);
  if (outcome != QueueOutcome::kDone) return outcome;
  const uint64_t tail = Load(cell_->tail);
  Write(tail, reinterpret_cast<const uint8_t*>(&header), kHeaderBytes);
  Write(tail + kHeaderBytes, item, length);
  Append(&guard, RecordBytes(length), 1);
  return QueueOutcome::kDone;
}

RingQueue::Taken RingQueue::TryGet(uint8_t* into, uint64_t byte_length, uint64_t count) {
  // A look: an attempt may fail for any reason.
  if (!HasItems() && GuardedIsSettled(&cell_->guarded)) return {QueueOutcome::kBusy};
  Guard guard(&cell_->guarded, byte_length_);
  if (!guard.held() || !StateIsSound()) return {QueueOutcome::kBroken};
  const uint64_t head = Load(cell_->head), available = Load(cell_->tail) - head;
  if (available == 0) return {closed() ? QueueOutcome::kClosed : QueueOutcome::kBusy};

  uint64_t taken = 0, bytes = 0;
  while (taken < count && bytes < available) {
    uint64_t header;
    Read(head + bytes, reinterpret_cast<uint8_t*>(&header), kHeaderBytes);
    const uint64_t length = header & kLengthMask;
    if (length > available || RecordBytes(length) > available - bytes) return {QueueOutcome::kBroken};
    if (RecordBytes(length) > byte_length - bytes) {
      if (taken == 0) return {QueueOutcome::kTooSmall, RecordBytes(length)};
      break;
    }
    bytes += RecordBytes(length);
    ++taken;
  }
  Read(head, into, bytes);
  guard.Set(&cell_->head, head + bytes);
  guard.Set(&cell_->items, head + bytes == Load(cell_->tail) ? 0 : items() - std::min(taken, items()));
  guard.Commit();
  guard.Release();
  WakeAnnounced(wake_room());
  return {QueueOutcome::kDone, bytes, taken};
}

QueueOutcome RingQueue::Close() {
  {
    Guard guard(&cell_->guarded, byte_length_);
    if (!guard.held()) return QueueOutcome::kBroken;
    guard.Set(&cell_->closed, 1);
    guard.Commit();
  }
  WakeAnnounced(wake_items());
  WakeAnnounced(wake_room());
  return QueueOutcome::kDone;
}

QueueOutcome RingQueue::TaskDone(uint64_t count) {
  Guard guard(&cell_->guarded, byte_length_);
  if (!guard.held()) return QueueOutcome::kBroken;
  if (count > unfinished()) return QueueOutcome::kTooMany;
  const bool none_left = unfinished() == count;
  guard.Set(&cell_->unfinished, unfinished() - count);
  if (none_left) guard.Set(&cell_->completions, done_ticket() + 1);  // a joiner sees it even if something is put at once
  guard.Commit();
  guard.Release();
  if (none_left) WakeAnnounced(wake_done());
  return QueueOutcome::kDone;
}

bool RingQueue::IsDone(uint64_t ticket) {
  if (LooksDone(ticket) && GuardedIsSettled(&cell_->guarded)) return true;
  if (GuardedIsSettled(&cell_->guarded)) return false;
  Guard guard(&cell_->guarded, byte_length_);
  return guard.held() && LooksDone(ticket);
}

void RingQueue::Write(uint64_t position, const uint8_t* bytes, uint64_t byte_length) {
  if (byte_length == 0) return;  // `bytes` may be null then
  const uint64_t start = position % capacity_;
  const uint64_t first = std::min(byte_length, capacity_ - start);
  memcpy(ring_ + start, bytes, first);
  memcpy(ring_, bytes + first, byte_length - first);
}

void RingQueue::Read(uint64_t position, uint8_t* into, uint64_t byte_length) const {
  const uint64_t start = position % capacity_;
  const uint64_t first = std::min(byte_length, capacity_ - start);
  memcpy(into, ring_ + start, first);
  memcpy(into + first, ring_, byte_length - first);
}

}  // namespace procshare
