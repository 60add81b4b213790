// Transactions on shared state: after a kill at any instruction, a change has happened as a whole or not at all.
//
// The words of an object change only under the mutex of its cell, and each change first notes the old value in a journal.
//
//   G1  Guard::Set() writes the journal entry, then the count, then the word; Commit() clears the count.
//   G2  A thread that gets the mutex and finds entries undoes them, the last one first, and then clears the count. If it is killed
//       before that, the next owner finds the same entries.
//   G3  A read without the mutex may see a value that is never committed. So such a read decides only whether to try. No wait sleeps
//       because of a cell whose journal is not empty: the heartbeat repairs it.
//
// A killed thread has executed a prefix of its instructions. So G1 only requires that the compiler keeps the order. The mutex
// orders everything for the next owner.
//
// Waiters for a change sleep on a wake word (shm/wake_word.h). They are woken after the mutex is free again.
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

// Whether the cell could have been made by InitGuarded. A cheap check, for bytes that another process may have damaged.
bool GuardedLooksSound(const GuardedCell* cell, const Members* owners);

// False while a transaction is under way, and after one was interrupted. When it is true after words were read, their values were
// committed.
inline bool JournalIsEmpty(const GuardedCell* cell) { return cell->journal_count.load(std::memory_order_acquire) == 0; }

// The time for which a Guard waits for the mutex.
enum class MutexWait : uint8_t {
  kUnlimited,
  kBrief,  // a few attempts: for threads that must not be delayed, and that try again at the next heartbeat
};

class Guard {
 public:
  // Takes the mutex of the cell. Blocks while another transaction is under way, which takes a few hundred instructions unless its
  // process is stopped. The words that Set() changes lie within `byte_length` bytes from the cell. `owners`: robust_mutex.h.
  Guard(GuardedCell* cell, size_t byte_length, Members* owners, MutexWait mutex_wait = MutexWait::kUnlimited);
  ~Guard() { Release(); }
  Guard(const Guard&) = delete;
  Guard& operator=(const Guard&) = delete;

  // False when the bytes are no mutex or no journal, or when the mutex did not become free within a brief wait. Then no other
  // function may be called.
  bool held() const { return held_; }

  void Set(std::atomic<uint64_t>* word, uint64_t value) {
    JournalEntry* const entry = &cell_->journal[count_];  // a private count: the one in memory may be damaged meanwhile
    const uint8_t* const base = reinterpret_cast<const uint8_t*>(cell_);
    const auto offset = static_cast<uint64_t>(reinterpret_cast<const uint8_t*>(word) - base);
    entry->offset.store(offset, std::memory_order_relaxed);
    entry->old_value.store(word->load(std::memory_order_relaxed), std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);  // G1
    cell_->journal_count.store(++count_, std::memory_order_relaxed);
    std::atomic_signal_fence(std::memory_order_seq_cst);
    word->store(value, std::memory_order_release);  // a reader of the value sees the count, too: GuardedIsSettled()
  }

  // Makes all changes since the last commit final. At most kJournalEntries words may be set in between.
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

// Undoes an interrupted transaction, if there is one. Does not wait for the mutex.
inline void RepairIfTorn(GuardedCell* cell, size_t byte_length, Members* owners) {
  if (!JournalIsEmpty(cell)) Guard(cell, byte_length, owners, MutexWait::kBrief);
}

}  // namespace procshare
