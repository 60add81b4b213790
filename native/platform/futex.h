// Waiting on a 32-bit word across processes. Wakers may live in other processes and see the word at other addresses.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "platform/deadline.h"

namespace procshare {

enum class WaitOutcome : uint8_t {
  kWoken,    // by a wake, or for no reason at all: the caller checks again in a loop
  kChanged,  // the word did not hold `expected`
  kTimedOut,
};

// Sleeps while *word == expected, until the deadline.
// Requires: `word` is inside a shared mapping that outlives the call. Allocates nothing.
WaitOutcome FutexWait(const std::atomic<uint32_t>* word, uint32_t expected, Deadline deadline);

// A word, and the value that it must have for a sleep to begin.
struct WaitTarget {
  const std::atomic<uint32_t>* word;
  uint32_t expected;
};

// The number of words on which one thread can sleep at once; they may be unmapped during the sleep. 1 where the system has no
// call for more words; 0 where it has no call at all, and sleeping is polling.
size_t MaxWaitTargets();

// Sleeps while each word holds its expected value. 0 < count <= MaxWaitTargets(). A word that is not mapped any more counts as
// changed. The caller checks the words to learn which of them ended the sleep. Where MaxWaitTargets() is 0, `count` must be 1,
// and the word must stay mapped.
WaitOutcome FutexWaitAny(const WaitTarget* targets, size_t count, Deadline deadline);

constexpr int kWakeAll = INT32_MAX;

// Wakes up to `count` sleepers of `word` in any process, and returns their number, as far as the system reports it. Where
// sleeping is polling, does nothing and returns 0: the word must be changed before the call.
int FutexWake(const std::atomic<uint32_t>* word, int count);

}  // namespace procshare
