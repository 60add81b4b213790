// Waits: the waits of one environment, and the threads that sleep for its event loop.
//
// An event loop cannot sleep on a word, so waiting threads do. Each sleeps on as many words as the system allows at once (127).
// Where the system has no call for more than one word, the first 16 waits have a thread each. With more waits, these threads poll
// the words under the mutex, with pauses of up to 5 ms. Where the system has no call at all, one thread polls all words. The
// threads are started on demand, and end a second after their last wait. They take no lock of the user and run no JavaScript.
// They only call `notify`, when an attempt may succeed.
//
// Every kHeartbeatMs they check without a wake-up. That covers deaths, which wake no thread: the death of a member, and that of a
// waker between its change and its wake-up.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "platform/deadline.h"
#include "platform/futex.h"
#include "platform/status.h"
#include "platform/thread.h"
#include "shm/wake_word.h"

namespace procshare {

// Spins until `is_ready` is true, for at most 30 microseconds: about half of the cost of a sleep and a wake-up. False when it did
// not become true.
template <class IsReady>
bool SpinUntil(IsReady is_ready, double timeout_ms) {
  constexpr double kSpinMs = 0.03;
  constexpr int kMaxPauses = 32;
  const Deadline end = Deadline::AfterMs(timeout_ms < kSpinMs ? timeout_ms : kSpinMs);
  // The pauses grow, because each check takes the cache line from the processor that will write it. After the longest pause the
  // waker may itself be waiting for this processor, so the thread yields it.
  for (int pauses = 1; !is_ready(); pauses += pauses < kMaxPauses) {
    if (end.passed()) return false;
    for (int i = 0; i < pauses; ++i) SpinPause();
    if (pauses == kMaxPauses) std::this_thread::yield();
  }
  return true;
}

// A state that can be waited for. `argument` is the need of the waiter: a number of units, an amount of room.
struct WaitSource {
  std::atomic<uint32_t>* word = nullptr;
  std::atomic<uint32_t>* flags = nullptr;           // of a wake word; null when each change of the condition bumps the word
  std::function<bool(uint64_t argument)> is_ready;  // whether an attempt may succeed; never blocks
  // Called before the check of a heartbeat: reaps dead members. Does not wait for a mutex. May be empty.
  std::function<void()> on_heartbeat;
};

class Waits {
 public:
  // `notify` is called on a waiting thread. `max_words`: the number of words on which one thread may sleep at once.
  explicit Waits(std::function<void(uint32_t id)> notify, size_t max_words = MaxWaitTargets())
      : notify_(std::move(notify)), max_words_(max_words) {}
  ~Waits() { Stop(); }

  uint32_t Add(WaitSource source);
  // No thread reads the memory of the source afterwards.
  void Remove(uint32_t id);

  // Whether an attempt may succeed. True for a wait that was removed, and Sleep() returns at once for it.
  bool IsReady(uint32_t id, uint64_t argument) const {
    return waits_[id] == nullptr || waits_[id]->source.is_ready(argument);
  }

  // The same, but spins until it is true, for at most `for_ms`.
  bool SpinUntilReady(uint32_t id, uint64_t argument, double for_ms) const {
    return SpinUntil([&] { return IsReady(id, argument); }, for_ms);
  }

  // Requests one call of `notify`, as soon as an attempt may succeed. False, without a request, when it may succeed now. EAGAIN when no
  // thread can be started.
  Result<bool> Arm(uint32_t id, uint64_t argument);
  void Disarm(uint32_t id);

  // Blocks the calling thread until an attempt may succeed, or until the timeout; spins before it sleeps. May return spuriously.
  void Sleep(uint32_t id, uint64_t argument, double timeout_ms);

  // Ends all threads; there are no notifications afterwards.
  void Stop();

 private:
  struct Thread;
  struct Wait {
    uint32_t id;
    WaitSource source;
    Thread* thread = nullptr;  // the thread that sleeps for it
    bool armed = false;
    uint32_t expected = 0;
    uint64_t argument = 0;
  };
  struct Thread {
    Waits* pool;
    SmallThread thread;
    std::atomic<uint32_t> kick{0};  // bumped when `waits` has changed
    std::vector<Wait*> waits;
    const std::atomic<uint32_t>* asleep_on = nullptr;  // the word of its only wait, when it cannot sleep on `kick` as well
    bool running = false;
  };

  size_t MaxSleepable() const { return max_words_ > 1 ? max_words_ - 1 : max_words_; }  // one word is for `kick`
  Thread* ThreadWithRoom();
  void Kick(Thread* thread);
  void Run(Thread* self);

  const std::function<void(uint32_t id)> notify_;
  const size_t max_words_;
  std::mutex mutex_;  // guards all members below
  std::vector<std::unique_ptr<Wait>> waits_;
  std::vector<uint32_t> free_;
  std::vector<std::unique_ptr<Thread>> threads_;
  bool stopping_ = false;
};

}  // namespace procshare
