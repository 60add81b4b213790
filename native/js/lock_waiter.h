// LockWaiter: sleeps on a lock's release word so that an event loop need not.
//
// One thread per lock that somebody awaits, started on demand, gone a second after the last use. It holds no lock and
// touches no JavaScript: it calls `notify` when trying for the lock is worth while, and that is all. It looks after a dead
// owner every kHeartbeatMs, which also covers a releaser that was killed between its release and its wake-up.
#pragma once

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>

#include "platform/named_memory.h"
#include "platform/thread.h"
#include "shm/shared_lock.h"

namespace procshare {

class LockWaiter {
 public:
  // `notify` is called on the waiter's thread.
  LockWaiter(SharedLock lock, std::function<void()> notify) : lock_(lock), notify_(std::move(notify)) {}
  ~LockWaiter() { Stop(); }

  // Asks for one call of `notify`, as soon as the release word is not `expected` any more or the owner has died.
  // False when no thread can be had.
  bool Arm(uint32_t expected);
  void Disarm();

  // Ends the thread; returns when it has ended.
  void Stop();

 private:
  static constexpr double kHeartbeatMs = 50;
  static constexpr double kIdleMs = 1000;

  void Run();

  SharedLock lock_;
  std::function<void()> notify_;
  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool running_ = false;
  bool armed_ = false;
  bool stopping_ = false;
  uint32_t expected_ = 0;
  SmallThread thread_;
};

}  // namespace procshare
