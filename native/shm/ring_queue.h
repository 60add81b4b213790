// RingQueue: a ring of records of any length, for many producers and many consumers.
//
//                 head position                       tail position
//                 (consumers move it)                 (producers move it)
//                 |                                   |
//                 v                                   v
//   +-------------+-----------+-----------+-----------+----------------------------+
//   | free        | record 0  | record 1  | record 2  | free: claimed by the next  |
//   |             |           |           |           | producer, up to capacity   |
//   +-------------+-----------+-----------+-----------+----------------------------+
//   0                                                                              capacity
//
//   a record      0        8                  8 + length   a multiple of 8
//                 | header | the item's bytes | padding    |           header = flags << 56 | length
//
//   a position    63                           32   31                            0
//                 | records that ever passed    |   | where, in units of 8 bytes  |
//                 | it, modulo 2^32             |   | modulo twice the capacity   |
//
// A record that reaches the capacity continues at 0. The place counts modulo twice the capacity, so a full ring differs from an
// empty one.
//
//   Q1  Between the head and the tail there are whole records.
//   Q2  A producer claims capacity, writes its records after the tail, where no consumer reads, and commits them by moving the
//       tail. A consumer copies records out and commits that by moving the head. A position has the count in it, so each commit
//       is one store. A process that is killed leaves no part of a record and nothing to repair. An item is lost only with a
//       consumer that is killed after its commit.
//   Q3  Producers exclude each other by a robust mutex, and so do consumers. The two sides share no mutex, and each moves only
//       its own position. Pairing: a release store of a position, an acquire load by the other side.
//   Q4  Several records may be put or taken at once, by one commit.
//   Q5  Each side caches the position of the other side, and reads it again only when the cached one is not enough. The main cost
//       of a transfer is reading a cache line that another processor writes. A cached position is never ahead of the real one. So
//       the actual room, or the actual number of items, is never less than the cached position shows.
//   Q6  A record with kSpilledFlag names a segment that has the item. A consumer attaches to that segment before it takes the
//       record: it peeks, attaches, and takes the record if it is still the first one. A consumer that is killed in between has
//       taken nothing.
//
// JavaScript encodes and decodes items, and gives all other flags of a record their meaning.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "shm/ends.h"
#include "shm/layout.h"
#include "shm/wake_word.h"

namespace procshare {

enum class QueueOutcome : uint8_t {
  kDone,
  kBusy,      // there is no room, or no item
  kClosed,    // the queue takes no more items; for a consumer: and is empty
  kTooLarge,  // more than an empty ring has room for
  kTooSmall,  // the first record is larger than the consumer's buffer
  kTooMany,   // more items were reported as done than were put
  kBroken,    // the bytes are not those of a queue
  kNoReader,  // the ring is one direction of a pipe, and no member has the end that takes open
  kSpilled,   // the first record must be taken by Peek() and TakePeeked()
};

class RingQueue {
 public:
  static constexpr uint64_t kHeaderBytes = 8;
  static constexpr uint64_t kLengthMask = (uint64_t{1} << 56) - 1;
  static constexpr uint64_t kUnit = 8;
  static constexpr uint64_t kSpilledFlag = 0x80;
  static constexpr uint64_t kMaxCapacity = (uint64_t{1} << 31) * kUnit - kUnit;

  static size_t BytesFor(uint64_t capacity) { return sizeof(QueueCell) + (capacity + 63) / 64 * 64; }
  static bool Init(QueueCell* cell, uint64_t capacity, uint64_t max_items, MutexKind kind);
  static uint64_t RecordBytes(uint64_t length) { return kHeaderBytes + (length + kUnit - 1) / kUnit * kUnit; }

  RingQueue(QueueCell* cell, size_t byte_length, Members* owners);
  // Makes the ring one direction of the pipe with these ends; `reader` is the end that takes items.
  void SetEnds(const Ends* ends, uint64_t reader) {
    ends_ = ends;
    reader_ = reader;
  }
  bool LooksSound() const;

  // Puts `count` adjacent records, all or none.
  QueueOutcome TryPut(const uint8_t* records, uint64_t byte_length, uint64_t count);
  // Puts one record, which is given in two pieces.
  QueueOutcome TryPutItem(uint64_t header, const uint8_t* item);

  struct Taken {
    QueueOutcome outcome;
    uint64_t byte_length = 0;  // of the records, or of the item; for kTooSmall, of the first record
    uint64_t count = 0;        // of the records; for TryGetItem() and Peek(), the flags of the item
  };
  // Takes up to `count` records, and no more than fit into `byte_length` bytes.
  Taken TryGet(uint8_t* into, uint64_t byte_length, uint64_t count);
  // Takes one item without its header.
  Taken TryGetItem(uint8_t* into, uint64_t byte_length);

  // Copies as much of the first item as fits, without its header, and does not take it. The flags of the item may have any value.
  // `*position` becomes the head, by which TakePeeked() recognises the item.
  Taken Peek(uint8_t* into, uint64_t byte_length, uint64_t* position);
  // Takes the item that Peek() has copied; kBusy when another one has become the first.
  QueueOutcome TakePeeked(uint64_t position);
  // Calls `visit(bytes)` for each item with kSpilledFlag, with the mutexes of both sides held. Stops at bytes that are no record.
  QueueOutcome ForEachSpilled(const std::function<void(std::string bytes)>& visit);

  QueueOutcome Close();
  QueueOutcome TaskDone(uint64_t count);

  // These read without the mutexes; the answer may be out of date by the time the caller has it.
  uint64_t items() const {
    const Positions at = positions();
    return CountOf(at.head, at.tail);
  }
  uint64_t free_bytes() const {
    const Positions at = positions();
    const uint64_t used = UnitsBetween(at.head, at.tail) * kUnit;
    return used < capacity_ ? capacity_ - used : 0;
  }
  uint64_t unfinished() const {
    const uint64_t done = cell_->done.load(std::memory_order_acquire);  // first: a put in between must not look like 0
    return static_cast<uint32_t>((tail() >> 32) - done);
  }
  bool closed() const { return cell_->closed.load(std::memory_order_acquire) != 0; }
  bool HasItems() const { return tail() != head() || closed(); }
  bool HasRoom(uint64_t byte_length, uint64_t count) const {
    return closed() || (byte_length <= free_bytes() && items() + count <= max_items_);
  }

  // The ticket of a join: the number of items that were put so far. The join ends when no item is unfinished, or when no item was
  // unfinished at an earlier moment after that many puts. Counting such moments would be wrong: another process may put an item
  // and join while TaskDone() counts.
  uint32_t done_ticket() const { return static_cast<uint32_t>(tail() >> 32); }
  bool IsDone(uint32_t ticket) const {
    const uint64_t completed = cell_->done.load(std::memory_order_acquire) >> 32;
    return static_cast<int32_t>(static_cast<uint32_t>(completed) - ticket) >= 0 || unfinished() == 0;
  }

  uint64_t capacity() const { return capacity_; }
  uint64_t max_items() const { return max_items_; }
  WakeWord* wake_items() const { return &cell_->producers.wake; }
  WakeWord* wake_room() const { return &cell_->consumers.wake; }
  WakeWord* wake_done() const { return &cell_->done_wake; }

  // Wakes all waiters (for items, for room and for finished items), so that they check again.
  void WakeAll();

 private:
  class SideGuard;
  bool HeaderAt(uint64_t head, uint64_t offset, uint64_t available, uint64_t* header) const;
  uint64_t tail() const { return cell_->producers.position.load(std::memory_order_acquire); }
  uint64_t head() const { return cell_->consumers.position.load(std::memory_order_acquire); }
  struct Positions {
    uint64_t head, tail;
  };
  // Reads both positions as of one moment: the head is the same before and after the tail is read.
  Positions positions() const {
    uint64_t from = head();
    for (;;) {
      const uint64_t to = tail(), again = head();
      if (again == from) return {from, to};
      from = again;
    }
  }
  static uint64_t CountOf(uint64_t from, uint64_t to) { return static_cast<uint32_t>((to >> 32) - (from >> 32)); }
  uint64_t UnitsBetween(uint64_t from, uint64_t to) const;
  uint64_t PositionAfter(uint64_t position, uint64_t byte_length, uint64_t count) const;
  bool IsSound(uint64_t head, uint64_t tail) const;
  bool CountIsSound(uint64_t head, uint64_t tail) const;
  QueueOutcome ClaimCapacity(uint64_t tail, uint64_t byte_length, uint64_t count);
  bool Fits(uint64_t head, uint64_t tail, uint64_t byte_length, uint64_t count) const;
  void Write(uint64_t position, uint64_t offset, const uint8_t* bytes, uint64_t byte_length);
  void Read(uint64_t position, uint64_t offset, uint8_t* into, uint64_t byte_length) const;
  uint64_t IndexOf(uint64_t position, uint64_t offset) const;
  template <class Copy>
  Taken Take(uint64_t byte_length, uint64_t count, uint64_t overhead, Copy copy);

  QueueCell* const cell_;
  const size_t byte_length_;
  Members* const owners_;
  const uint64_t capacity_;
  const uint64_t max_items_;
  uint8_t* const ring_;
  const Ends* ends_ = nullptr;  // of the pipe of which it is one direction
  uint64_t reader_ = 0;
};

}  // namespace procshare
