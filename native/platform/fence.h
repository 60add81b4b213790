// The full fence between "I said so" and "did they say so?", on which each pair of a waiter and a waker rests.
#pragma once

#include <atomic>

namespace procshare {

// Requires: an atomic read-modify-write of at least release order just before, on any word. On x86 that is a full fence
// by itself and only the compiler needs telling, which saves a third of an unlock; elsewhere it is none.
inline void FullFenceAfterExchange() {
#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64)
  std::atomic_signal_fence(std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

}  // namespace procshare
