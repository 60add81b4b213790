// Wake words: a waiter sleeps on a word, and a waker makes a system call only when there may be waiters.
//
//   W1  A waiter sets kAwaited before it checks the state for the last time. A waker reads the flag after it has changed the
//       state. Both use a full fence, so the waiter sees the change or the waker sees the flag.
//   W2  Clearing kAwaited is followed by a bump of the word and a wake of all its sleepers.
//   W3  The words are hints. A killed waker or a hostile process can leave anything in them: a wake-up is at worst spurious or
//       late. No sleep is longer than a heartbeat, after which the waiter sets the flag and checks the state again.
//
// The release word of the lock follows the same protocol; docs/internals/lock-protocol.md has the interleavings.
#pragma once

#include <atomic>
#include <cstdint>

#include "platform/compiler.h"
#include "platform/fence.h"
#include "platform/futex.h"
#include "shm/layout.h"

namespace procshare {

// Announces a waiter, and returns the value of the word on which it sleeps. The last check of W1 comes after this call.
inline uint32_t AnnounceWaiter(std::atomic<uint32_t>* word, std::atomic<uint32_t>* flags) {
  const uint32_t expected = word->load(std::memory_order_relaxed);  // before the flag: a bump after it is a change (W2)
  // seq_cst, and the fence: the flag is visible before the check that follows (W1). Pairs with the fence of the waker.
  flags->fetch_or(kAwaited, std::memory_order_seq_cst);
  FullFenceAfterExchange();
  return expected;
}

PROCSHARE_COLD inline void WakeSleepers(std::atomic<uint32_t>* word, std::atomic<uint32_t>* flags) {
  // acq_rel: a waiter that announces itself after this sees the old word at the earliest, and the next waker wakes it (W2).
  flags->fetch_and(~kAwaited, std::memory_order_acq_rel);
  word->fetch_add(1, std::memory_order_release);
  FutexWake(word, kWakeAll);
}

// Wakes all waiters that have announced themselves. Requires a full fence since the change for which they wait (W1).
inline void WakeAnnounced(std::atomic<uint32_t>* word, std::atomic<uint32_t>* flags) {
  if (Unlikely((flags->load(std::memory_order_relaxed) & kAwaited) != 0)) WakeSleepers(word, flags);
}

inline uint32_t AnnounceWaiter(WakeWord* wake) { return AnnounceWaiter(&wake->word, &wake->flags); }
inline void WakeAnnounced(WakeWord* wake) { WakeAnnounced(&wake->word, &wake->flags); }

}  // namespace procshare
