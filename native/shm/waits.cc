#include "shm/waits.h"

#include <algorithm>
#include <cerrno>

#include "platform/deadline.h"
#include "platform/futex.h"
#include "shm/wake_word.h"

namespace procshare {
namespace {

constexpr double kHeartbeatMs = 50;
constexpr double kIdleMs = 1000;
// For systems where a call sleeps on one word only: with more waits than this, the threads share the waits and poll.
constexpr size_t kMaxThreads = 16;
constexpr double kMinPollMs = 0.1;
constexpr double kMaxPollMs = 5;

uint32_t Announce(const WaitSource& source) {
  if (source.flags != nullptr) return AnnounceWaiter(source.word, source.flags);
  return source.word->load(std::memory_order_acquire);
}

}  // namespace

uint32_t Waits::Add(WaitSource source) {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (free_.empty()) {
    free_.push_back(static_cast<uint32_t>(waits_.size()));
    waits_.emplace_back();
  }
  const uint32_t id = free_.back();
  free_.pop_back();
  waits_[id].reset(new Wait{id, std::move(source)});
  return id;
}

void Waits::Remove(uint32_t id) {
  const std::lock_guard<std::mutex> guard(mutex_);
  Wait* const wait = waits_[id].get();
  if (wait->thread != nullptr) {
    // The thread may continue to sleep on the word: the kernel tolerates a word that is no longer mapped.
    std::vector<Wait*>& waits = wait->thread->waits;
    if (max_words_ == 1) FutexWake(wait->source.word, kWakeAll);  // the last moment to make the thread sleep on another word
    waits.erase(std::find(waits.begin(), waits.end(), wait));
  }
  waits_[id].reset();
  free_.push_back(id);
}

Result<bool> Waits::Arm(uint32_t id, uint64_t argument) {
  const std::lock_guard<std::mutex> guard(mutex_);
  Wait* const wait = waits_[id].get();
  if (wait == nullptr) return false;
  wait->argument = argument;
  wait->expected = Announce(wait->source);
  if (wait->source.is_ready(argument)) return false;
  if (stopping_) return true;
  if (wait->thread == nullptr) {
    Thread* const thread = ThreadWithRoom();
    if (thread == nullptr) return Status::System(EAGAIN, "pthread_create");
    thread->waits.push_back(wait);
    wait->thread = thread;
  }
  wait->armed = true;
  Kick(wait->thread);
  return true;
}

void Waits::Disarm(uint32_t id) {
  const std::lock_guard<std::mutex> guard(mutex_);
  if (waits_[id] != nullptr) waits_[id]->armed = false;
}

void Waits::Sleep(uint32_t id, uint64_t argument, double timeout_ms) {
  if (waits_[id] == nullptr) return;
  const WaitSource& source = waits_[id]->source;  // without the mutex: only this thread adds and removes waits
  if (SpinUntil([&] { return source.is_ready(argument); }, timeout_ms)) return;
  const uint32_t expected = Announce(source);
  if (source.is_ready(argument)) return;
  const WaitOutcome outcome = FutexWait(source.word, expected, Deadline::AfterMs(timeout_ms));
  if (outcome == WaitOutcome::kTimedOut && source.on_heartbeat) source.on_heartbeat();
}

Waits::Thread* Waits::ThreadWithRoom() {
  const size_t max_threads = max_words_ > 1 ? SIZE_MAX : max_words_ == 1 ? kMaxThreads : 1;
  Thread* idle = nullptr;
  Thread* least = nullptr;
  size_t running = 0;
  for (const auto& thread : threads_) {
    if (!thread->running) {
      idle = thread.get();
      continue;
    }
    if (thread->waits.size() < MaxSleepable()) return thread.get();
    ++running;
    if (least == nullptr || thread->waits.size() < least->waits.size()) least = thread.get();
  }
  if (running >= max_threads) return least;
  if (idle == nullptr) {
    threads_.emplace_back(new Thread);
    idle = threads_.back().get();
    idle->pool = this;
  }
  idle->thread.Join();  // it has ended, or is about to end
  idle->running =
      idle->thread.Start([](void* self) { static_cast<Thread*>(self)->pool->Run(static_cast<Thread*>(self)); }, idle);
  // When no thread can be started, an existing one polls the words.
  return idle->running ? idle : least;
}

void Waits::Kick(Thread* thread) {
  thread->kick.fetch_add(1, std::memory_order_release);
  FutexWake(&thread->kick, kWakeAll);
  if (thread->asleep_on != nullptr) FutexWake(thread->asleep_on, kWakeAll);
}

void Waits::Run(Thread* self) {
  std::vector<WaitTarget> targets;
  std::vector<uint32_t> ready_ids;
  Deadline heartbeat = Deadline::AfterMs(kHeartbeatMs);
  double poll_ms = kMinPollMs;
  uint32_t last_kick = 0;
  std::unique_lock<std::mutex> guard(mutex_);
  while (!stopping_) {
    targets.clear();
    const uint32_t kick = self->kick.load(std::memory_order_acquire);
    const bool idle = self->waits.empty();
    const bool polls = self->waits.size() > MaxSleepable();
    Deadline end = heartbeat;
    if (idle) end = Deadline::AfterMs(kIdleMs);
    if (polls) {
      poll_ms = kick == last_kick && ready_ids.empty() ? std::min(poll_ms * 2, kMaxPollMs) : kMinPollMs;
      end = Deadline::Earlier(heartbeat, Deadline::AfterMs(poll_ms));
    }
    last_kick = kick;
    if (idle || polls || max_words_ > 1) targets.push_back({&self->kick, kick});
    if (!polls) {
      for (const Wait* wait : self->waits) targets.push_back({wait->source.word, wait->expected});
    }
    if (max_words_ <= 1 && !idle && !polls) self->asleep_on = targets[0].word;
    guard.unlock();
    const WaitOutcome outcome = FutexWaitAny(targets.data(), targets.size(), end);
    guard.lock();
    self->asleep_on = nullptr;
    if (idle && outcome == WaitOutcome::kTimedOut && self->waits.empty()) break;

    const bool is_heartbeat = heartbeat.passed();
    if (is_heartbeat) heartbeat = Deadline::AfterMs(kHeartbeatMs);
    ready_ids.clear();
    for (Wait* wait : self->waits) {
      if (!wait->armed) continue;
      bool is_ready = wait->source.word->load(std::memory_order_acquire) != wait->expected;
      if (!is_ready && is_heartbeat) {
        if (wait->source.on_heartbeat) wait->source.on_heartbeat();
        wait->expected = Announce(wait->source);
        is_ready = wait->source.is_ready(wait->argument);
      }
      if (!is_ready) continue;
      wait->armed = false;
      ready_ids.push_back(wait->id);
    }
    const auto is_over = [](Wait* wait) {
      if (!wait->armed) wait->thread = nullptr;
      return !wait->armed;
    };
    self->waits.erase(std::remove_if(self->waits.begin(), self->waits.end(), is_over), self->waits.end());
    guard.unlock();
    for (const uint32_t id : ready_ids) notify_(id);
    guard.lock();
  }
  self->running = false;
}

void Waits::Stop() {
  {
    const std::lock_guard<std::mutex> guard(mutex_);
    stopping_ = true;
    for (const auto& thread : threads_) Kick(thread.get());
  }
  for (const auto& thread : threads_) thread->thread.Join();
}

}  // namespace procshare
