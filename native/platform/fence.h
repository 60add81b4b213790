// The full fence between a thread's own store and its load of the other side's store. Each pair of a waiter and a waker relies on
// it.
#pragma once

#include <atomic>

namespace procshare {

// Requires: an atomic read-modify-write of at least release order just before, on any word. On x86 that operation is a full fence
// by itself, so a fence for the compiler is enough; this saves a third of an unlock. On other processors it is no full fence.
inline void FullFenceAfterExchange() {
#if defined(__x86_64__) || defined(__i386__) || defined(_M_X64)
  std::atomic_signal_fence(std::memory_order_seq_cst);
#else
  std::atomic_thread_fence(std::memory_order_seq_cst);
#endif
}

}  // namespace procshare
