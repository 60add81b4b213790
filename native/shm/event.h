// Event: a flag that can be awaited. One word has the flag and the number of times that it was set. So a waiter notices that the
// flag was set even if it has been cleared since.
#pragma once

#include <cstdint>

#include "shm/layout.h"
#include "shm/wake_word.h"

namespace procshare {

class Event {
 public:
  explicit Event(EventCell* cell) : cell_(cell) {}

  // The state at the beginning of a wait, for Happened().
  uint32_t ticket() const { return cell_->state.word.load(std::memory_order_acquire); }
  bool is_set() const { return (ticket() & kSet) != 0; }

  // Whether the event is set, or was set since the ticket was taken.
  bool Happened(uint32_t ticket_then) const {
    const uint32_t now = ticket();
    return (now & kSet) != 0 || now != ticket_then;
  }

  void Set() {
    uint32_t now = ticket();
    do {
      if ((now & kSet) != 0) return;
    } while (!cell_->state.word.compare_exchange_weak(now, (now + kOnce) | kSet, std::memory_order_acq_rel));
    FullFenceAfterExchange();  // W1
    if ((cell_->state.flags.load(std::memory_order_relaxed) & kAwaited) == 0) return;
    cell_->state.flags.fetch_and(~kAwaited, std::memory_order_acq_rel);
    FutexWake(&cell_->state.word, kWakeAll);  // the word has changed already (W2)
  }

  void Clear() { cell_->state.word.fetch_and(~kSet, std::memory_order_acq_rel); }

  WakeWord* wake() const { return &cell_->state; }

 private:
  static constexpr uint32_t kSet = 1;
  static constexpr uint32_t kOnce = 2;

  EventCell* const cell_;
};

}  // namespace procshare
