// Waking those who sleep on a word, and nobody else: how a waiter and a waker meet without a system call for nothing.
//
//   W1  A waiter sets kAwaited before it looks for the last time at what it waits for; a waker looks at the flag after it
//       has changed that. Both are fenced, so one of the two sees the other.
//   W2  Clearing kAwaited is followed by a bump of the word and a wake of all who sleep on it.
//   W3  The words are hints. Whatever a killed waker or a hostile process leaves in them, the worst outcome is a wake-up
//       for nothing or a late one: no sleep is longer than a heartbeat, at whose end the waiter announces itself anew and
//       looks again.
//
// The lock, with its release word, was the first to do so; docs/internals/lock-protocol.md has the interleavings.
#pragma once

#include <atomic>
#include <cstdint>

#include "platform/compiler.h"
#include "platform/fence.h"
#include "platform/futex.h"
#include "shm/layout.h"

namespace procshare {

// Announces a waiter and returns what the word must hold for it to sleep. The look that W1 speaks of comes after it.
inline uint32_t AnnounceWaiter(std::atomic<uint32_t>* word, std::atomic<uint32_t>* flags) {
  const uint32_t expected = word->load(std::memory_order_relaxed);  // before the flag: a bump after it is a change (W2)
  // seq_cst, and the fence: the flag is visible before the look that follows (W1). Pairs with the fence of the waker.
  flags->fetch_or(kAwaited, std::memory_order_seq_cst);
  FullFenceAfterExchange();
  return expected;
}

PROCSHARE_COLD inline void WakeSleepers(std::atomic<uint32_t>* word, std::atomic<uint32_t>* flags) {
  // acq_rel: a waiter that announces itself after this sees the old word at the earliest, and is not ours to wake (W2).
  flags->fetch_and(~kAwaited, std::memory_order_acq_rel);
  word->fetch_add(1, std::memory_order_release);
  FutexWake(word, kWakeAll);
}

// Wakes all who have announced themselves. Requires a full fence since the change that they wait for (W1).
inline void WakeAnnounced(std::atomic<uint32_t>* word, std::atomic<uint32_t>* flags) {
  if (Unlikely((flags->load(std::memory_order_relaxed) & kAwaited) != 0)) WakeSleepers(word, flags);
}

inline uint32_t AnnounceWaiter(WakeWord* wake) { return AnnounceWaiter(&wake->word, &wake->flags); }
inline void WakeAnnounced(WakeWord* wake) { WakeAnnounced(&wake->word, &wake->flags); }

}  // namespace procshare
