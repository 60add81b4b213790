// LockTable: the locks of one environment, by index, for the functions of the fast path.
//
// JavaScript writes the index of a lock into a word and calls a function without arguments. The one function object for all locks
// is a constant, so V8 compiles a direct call. Reading a word takes less time than unpacking an argument. Each step from that
// word to the cell of the lock takes a nanosecond or two, so there are few.
#pragma once

#include <cstdint>
#include <vector>

#include "platform/compiler.h"
#include "platform/members.h"
#include "shm/layout.h"

namespace procshare {

// Words of the selection. Locks and queues use the first one; only queues use the others. See queue_functions.cc.
constexpr size_t kSelectionWords = 4;

// The data of a lock that the fast path uses.
struct FastLock {
  LockCell* cell = nullptr;
  Members* owners = nullptr;  // see SharedLock
  bool held = false;          // by this environment's thread
};

class RingQueue;

// The data of its environment that the fast path uses.
struct FastPath {
  uint32_t* selected = nullptr;  // kSelectionWords words that JavaScript writes and reads; the first is an index
  FastLock* locks = nullptr;
  uint64_t owner = 0;  // pid << 32 | Node thread id: what this environment writes into the locks that it takes
  RingQueue** queues = nullptr;
  uint8_t* exchange = nullptr;  // the bytes that go into and come out of queues

  // A copy of locks[index] for the lock that was selected last. Usually the same lock is selected again. The processor predicts
  // that, and reads the cell without waiting for the word and the table.
  uint32_t index = UINT32_MAX;
  FastLock* lock = nullptr;
  LockCell* cell = nullptr;
  Members* owners = nullptr;

  void Select() {
    if (Likely(*selected == index)) return;
    index = *selected;
    lock = &locks[index];
    cell = lock->cell;
    owners = lock->owners;
  }
  void InvalidateSelection() { index = UINT32_MAX; }
};

class LockTable {
 public:
  explicit LockTable(FastPath* path) : path_(path) {}

  uint32_t Add(LockCell* cell, Members* owners) {
    if (free_.empty()) {
      free_.push_back(static_cast<uint32_t>(locks_.size()));
      locks_.emplace_back();
      path_->locks = locks_.data();
    }
    const uint32_t index = free_.back();
    free_.pop_back();
    locks_[index] = {cell, owners, false};
    path_->InvalidateSelection();
    return index;
  }

  void Remove(uint32_t index) {
    locks_[index] = {};
    free_.push_back(index);
    path_->InvalidateSelection();
  }

  FastLock& operator[](uint32_t index) { return locks_[index]; }

 private:
  FastPath* const path_;
  std::vector<FastLock> locks_;
  std::vector<uint32_t> free_;
};

// The queues of one environment, by index, for the same purpose.
class QueueTable {
 public:
  explicit QueueTable(FastPath* path) : path_(path) {}

  uint32_t Add(RingQueue* queue) {
    if (free_.empty()) {
      free_.push_back(static_cast<uint32_t>(queues_.size()));
      queues_.emplace_back();
      path_->queues = queues_.data();
    }
    const uint32_t index = free_.back();
    free_.pop_back();
    queues_[index] = queue;
    return index;
  }

  // Called when the queue is unbound. Its index is not free yet.
  void Clear(uint32_t index) { queues_[index] = nullptr; }

  void Remove(uint32_t index) {
    Clear(index);
    free_.push_back(index);
  }

 private:
  FastPath* const path_;
  std::vector<RingQueue*> queues_;
  std::vector<uint32_t> free_;
};

}  // namespace procshare
