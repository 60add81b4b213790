// Waiting on macOS. Since macOS 14.4, os_sync_wait_on_address() can wait across processes; on older systems waiters poll. The
// function is looked up at run time, so that one binary works on both. All processes of a machine make the same choice. The
// declarations are those of <os/os_sync_wait_on_address.h>, which older headers lack.

#include "platform/futex.h"

#include <errno.h>

#include <algorithm>

#include "platform/fallback/polling_wait.h"
#include "platform/symbol_lookup.h"

namespace procshare {
namespace {

constexpr uint32_t kShared = 1;             // OS_SYNC_WAIT_ON_ADDRESS_SHARED, OS_SYNC_WAKE_BY_ADDRESS_SHARED
constexpr uint32_t kMachAbsoluteTime = 32;  // OS_CLOCK_MACH_ABSOLUTE_TIME

struct SystemCalls {
  // `timeout_ns` is relative and not 0. Returns -1 with ETIMEDOUT, EINTR, EFAULT, ..., or at least 0: woken, or the word
  // held another value.
  int (*wait)(void* word, uint64_t expected, size_t size, uint32_t flags, uint32_t clock, uint64_t timeout_ns);
  int (*wake_any)(void* word, size_t size, uint32_t flags);  // -1 with ENOENT when no thread sleeps
  int (*wake_all)(void* word, size_t size, uint32_t flags);
  bool available;
};

template <class Function>
void Find(const char* name, Function* function) {
  *function = reinterpret_cast<Function>(FindProgramSymbol(name));
}

const SystemCalls& System() {
  static const SystemCalls calls = [] {
    SystemCalls found = {};
    Find("os_sync_wait_on_address_with_timeout", &found.wait);
    Find("os_sync_wake_by_address_any", &found.wake_any);
    Find("os_sync_wake_by_address_all", &found.wake_all);
    found.available = found.wait != nullptr && found.wake_any != nullptr && found.wake_all != nullptr;
    return found;
  }();
  return calls;
}

void* Address(const std::atomic<uint32_t>* word) { return const_cast<std::atomic<uint32_t>*>(word); }

WaitOutcome SystemWait(const std::atomic<uint32_t>* word, uint32_t expected, Deadline deadline) {
  constexpr int64_t kMaxNs = 3'600'000'000'000;  // an hour: the system refuses times that are too far away
  const int64_t left_ns = deadline.remaining_ns();
  if (left_ns == 0) return WaitOutcome::kTimedOut;
  const auto timeout_ns = static_cast<uint64_t>(std::min(left_ns, kMaxNs));
  if (System().wait(Address(word), expected, sizeof *word, kShared, kMachAbsoluteTime, timeout_ns) >= 0) {
    return WaitOutcome::kWoken;
  }
  if (errno == ETIMEDOUT && deadline.passed()) return WaitOutcome::kTimedOut;
  return errno == EFAULT ? WaitOutcome::kChanged : WaitOutcome::kWoken;
}

}  // namespace

WaitOutcome FutexWait(const std::atomic<uint32_t>* word, uint32_t expected, Deadline deadline) {
  if (!System().available) return PollingWait(word, expected, deadline);
  if (word->load(std::memory_order_acquire) != expected) return WaitOutcome::kChanged;
  return SystemWait(word, expected, deadline);
}

size_t MaxWaitTargets() { return System().available ? 1 : 0; }

// Does not read the word first: it may not be mapped any more, and only the system call tolerates that.
WaitOutcome FutexWaitAny(const WaitTarget* targets, size_t, Deadline deadline) {
  if (!System().available) return PollingWait(targets[0].word, targets[0].expected, deadline);
  return SystemWait(targets[0].word, targets[0].expected, deadline);
}

int FutexWake(const std::atomic<uint32_t>* word, int count) {
  if (count <= 0 || !System().available) return 0;
  if (count == kWakeAll) return System().wake_all(Address(word), sizeof *word, kShared) == 0 ? 1 : 0;
  int woken = 0;
  while (woken < count && System().wake_any(Address(word), sizeof *word, kShared) == 0) ++woken;
  return woken;
}

}  // namespace procshare
