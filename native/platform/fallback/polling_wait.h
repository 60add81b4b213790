// Waiting on a word by polling, with growing pauses, where the system has no call for it.
//
// The first pause is 50 microseconds (waiters spin before they sleep), the longest one 5 ms. So the end of a wait that takes t is noticed
// within about t, and at most 5 ms; a long wait checks the word 200 times a second. No wake-up is needed.
#pragma once

#include <time.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "platform/futex.h"

namespace procshare {

inline WaitOutcome PollingWait(const std::atomic<uint32_t>* word, uint32_t expected, Deadline deadline) {
  constexpr int64_t kFirstBreakNs = 50'000;
  constexpr int64_t kMaxBreakNs = 5'000'000;
  if (word->load(std::memory_order_acquire) != expected) return WaitOutcome::kChanged;
  for (int64_t next_ns = kFirstBreakNs;; next_ns = std::min(next_ns * 2, kMaxBreakNs)) {
    const int64_t left_ns = deadline.remaining_ns();
    if (left_ns == 0) return WaitOutcome::kTimedOut;
    const timespec pause = {0, static_cast<long>(std::min(next_ns, left_ns))};
    nanosleep(&pause, nullptr);
    // acquire: the waiter sees all writes before that of the word, as after a wake-up.
    if (word->load(std::memory_order_acquire) != expected) return WaitOutcome::kWoken;
  }
}

}  // namespace procshare
