// RingQueue: a ring of items of any length, for many producers and consumers.
//
//   0        8                  8 + length   rounded up to 8
//   | header | the item's bytes | pad        |               header = flags << 56 | length
//
//   Q1  head and tail only grow; the bytes between them, modulo the capacity, are whole records.
//   Q2  A producer writes its record behind the tail, where nobody looks, and then moves the tail: one transaction with all
//       counts. A consumer copies the record and then moves the head. So nobody gets half an item, whoever dies when; an
//       item is lost only with a consumer that dies after its transaction.
//   Q3  Several records may be put or taken in one transaction.
//
// JavaScript encodes and decodes; a record's flags are its affair.
#pragma once

#include <cstdint>

#include "shm/guarded.h"

namespace procshare {

enum class QueueOutcome : uint8_t {
  kDone,
  kBusy,      // no room, or no item
  kClosed,    // nothing more is put; and for a consumer: nothing is left
  kTooLarge,  // could never fit
  kTooSmall,  // the first item does not fit into what the consumer has offered
  kTooMany,   // more items were reported as done than were put
  kBroken,    // the bytes are not those of a queue
};

class RingQueue {
 public:
  static constexpr uint64_t kHeaderBytes = 8;
  static constexpr uint64_t kLengthMask = (uint64_t{1} << 56) - 1;

  static size_t BytesFor(uint64_t capacity) { return sizeof(QueueCell) + capacity; }
  static bool Init(QueueCell* cell, uint64_t capacity, uint64_t max_items);
  static uint64_t RecordBytes(uint64_t length) { return kHeaderBytes + (length + 7) / 8 * 8; }

  RingQueue(QueueCell* cell, size_t byte_length);
  bool LooksSound() const;

  // Puts `count` records that stand one after the other, all or none.
  QueueOutcome TryPut(const uint8_t* records, uint64_t byte_length, uint64_t count);
  // Puts one record, given in two pieces.
  QueueOutcome TryPutItem(uint64_t header, const uint8_t* item);

  struct Taken {
    QueueOutcome outcome;
    uint64_t byte_length = 0;  // of the records; for kTooSmall, of the first one
    uint64_t count = 0;
  };
  // Takes up to `count` records, as many as fit into `byte_length` bytes.
  Taken TryGet(uint8_t* into, uint64_t byte_length, uint64_t count);

  QueueOutcome Close();
  QueueOutcome TaskDone(uint64_t count);

  // Looks without the mutex; what they say may have changed by the time it is read.
  uint64_t items() const { return Load(cell_->items); }
  uint64_t unfinished() const { return Load(cell_->unfinished); }
  bool closed() const { return Load(cell_->closed) != 0; }
  bool HasItems() const { return items() > 0 || closed(); }
  bool HasRoom(uint64_t byte_length, uint64_t count) const {
    return closed() || (items() + count <= max_items_ && byte_length <= capacity_ - (Load(cell_->tail) - Load(cell_->head)));
  }

  // What a join begins with. It is over when there is nothing unfinished, or has not been since.
  uint64_t done_ticket() const { return Load(cell_->completions); }
  bool LooksDone(uint64_t ticket) const { return unfinished() == 0 || done_ticket() != ticket; }
  bool IsDone(uint64_t ticket);

  // For waiters at a heartbeat. Does not wait for others.
  void Tend() { Mend(&cell_->guarded, byte_length_); }

  uint64_t capacity() const { return capacity_; }
  uint64_t max_items() const { return max_items_; }
  WakeWord* wake_items() const { return &cell_->guarded.wake; }
  WakeWord* wake_room() const { return &cell_->room; }
  WakeWord* wake_done() const { return &cell_->done; }

 private:
  // acquire: a look at the journal may follow; see GuardedIsSettled().
  static uint64_t Load(const std::atomic<uint64_t>& word) { return word.load(std::memory_order_acquire); }
  bool StateIsSound() const;
  QueueOutcome Admit(uint64_t byte_length, uint64_t count) const;
  void Append(Guard* guard, uint64_t byte_length, uint64_t count);
  void Write(uint64_t position, const uint8_t* bytes, uint64_t byte_length);
  void Read(uint64_t position, uint8_t* into, uint64_t byte_length) const;

  QueueCell* const cell_;
  const size_t byte_length_;
  const uint64_t capacity_;
  const uint64_t max_items_;
  uint8_t* const ring_;
};

}  // namespace procshare
