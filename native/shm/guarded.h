// Transactions on shared state: killed at any instruction, a change has happened as a whole or not at all.
//
// The words of an object change only under the mutex of its cell, and each change first notes the old value in a journal.
//
//   G1  Guard::Set() writes the journal entry, then the count, then the word; Commit() clears the count.
//   G2  Whoever gets the mutex and finds entries undoes them, the last one first, and clears the count then. Killed in the
//       middle of that, it leaves the same entries to the next one.
//
//   G3  Whoever looks at a word without the mutex may see what is never committed. So a look decides about nothing but
//       whether to try, and no sleep goes by a look at a cell that is not settled: the heartbeat mends it.
//
// A killed thread has executed a prefix of its instructions, so all that G1 needs is that the compiler keeps the order; the
// mutex orders everything for whoever comes next.
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
bool InitGuarded(GuardedCell* cell, MutexKind kind);

// Whether the cell could have been made by InitGuarded. A cheap look, for bytes that others may have damaged.
bool GuardedLooksSound(const GuardedCell* cell, const Members* owners);

// False while a transaction is under way, and when one was interrupted. Read after words that Set() has written, it is
// false unless what they say was committed.
inline bool JournalIsEmpty(const GuardedCell* cell) { return cell->journal_count.load(std::memory_order_acquire) == 0; }

// How long a Guard waits for its turn.
enum class MutexWait : uint8_t {
  kUnlimited,
  kBrief,  // a few looks: for helpers that hold others up while they wait, and whose errand comes again
};

class Guard {
 public:
  // Takes the mutex of the cell, blocking for as long as another transaction lasts: some hundred instructions, unless its
  // process was stopped. The words that Set() takes lie within `byte_length` bytes from the cell. `owners`: robust_mutex.h.
  Guard(GuardedCell* cell, size_t byte_length, Members* owners, MutexWait patience = MutexWait::kUnlimited);
  ~Guard() { Release(); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  // False when the bytes are no mutex or no journal, or patience has run out; nothing else may be called then.
  bool held() const { return held_; }

  void Set(std::atomic<uint64_t>* word, uint64_t value) {
    JournalEntry* const entry = &cell_->journal[count_];  // our own count: the one in memory may be damaged meanwhile
    const uint8_t* const base = reinterpret_cast<const uint8_t*>(cell_);
    const auto offset = static_cast<uint64_t>(reinterpret_cast<const uint8_t*>(word) - base);
    entry->offset.store(offset, std::memory_order_relaxed);
    entry->old_value.store(word->load(std::memory_order_relaxed), std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // G1
    cell_->journal_count.store(++count_, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    word->store(value, std::memory_order_release);  // whoever sees it sees the count, too: GuardedIsSettled()
  }

  // Makes what was set since the last commit final. At most kJournalEntries words may be set in between.
  void Commit() {
    std::atomic_signal_fence(std::memory_order_seq_cst);  // G1
    cell_->journal_count.store(0, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    count_ = 0;
  }

  // Frees the mutex; a full fence. Idempotent.
  void Release() {
    if (!held_) return;
    held_ = false;
    RobustMutexRelease(&cell_->mutex, owners_);
  }

 private:
  bool Undo(size_t byte_length);

  GuardedCell* const cell_;
  Members* const owners_;
  size_t count_ = 0;  // of the entries in the journal
  bool held_ = false;
};

// Undoes what an interrupted transaction has left, if there is anything. Does not wait for others.
inline void RepairIfTorn(GuardedCell* cell, size_t byte_length, Members* owners) {
  if (!JournalIsEmpty(cell)) Guard(cell, byte_length, owners, MutexWait::kBrief);
}

}  // namespace procshare
