// Waiting on words by the futex and futex_waitv system calls.

#include "platform/futex.h"

#include <errno.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

namespace procshare {
namespace {

// No call uses FUTEX_PRIVATE_FLAG: the kernel finds a private futex by its virtual address, so it does not work across processes.
// FUTEX_WAIT_BITSET, unlike FUTEX_WAIT, takes an absolute CLOCK_MONOTONIC time.
long Futex(const std::atomic<uint32_t>* word, int operation, uint32_t value, const timespec* until) {
  return syscall(SYS_futex, word, operation, value, until, nullptr, FUTEX_BITSET_MATCH_ANY);
}

// The deadline in the kernel's form; null for never.
const timespec* LimitOf(Deadline deadline, timespec* storage) {
  if (deadline.never()) return nullptr;
  const int64_t ns = deadline.since_epoch_ns();
  *storage = {static_cast<time_t>(ns / 1'000'000'000), static_cast<long>(ns % 1'000'000'000)};
  return storage;
}

WaitOutcome OutcomeOfError(int error) {
  if (error == EAGAIN || error == EFAULT) return WaitOutcome::kChanged;
  if (error == ETIMEDOUT) return WaitOutcome::kTimedOut;
  return WaitOutcome::kWoken;  // EINTR
}

// futex_waitv(2), Linux 5.16. Declared here because the build systems have older headers.
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
constexpr uint32_t kSize32 = 2;  // FUTEX_32; without FUTEX_PRIVATE_FLAG
constexpr size_t kMaxTargets = 128;
struct KernelTarget {
  uint64_t expected;
  uint64_t address;
  uint32_t flags;
  uint32_t reserved;
};

}  // namespace

WaitOutcome FutexWait(const std::atomic<uint32_t>* word, uint32_t expected, Deadline deadline) {
  timespec until;
  if (Futex(word, FUTEX_WAIT_BITSET, expected, LimitOf(deadline, &until)) == 0) return WaitOutcome::kWoken;
  return OutcomeOfError(errno);
}

size_t MaxWaitTargets() {
  // Without targets the call fails with EINVAL where it exists; in sandboxes it fails with EPERM or ENOSYS.
  static const bool available = syscall(SYS_futex_waitv, nullptr, 0, 0, nullptr, 0) == -1 && errno == EINVAL;
  return available ? kMaxTargets : 1;
}

WaitOutcome FutexWaitAny(const WaitTarget* targets, size_t count, Deadline deadline) {
  if (count == 1) return FutexWait(targets[0].word, targets[0].expected, deadline);
  KernelTarget kernel_targets[kMaxTargets];
  for (size_t i = 0; i < count; ++i) {
    kernel_targets[i] = {targets[i].expected, reinterpret_cast<uint64_t>(targets[i].word), kSize32, 0};
  }
  timespec until;
  const timespec* const limit = LimitOf(deadline, &until);
  if (syscall(SYS_futex_waitv, kernel_targets, count, 0, limit, CLOCK_MONOTONIC) >= 0) return WaitOutcome::kWoken;
  return OutcomeOfError(errno);
}

int FutexWake(const std::atomic<uint32_t>* word, int count) {
  if (count <= 0) return 0;  // the kernel wakes one sleeper before it checks the number
  const long woken = Futex(word, FUTEX_WAKE, static_cast<uint32_t>(count), nullptr);
  return woken > 0 ? static_cast<int>(woken) : 0;
}

}  // namespace procshare
