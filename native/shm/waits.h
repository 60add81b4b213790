// Waits: what the event loop of an environment, or its thread, sleeps for.
//
// An event loop cannot sleep on a word, so threads of ours do: each on as many words as the system allows at once (127).
// Where it has no call for more than one, the first 16 waits have a thread each, and with more of them these threads look at
// the words in turns, under the mutex, with breaks of up to 5 ms; where it has no call at all, one thread looks at all words
// like that. They are started on demand, hold no lock of a user's, touch no JavaScript, and are gone a second after the last
// use. All that they do is call `notify` when looking again is worth while.
//
// Every kHeartbeatMs they look by themselves, which covers what no wake-up tells: a member that was killed, and a waker that
// was killed between its change and its wake-up.
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

// Looks around for some microseconds, as a blocking waiter does before it sleeps: about half of what going to sleep and being
// woken takes. True when `look` is.
template <class IsReady>
bool SpinUntil(IsReady is_ready, double timeout_ms) {
  constexpr double kSpinMs = 0.03;
  constexpr int kMaxPauses = 32;
  const Deadline end = Deadline::AfterMs(timeout_ms < kSpinMs ? timeout_ms : kSpinMs);
  // Ever longer pauses: each look takes the cache line away from the processor that is to write it. What has not come by the
  // longest one may be waiting for a processor, perhaps for ours.
  for (int pauses = 1; !is_ready(); pauses += pauses < kMaxPauses) {
    if (end.passed()) return false;
    for (int i = 0; i < pauses; ++i) SpinPause();
    if (pauses == kMaxPauses) std::this_thread::yield();
  }
  return true;
}

// One condition that can be waited for. `argument` is what the waiter says about it: how many units, how much room.
struct WaitSource {
  std::atomic<uint32_t>* word = nullptr;
  std::atomic<uint32_t>* flags = nullptr;           // of a wake word; null when each change of the condition bumps the word
  std::function<bool(uint64_t argument)> is_ready;  // whether trying is worth while; never blocks
  std::function<void()>
      on_heartbeat;  // before the look of a heartbeat: settles the affairs of the dead, and waits for nobody, not
                     // even for a mutex; may be empty
};

class Waits {
 public:
  // `notify` is called on one of the threads. `max_words` is how many one of them may sleep on at once.
  explicit Waits(std::function<void(uint32_t id)> notify, size_t max_words = MaxWaitTargets())
      : notify_(std::move(notify)), max_words_(max_words) {}
  ~Waits() { Stop(); }

  uint32_t Add(WaitSource source);
  // Nobody looks at the source's memory afterwards.
  void Remove(uint32_t id);

  // Of a wait that was removed: looking is worth while, and sleeping returns at once.
  bool IsReady(uint32_t id, uint64_t argument) const {
    return waits_[id] == nullptr || waits_[id]->source.is_ready(argument);
  }

  // Looks around until it is, for as long as that, which is less than what a blocking waiter does before it sleeps.
  bool SpinUntilReady(uint32_t id, uint64_t argument, double for_ms) const {
    return SpinUntil([&] { return IsReady(id, argument); }, for_ms);
  }

  // Asks for one call of `notify`, as soon as trying is worth while. False when it is already, and nothing was asked for.
  // EAGAIN when no thread can be had.
  Result<bool> Arm(uint32_t id, uint64_t argument);
  void Disarm(uint32_t id);

  // Blocks the calling thread until trying is worth while, or until the deadline; looks around for some microseconds before
  // it sleeps. May return for no reason.
  void Sleep(uint32_t id, uint64_t argument, double timeout_ms);

  // Ends all threads; there is no other notification.
  void Stop();

 private:
  struct Thread;
  struct Wait {
    uint32_t id;
    WaitSource source;
    Thread* thread = nullptr;  // that has it among its waits
    bool armed = false;
    uint32_t expected = 0;
    uint64_t argument = 0;
  };
  struct Thread {
    Waits* pool;
    SmallThread thread;
    std::atomic<uint32_t> kick{0};  // bumped when `waits` has changed
    std::vector<Wait*> waits;
    const std::atomic<uint32_t>* asleep_on = nullptr;  // the word of its only wait, where it cannot sleep on `kick` as well
    bool running = false;
  };

  size_t MaxSleepable() const { return max_words_ > 1 ? max_words_ - 1 : max_words_; }  // one word is for kicks
  Thread* ThreadWithRoom();
  void Kick(Thread* thread);
  void Run(Thread* self);

  const std::function<void(uint32_t id)> notify_;
  const size_t max_words_;
  std::mutex mutex_;  // guards all that follows against the threads
  std::vector<std::unique_ptr<Wait>> waits_;
  std::vector<uint32_t> free_;
  std::vector<std::unique_ptr<Thread>> threads_;
  bool stopping_ = false;
};

}  // namespace procshare
