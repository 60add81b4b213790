// Waits: the threads that sleep for an event loop notify it exactly when an attempt may succeed, and end soon after.

#include "shm/waits.h"

#include <atomic>
#include <deque>
#include <memory>
#include <thread>

#include "check.h"
#include "shm/wake_word.h"

namespace procshare::testing {
namespace {

constexpr double kHeartbeatMs = 50;
constexpr size_t kOneWord = 1;
constexpr size_t kNoWord = 0;

// A number that can be waited for: until it is at least the argument.
struct Condition {
  WakeWord wake{};
  std::atomic<uint64_t> value{0};
  std::atomic<int> told{0};
  std::atomic<int> tended{0};
  uint32_t id = 0;

  WaitSource Source() {
    return {&wake.word, &wake.flags, [this](uint64_t argument) { return value >= argument; }, [this] { ++tended; }};
  }
  void Change(uint64_t to) {
    value.exchange(to);
    FullFenceAfterExchange();
    WakeAnnounced(&wake);
  }
};

class Pool {
 public:
  Pool(size_t count, size_t max_words) : waits_([this](uint32_t id) { ++by_id_[id]->told; }, max_words) {
    for (size_t i = 0; i < count; ++i) {
      Condition* const condition = &conditions_.emplace_back();
      condition->id = waits_.Add(condition->Source());
      CHECK_EQ(condition->id, i);
      by_id_.push_back(condition);
    }
  }
  Waits* operator->() { return &waits_; }
  Condition& operator[](size_t index) { return conditions_[index]; }

  void MustArm(size_t index, uint64_t argument) {
    const Result<bool> armed = waits_.Arm(conditions_[index].id, argument);
    CHECK(armed.ok() && armed.value());
  }

 private:
  std::deque<Condition> conditions_;
  std::deque<Condition*> by_id_;
  Waits waits_;  // the last member: its threads are gone first
};

void ToldOnce(size_t max_words) {
  Pool pool(1, max_words);
  pool[0].value = 3;
  CHECK(!pool->Arm(0, 3).value());  // may succeed already
  for (int round = 1; round <= 50; ++round) {
    pool.MustArm(0, 3 + static_cast<uint64_t>(round));
    pool[0].Change(3 + static_cast<uint64_t>(round));
    Eventually([&] { return pool[0].told == round; });
    pool[0].Change(3 + static_cast<uint64_t>(round));  // no wait is armed
  }
  pool.MustArm(0, 1000);
  pool->Disarm(0);
  pool[0].Change(1000);
  SleepMs(2 * kHeartbeatMs);
  CHECK_EQ(pool[0].told.load(), 50);
}

void EachOf(size_t count, size_t max_words) {
  Pool pool(count, max_words);
  const size_t before = Threads();
  for (size_t i = 0; i < count; ++i) pool.MustArm(i, 1);
  size_t threads = max_words <= 1 ? 0 : (count + max_words - 2) / (max_words - 1);  // one word is for kicks
  if (max_words == kOneWord) threads = std::min<size_t>(count, 16);
  if (max_words == kNoWord) threads = 1;
  Eventually([&] { return Threads() == before + threads; });
  for (size_t i = 0; i < count; i += 2) pool[i].Change(1);
  Eventually([&] {
    for (size_t i = 0; i < count; i += 2) {
      if (pool[i].told != 1) return false;
    }
    return true;
  });
  for (size_t i = 1; i < count; i += 2) CHECK_EQ(pool[i].told.load(), 0);
}

void TheHeartbeatNotices(size_t max_words) {
  Pool pool(1, max_words);
  pool.MustArm(0, 1);
  pool[0].value = 1;  // without a wake-up, as after a kill before it
  const Stopwatch watch;
  Eventually([&] { return pool[0].told == 1; });
  CHECK(pool[0].tended > 0);
  CHECK(watch.ms() < 700);
}

void TheMemoryGoes(size_t max_words) {
  Pool pool(1, max_words);
  void* const page = MapPage();
  CHECK(page != nullptr);
  auto* const wake = new (page) WakeWord();
  for (int round = 0; round < 20; ++round) {
    const uint32_t id = pool->Add({&wake->word, &wake->flags, [wake](uint64_t) { return wake->word == UINT32_MAX; }, {}});
    CHECK(pool->Arm(id, 0).value());
    if (round % 2 == 0) SleepMs(1);  // its thread sleeps, or is about to
    pool->Remove(id);
  }
  UnmapPage(page);
  pool.MustArm(0, 1);
  SleepMs(2 * kHeartbeatMs);
  pool[0].Change(1);
  Eventually([&] { return pool[0].told == 1; });
}

void Stopped(size_t max_words) {
  Pool pool(3, max_words);
  const size_t before = Threads();
  for (size_t i = 0; i < 3; ++i) pool.MustArm(i, 1);
  const Stopwatch watch;
  pool->Stop();
  CHECK(watch.ms() < 700);
  CHECK_EQ(Threads(), before);
  CHECK(pool->Arm(0, 1).value());  // accepted, and never notified
  pool[0].Change(1);
  SleepMs(2 * kHeartbeatMs);
  CHECK_EQ(pool[0].told.load(), 0);
}

void IdleThreadsGo() {
  const size_t before = Threads();
  Pool pool(200, MaxWaitTargets());
  for (size_t i = 0; i < 200; ++i) pool.MustArm(i, 1);
  for (size_t i = 0; i < 200; ++i) pool->Disarm(static_cast<uint32_t>(i));
  const Stopwatch watch;
  Eventually([&] { return Threads() == before; });
  CHECK(watch.ms() < 2500);
  pool.MustArm(7, 1);  // and come again
  pool[7].Change(1);
  Eventually([&] { return pool[7].told == 1; });
}

void TheThreadItselfSleeps() {
  Pool pool(1, MaxWaitTargets());
  std::thread changer([&] {
    SleepMs(20);
    pool[0].Change(1);
  });
  const Deadline deadline = Deadline::AfterMs(kPatienceMs);
  while (!pool->IsReady(0, 1)) {
    CHECK(!deadline.passed());
    pool->Sleep(0, 1, 5000);
  }
  changer.join();
  const Stopwatch watch;
  pool->Sleep(0, 2, 30);
  CHECK(watch.ms() >= 29 && pool[0].tended == 1);
}

// The state changes between the last check of the spinning and the announcement, so the waker sees no waiter.
void TheThreadLooksAgainBeforeItSleeps() {
  constexpr double kLongMs = 10'000;
  WakeWord wake{};
  Waits waits([](uint32_t) {});
  WaitSource source;
  source.word = &wake.word;
  source.flags = &wake.flags;
  source.is_ready = [&](uint64_t) { return (wake.flags & kAwaited) != 0; };  // true by then, without a wake-up
  const uint32_t id = waits.Add(source);
  const Stopwatch watch;
  waits.Sleep(id, 0, kLongMs);
  CHECK(watch.ms() < kLongMs / 2);
}

template <void (*kBody)(size_t)>
void OnManyWords() {
  if (MaxWaitTargets() <= 1) return Skip("the system has no call for many words");
  kBody(MaxWaitTargets());
}
template <void (*kBody)(size_t)>
void OnOneWord() {
  if (MaxWaitTargets() == 0) return Skip("the system has no call for a word that may go");
  kBody(kOneWord);
}
template <void (*kBody)(size_t)>
void OnNoWord() {
  kBody(kNoWord);
}
void Each300(size_t max_words) { EachOf(300, max_words); }
void Each10(size_t max_words) { EachOf(10, max_words); }

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  const Test tests[] = {
      {"the thread looks again before it sleeps", TheThreadLooksAgainBeforeItSleeps},
      {"a wait is told once", OnManyWords<ToldOnce>},
      {"a wait is told once, one word a thread", OnOneWord<ToldOnce>},
      {"a wait is told once, by looking", OnNoWord<ToldOnce>},
      {"each of many is told, and no other", OnManyWords<Each300>},
      {"each of some is told, and no other, one word a thread", OnOneWord<Each10>},
      {"each of more than there are threads is told, and no other", OnOneWord<Each300>},
      {"each of many is told, and no other, by looking", OnNoWord<Each300>},
      {"the heartbeat notices what no wake-up tells", OnManyWords<TheHeartbeatNotices>},
      {"the heartbeat notices what no wake-up tells, one word a thread", OnOneWord<TheHeartbeatNotices>},
      {"the heartbeat notices what no wake-up tells, by looking", OnNoWord<TheHeartbeatNotices>},
      {"memory that is unmapped after its wait does no harm", OnManyWords<TheMemoryGoes>},
      {"memory that is unmapped after its wait does no harm, one word a thread", OnOneWord<TheMemoryGoes>},
      {"memory that is unmapped after its wait does no harm, by looking", OnNoWord<TheMemoryGoes>},
      {"stopping ends all threads at once", OnManyWords<Stopped>},
      {"stopping ends all threads at once, one word a thread", OnOneWord<Stopped>},
      {"stopping ends all threads at once, by looking", OnNoWord<Stopped>},
      {"idle threads go", IdleThreadsGo},
      {"the thread itself sleeps until it is worth while", TheThreadItselfSleeps},
  };
  return RunTests(argc, argv, tests);
}
