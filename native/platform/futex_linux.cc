#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "platform/futex.h"

namespace procshare {
namespace {

// No FUTEX_PRIVATE_FLAG anywhere: a private futex is keyed by virtual address and never meets another process.
// FUTEX_WAIT_BITSET instead of FUTEX_WAIT because it takes an absolute CLOCK_MONOTONIC time.
long Futex(const std::atomic<uint32_t>* word, int operation, uint32_t value, const timespec* until) {
  return syscall(SYS_futex, word, operation, value, until, nullptr, FUTEX_BITSET_MATCH_ANY);
}

}  // namespace

WaitOutcome FutexWait(const std::atomic<uint32_t>* word, uint32_t expected, Deadline deadline) {
  timespec until;
  const timespec* limit = nullptr;
  if (!deadline.never()) {
    const int64_t ns = deadline.since_epoch_ns();
    until = {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
    limit = &until;
  }
  if (Futex(word, FUTEX_WAIT_BITSET, expected, limit) == 0) return WaitOutcome::kWoken;
  if (errno == EAGAIN) return WaitOutcome::kChanged;
  if (errno == ETIMEDOUT) return WaitOutcome::kTimedOut;
  return WaitOutcome::kWoken;  // EINTR
}

int FutexWake(const std::atomic<uint32_t>* word, int count) {
  if (count <= 0) return 0;  // the kernel wakes one before it looks at the number
  const long woken = Futex(word, FUTEX_WAKE, static_cast<uint32_t>(count), nullptr);
  return woken > 0 ? static_cast<int>(woken) : 0;
}

}  // namespace procshare
