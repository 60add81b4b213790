// A thread with a small stack, for work that only sleeps in the kernel. Must be joined before it is destroyed.
#pragma once

#include <cstdint>

namespace procshare {

class SmallThread {
 public:
  SmallThread() = default;
  SmallThread(const SmallThread&) = delete;
  SmallThread& operator=(const SmallThread&) = delete;

  // False when the system can start no more threads.
  bool Start(void (*run)(void*), void* argument);
  void Join();
  bool started() const { return started_; }

 private:
  void (*run_)(void*) = nullptr;
  void* argument_ = nullptr;
  uintptr_t handle_ = 0;
  bool started_ = false;
};

}  // namespace procshare
