// Transactions on shared state: killed at any instruction, a change has happened as a whole or not at all.
//
// The words of an object change only under the mutex of its cell, and each change first notes the old value in a journal.
//
//   G1  Guard::Set() writes the journal entry, then the count, then the word; Commit() clears the count.
//   G2  Whoever gets the mutex and finds entries undoes them, the last one first, and clears the count then. Killed in the
//       middle of that, it leaves the same entries to the next one.
//
// A killed thread has executed a prefix of its instructions, so all that G1 needs is that the compiler keeps the order; the
// mutex orders everything for whoever comes next. The words are atomic because some are looked at without the mutex.
//
// Whoever waits for a change sleeps on a wake word (shm/wake_word.h), which is rung after the mutex is free again.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "platform/robust_mutex.h"
#include "shm/layout.h"
#include "shm/wake_word.h"

namespace procshare {

// Makes a free cell out of zeroed bytes.
bool InitGuarded(GuardedCell* cell);

// Whether the cell could have been made by InitGuarded. A cheap look, for bytes that others may have damaged.
bool GuardedLooksSound(const GuardedCell* cell);

class Guard {
 public:
  // Takes the mutex of the cell, blocking for as long as another transaction lasts: some hundred instructions. The words
  // that Set() takes lie within `byte_length` bytes from the cell.
  Guard(GuardedCell* cell, size_t byte_length);
  ~Guard() { Release(); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  // False when the bytes are no mutex; nothing else may be called then.
  bool held() const { return held_; }

  void Set(std::atomic<uint64_t>* word, uint64_t value) {
    const uint64_t index = cell_->journal_count.load(std::memory_order_relaxed);
    cell_->journal[index] = {static_cast<uint64_t>(reinterpret_cast<uint8_t*>(word) - reinterpret_cast<uint8_t*>(cell_)),
                             word->load(std::memory_order_relaxed)};
    std::atomic_signal_fence(std::memory_order_seq_cst);  // G1
    cell_->journal_count.store(index + 1, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    word->store(value, std::memory_order_relaxed);
  }

  // Makes what was set since the last commit final. At most kJournalEntries words may be set in between.
  void Commit() {
    std::atomic_signal_fence(std::memory_order_seq_cst);  // G1
    cell_->journal_count.store(0, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
  }

  // Frees the mutex; a full fence. Idempotent.
  void Release() {
    if (!held_) return;
    held_ = false;
    RobustMutexRelease(&cell_->mutex);
  }

 private:
  bool Undo(size_t byte_length);

  GuardedCell* const cell_;
  bool held_ = false;
};

}  // namespace procshare
