// LockTable: the locks of one environment, by index, for the functions of the fast path.
//
// JavaScript writes the index of the lock that it means into a word and calls a function without arguments:
// one function object for all locks is a constant that V8 compiles into a direct call, and reading a word
// costs less than unpacking an argument. From that word to the lock's cell there are no more steps than
// these, because each costs a nanosecond or two.
#pragma once

#include <cstdint>
#include <vector>

#include "shm/layout.h"

namespace procshare {

// What the fast path knows of a lock.
struct FastLock {
  LockCell* cell = nullptr;
  bool held = false;  // by this environment's thread
};

// What the fast path knows of its environment.
struct FastPath {
  const uint32_t* selected = nullptr;  // written by JavaScript: an index
  FastLock* locks = nullptr;
  uint64_t owner = 0;  // pid << 32 | Node thread id: what this environment writes into the locks that it takes

  // The last lock that was selected, and what locks[index] said of it. More often than not it is meant again: then the
  // processor, which guesses so, need not wait for the word and the table before it gets to the cell.
  uint32_t index = UINT32_MAX;
  FastLock* lock = nullptr;
  LockCell* cell = nullptr;

  void Select() {
    if (__builtin_expect(*selected == index, 1)) return;
    index = *selected;
    lock = &locks[index];
    cell = lock->cell;
  }
  void ForgetSelected() { index = UINT32_MAX; }
};

class LockTable {
 public:
  explicit LockTable(FastPath* path) : path_(path) {}

  uint32_t Add(LockCell* cell) {
    if (free_.empty()) {
      free_.push_back(static_cast<uint32_t>(locks_.size()));
      locks_.emplace_back();
      path_->locks = locks_.data();
    }
    const uint32_t index = free_.back();
    free_.pop_back();
    locks_[index] = {cell, false};
    path_->ForgetSelected();
    return index;
  }

  void Remove(uint32_t index) {
    locks_[index] = {};
    free_.push_back(index);
    path_->ForgetSelected();
  }

  FastLock& operator[](uint32_t index) { return locks_[index]; }

 private:
  FastPath* const path_;
  std::vector<FastLock> locks_;
  std::vector<uint32_t> free_;
};

}  // namespace procshare
