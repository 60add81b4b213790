// The ledger of an object: which members wait for the object, and for what, or have a part of it. Its records outlive the
// members.
//
// A member is an environment that is attached to the segment. The system tells which members live (NamedMemory::IsMember). All
// changes are transactions of the object's Guard. The object defines how to clean up the record of a dead member. The thread that
// finds such a record does that, and frees the record.
#pragma once

#include <cstdint>

#include "platform/members.h"
#include "shm/guarded.h"
#include "shm/layout.h"

namespace procshare {

// Called by each waiter at its heartbeat. True for one of the callers, when it is time to reap the records of dead members.
// Reaping takes a system call for each member. If every waiter did it, the cost would grow with the square of their number.
bool ClaimReaping(Ledger* ledger);

class LedgerView {
 public:
  // `capacity` is a private copy that was checked once: another process may damage the one in memory.
  LedgerView(Ledger* ledger, uint64_t capacity) : ledger_(ledger), capacity_(capacity) {}

  static size_t BytesFor(uint64_t capacity) { return capacity * sizeof(LedgerRecord); }

  // The number of records according to the ledger; UINT64_MAX when they do not fit into `byte_length` bytes.
  static uint64_t CapacityOf(const Ledger* ledger, size_t byte_length) {
    const uint64_t capacity = ledger->capacity.load(std::memory_order_relaxed);
    const bool fits = byte_length >= sizeof(Ledger) && capacity <= (byte_length - sizeof(Ledger)) / sizeof(LedgerRecord);
    return fits ? capacity : UINT64_MAX;
  }

  uint64_t used() const {
    const uint64_t count = ledger_->used.load(std::memory_order_relaxed);
    return count < capacity_ ? count : capacity_;
  }
  LedgerRecord* at(uint64_t index) const { return reinterpret_cast<LedgerRecord*>(ledger_ + 1) + index; }

  // Calls `visit` for each record in use, until it returns false.
  template <class Visit>
  void ForEach(Visit visit) const {
    const uint64_t count = used();
    for (uint64_t i = 0; i < count; ++i) {
      LedgerRecord* const record = at(i);
      if (record->member.load(std::memory_order_relaxed) != 0 && !visit(record)) return;
    }
  }

  // Like ForEach(), but begins after the record at which the last such call ended, so that all records get their turn.
  template <class Visit>
  void ForEachInTurn(Visit visit) const {
    const uint64_t count = used();
    const uint64_t first = count == 0 ? 0 : ledger_->next.load(std::memory_order_relaxed) % count;
    for (uint64_t i = 0; i < count; ++i) {
      const uint64_t index = (first + i) % count;
      LedgerRecord* const record = at(index);
      if (record->member.load(std::memory_order_relaxed) == 0 || visit(record)) continue;
      ledger_->next.store(index + 1, std::memory_order_relaxed);
      return;
    }
  }

  // The record of `member` for `key`, or null.
  LedgerRecord* Find(uint64_t member, uint64_t key) const;

  // Like Find(); when there is no record, allocates a free one, filled with zeros. Null when no record is free. Part of the
  // caller's transaction: sets up to two words.
  LedgerRecord* FindOrTake(Guard* guard, uint64_t member, uint64_t key);

  // Frees a record. Part of the caller's transaction: sets up to two words.
  void Free(Guard* guard, LedgerRecord* record);

 private:
  Ledger* const ledger_;
  const uint64_t capacity_;
};

}  // namespace procshare
