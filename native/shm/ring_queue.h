// RingQueue: a ring of items of any length, for many producers and consumers.
//
//   0        8                  8 + length   rounded up to 8
//   | header | the item's bytes | pad        |               header = flags << 56 | length
//
// A position is one word: the number of items that ever passed it, modulo 2^32, and where in the ring it is, in units of 8
// bytes modulo twice the capacity: so a full ring differs from an empty one.
//
//   Q1  Between the consumers' position and the producers' there are whole records.
//   Q2  A producer writes its record behind the producers' position, where nobody looks, and then moves that: one store, with
//       the count in it. A consumer copies the record out and then moves the consumers' position. So nobody gets half an item,
//       whoever dies when, and there is nothing to repair; an item is lost only with a consumer that dies after its store.
//   Q3  Producers exclude each other by a robust mutex, and so do consumers; the two sides do not meet. Each moves only its
//       own position. Pairing: a release store of a position, an acquire load by the other side.
//   Q4  Several records may be put or taken at once: it is one store all the same.
//   Q5  Each side keeps the other's position as it saw it last, and looks again only when that is not enough: reading a line
//       that the other processor writes is what a transfer costs. What was seen is never ahead of what is, so at worst there
//       is more room, or more to take, than it says.
//
//   Q6  A record with kSpilledFlag stands for something else, which a consumer must have got hold of before it takes the record:
//       killed between the two, it has taken nothing. So it looks at the record, and takes it if it is still the first.
//
// JavaScript encodes and decodes; a record's other flags are its affair.
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
  kBusy,      // no room, or no item
  kClosed,    // nothing more is put; and for a consumer: nothing is left
  kTooLarge,  // could never fit
  kTooSmall,  // the first item does not fit into what the consumer has offered
  kTooMany,   // more items were reported as done than were put
  kBroken,    // the bytes are not those of a queue
  kNoReader,  // it is one direction of a pipe, and nobody has the end that takes
  kSpilled,   // the first record is one that is taken by Peek() and TakePeeked()
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
  // It is one direction of the pipe that has these ends.
  void SetEnds(const Ends* ends, uint64_t reader) {
    ends_ = ends;
    reader_ = reader;
  }
  bool LooksSound() const;

  // Puts `count` records that stand one after the other, all or none.
  QueueOutcome TryPut(const uint8_t* records, uint64_t byte_length, uint64_t count);
  // Puts one record, given in two pieces.
  QueueOutcome TryPutItem(uint64_t header, const uint8_t* item);

  struct Taken {
    QueueOutcome outcome;
    uint64_t byte_length = 0;  // of the records; of an item: its own. For kTooSmall, what the first one needs
    uint64_t count = 0;        // for TryGetItem(): the flags
  };
  // Takes up to `count` records, as many as fit into `byte_length` bytes.
  Taken TryGet(uint8_t* into, uint64_t byte_length, uint64_t count);
  // Takes one item without its header.
  Taken TryGetItem(uint8_t* into, uint64_t byte_length);

  // Copies what fits of the first item, whatever its flags, without its header and without taking it. `*position` says which it is.
  Taken Peek(uint8_t* into, uint64_t byte_length, uint64_t* position);
  // Takes the item that Peek() has seen; kBusy when it is not the first one any more.
  QueueOutcome TakePeeked(uint64_t position);
  // Calls `visit(bytes)` for each item with kSpilledFlag, while nobody puts or takes. Of bytes that are no records, nothing more.
  QueueOutcome ForEachSpilled(const std::function<void(std::string bytes)>& visit);

  QueueOutcome Close();
  QueueOutcome TaskDone(uint64_t count);

  // Looks without the mutexes; what they say may have changed by the time it is read.
  uint64_t items() const {
    const Positions at = positions();
    return CountOf(at.head, at.tail);
  }
  uint64_t free_bytes() const {
    const Positions at = positions();
    const uint64_t count_taken = UnitsBetween(at.head, at.tail) * kUnit;
    return count_taken < capacity_ ? capacity_ - count_taken : 0;
  }
  uint64_t unfinished() const {
    const uint64_t done = cell_->done.load(std::memory_order_acquire);  // first: a count that has grown since is no zero
    return static_cast<uint32_t>((tail() >> 32) - done);
  }
  bool closed() const { return cell_->closed.load(std::memory_order_acquire) != 0; }
  bool HasItems() const { return tail() != head() || closed(); }
  bool HasRoom(uint64_t byte_length, uint64_t count) const {
    return closed() || (byte_length <= free_bytes() && items() + count <= max_items_);
  }

  // What a join begins with: how many items were ever put. It is over when nothing is unfinished, or when nothing was at a
  // moment at which so many had been put. How often nothing was would not do: somebody may put and join while that is counted.
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

  // Wakes all who wait, for items or for room, so that they look again.
  void WakeAll();

 private:
  class SideGuard;
  bool HeaderAt(uint64_t head, uint64_t offset, uint64_t available, uint64_t* header) const;
  uint64_t tail() const { return cell_->producers.position.load(std::memory_order_acquire); }
  uint64_t head() const { return cell_->consumers.position.load(std::memory_order_acquire); }
  struct Positions {
    uint64_t head, tail;
  };
  // As they were at one moment: when the producers' was read, the consumers' was the same before and after.
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
