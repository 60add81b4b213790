#include "js/lock_waiter.h"

#include <chrono>

#include "platform/futex.h"

namespace procshare {

bool LockWaiter::Arm(uint32_t expected) {
  std::unique_lock<std::mutex> guard(mutex_);
  expected_ = expected;
  armed_ = true;
  if (running_) {
    changed_.notify_one();
    return true;
  }
  thread_.Join();  // one that went idle has ended, or is about to
  running_ = thread_.Start([](void* self) { static_cast<LockWaiter*>(self)->Run(); }, this);
  armed_ = running_;
  return running_;
}

void LockWaiter::Disarm() {
  const std::lock_guard<std::mutex> guard(mutex_);
  armed_ = false;
}

void LockWaiter::Stop() {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    stopping_ = true;
    changed_.notify_one();
  }
  // The thread may be asleep on the word, or about to be: wake it until it has seen `stopping_`.
  for (;;) {
    {
      std::unique_lock<std::mutex> guard(mutex_);
      if (!running_) break;
      FutexWake(lock_.release_word(), kWakeAll);
      changed_.wait_for(guard, std::chrono::milliseconds(1));
    }
  }
  thread_.Join();
}

void LockWaiter::Run() {
  std::unique_lock<std::mutex> guard(mutex_);
  const auto idle = std::chrono::duration<double, std::milli>(kIdleMs);
  for (;;) {
    const bool wanted = changed_.wait_for(guard, idle, [this] { return armed_ || stopping_; });
    if (!wanted || stopping_) break;
    const uint32_t expected = expected_;
    guard.unlock();
    const WaitOutcome outcome = FutexWait(lock_.release_word(), expected, Deadline::AfterMs(kHeartbeatMs));
    const bool nothing_new = outcome == WaitOutcome::kTimedOut && lock_.StillHeld();
    guard.lock();
    if (stopping_) break;
    if (nothing_new || !armed_) continue;
    armed_ = false;
    guard.unlock();
    notify_();
    guard.lock();
  }
  running_ = false;
  changed_.notify_one();
}

}  // namespace procshare
