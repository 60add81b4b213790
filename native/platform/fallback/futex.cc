// Waiting without any support by the system; polling_wait.h has the cost.

#include "platform/futex.h"

#include "platform/fallback/polling_wait.h"

namespace procshare {

WaitOutcome FutexWait(const std::atomic<uint32_t>* word, uint32_t expected, Deadline deadline) {
  return PollingWait(word, expected, deadline);
}

size_t MaxWaitTargets() { return 0; }  // reading a word that is not mapped any more would end the process

WaitOutcome FutexWaitAny(const WaitTarget* targets, size_t, Deadline deadline) {
  return PollingWait(targets[0].word, targets[0].expected, deadline);
}

int FutexWake(const std::atomic<uint32_t>*, int) { return 0; }

}  // namespace procshare
