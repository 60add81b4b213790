// platform/futex.h across processes and addresses, and the arithmetic of platform/deadline.h that it relies
// on.

#include "platform/futex.h"

#include <signal.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "check.h"
#include "child_process.h"
#include "two_views.h"

namespace procshare::testing {
namespace {

struct Words {
  std::atomic<uint32_t> word{0};
  std::atomic<uint32_t> answer{0};
  std::atomic<uint32_t> sleeping{0};
};

// Wakes sleepers one call after the other until there were `count` of them; each call may wake up to
// `at_a_time`.
void WakeUntil(const std::atomic<uint32_t>* word, int count, int at_a_time) {
  const Deadline deadline = Deadline::AfterMs(kPatienceMs);
  for (int woken = 0; woken < count;) {
    const int now = FutexWake(word, at_a_time);
    CHECK(now <= at_a_time);
    woken += now;
    CHECK(woken <= count);
    CHECK(!deadline.passed());
    if (now == 0) sched_yield();
  }
}

void AChangedWordIsNotWaitedFor() {
  const TwoViews<Words> views;
  views.first()->word = 7;
  const Stopwatch watch;
  for (const uint32_t other : {0u, 6u, 8u, 0x80000007u, UINT32_MAX}) {
    CHECK_EQ(FutexWait(&views.second()->word, other, Deadline::Never()), WaitOutcome::kChanged);
  }
  CHECK(watch.ms() < 1000);
  CHECK_EQ(FutexWait(&views.second()->word, 8, Deadline::AfterMs(0)), WaitOutcome::kChanged);
}

void AWaitEndsAtItsDeadlineAndNotBefore() {
  const TwoViews<Words> views;
  for (const double ms : {0.0, 0.05, 1.0, 3.7, 20.0}) {
    const Deadline deadline = Deadline::AfterMs(ms);
    const Stopwatch watch;
    WaitOutcome outcome;
    do outcome = FutexWait(&views.first()->word, 0, deadline);
    while (outcome == WaitOutcome::kWoken);
    CHECK_EQ(outcome, WaitOutcome::kTimedOut);
    CHECK(deadline.passed());
    CHECK_EQ(deadline.remaining_ns(), 0);
    CHECK(watch.ms() < ms + 1000);
  }
}

void NobodyIsWokenWhenNobodySleeps() {
  const TwoViews<Words> views;
  CHECK_EQ(FutexWake(&views.first()->word, 1), 0);
  CHECK_EQ(FutexWake(&views.first()->word, kWakeAll), 0);
}

// One process sleeps at one address, the other wakes at another.
void AWakeCrossesProcessesAndAddresses() {
  const TwoViews<Words> views;
  Child sleeper([&](const Channel& parent) {
    parent.Send('s');
    CHECK_EQ(FutexWait(&views.second()->word, 0, Deadline::AfterMs(kPatienceMs)), WaitOutcome::kWoken);
    parent.Send('w');
  });
  sleeper.Expect('s');
  WakeUntil(&views.first()->word, 1, 1);
  sleeper.Expect('w');
  sleeper.ExpectEnd();
}

void AWakeWakesAsManyAsItSays() {
  constexpr int kSleepers = 5;
  const TwoViews<Words> views;
  std::vector<Child> sleepers;
  for (int i = 0; i < kSleepers; ++i) {
    sleepers.emplace_back([&](const Channel& parent) {
      CHECK_EQ(FutexWait(&views.second()->word, 0, Deadline::AfterMs(kPatienceMs)), WaitOutcome::kWoken);
      views.second()->answer.fetch_add(1);
      parent.Send('w');
    });
  }
  WakeUntil(&views.first()->word, 3, 1);
  // The other two still sleep, or are about to: no other process has been woken, and a wake of none wakes none.
  CHECK(views.first()->answer <= 3);
  CHECK_EQ(FutexWake(&views.first()->word, 0), 0);
  WakeUntil(&views.first()->word, 2, kWakeAll);
  for (Child& sleeper : sleepers) {
    sleeper.Expect('w');
    sleeper.ExpectEnd();
  }
  CHECK_EQ(views.first()->answer.load(), kSleepers);
}

void AKilledSleeperIsForgotten() {
  const TwoViews<Words> views;
  Child sleeper([&](const Channel&) {
    for (;;) (void)FutexWait(&views.second()->word, 0, Deadline::Never());
  });
  WakeUntil(&views.first()->word, 1, 1);  // it did sleep
  sleeper.Kill();
  CHECK_EQ(FutexWake(&views.first()->word, kWakeAll), 0);
}

void ASignalEndsAWaitEarlyAndSaysNothingFalse() {
  const TwoViews<Words> views;
  Child sleeper([&](const Channel&) {
    struct sigaction action = {};
    action.sa_handler = [](int) {};
    CHECK_EQ(sigaction(SIGALRM, &action, nullptr), 0);  // without SA_RESTART
    const itimerval soon = {{0, 5000}, {0, 5000}};
    CHECK_EQ(setitimer(ITIMER_REAL, &soon, nullptr), 0);
    const Deadline deadline = Deadline::AfterMs(60);
    WaitOutcome outcome;
    int wakes = 0;
    do {
      outcome = FutexWait(&views.second()->word, 0, deadline);
      ++wakes;
    } while (outcome == WaitOutcome::kWoken);
    CHECK_EQ(outcome, WaitOutcome::kTimedOut);
    CHECK(deadline.passed());
    CHECK(wakes > 1);
  });
  sleeper.ExpectEnd();
}

// The pattern of every lock of the upper layers: change, then wake. No turn may be lost, because no sleeper checks again without
// a wake-up.
template <class Start>
void PingPong(const TwoViews<Words>& views, uint32_t rounds, const Start& start_partner) {
  const auto wait_for = [](const std::atomic<uint32_t>* word, uint32_t wanted) {
    const Deadline deadline = Deadline::AfterMs(kPatienceMs);
    for (uint32_t now = word->load(); now != wanted; now = word->load()) {
      CHECK(FutexWait(word, now, deadline) != WaitOutcome::kTimedOut);
    }
  };
  const auto partner = [&] {
    Words* const words = views.second();
    for (uint32_t round = 1; round <= rounds; ++round) {
      wait_for(&words->word, round);
      words->answer.store(round);
      FutexWake(&words->answer, 1);
    }
  };
  start_partner(partner, [&] {
    Words* const words = views.first();
    for (uint32_t round = 1; round <= rounds; ++round) {
      words->word.store(round);
      FutexWake(&words->word, 1);
      wait_for(&words->answer, round);
    }
  });
}

void NoTurnIsLostBetweenProcesses() {
  const TwoViews<Words> views;
  PingPong(views, 5000, [](const auto& partner, const auto& self) {
    Child child([&](const Channel&) { partner(); });
    self();
    child.ExpectEnd();
  });
}

void NoTurnIsLostBetweenThreads() {
  const TwoViews<Words> views;
  PingPong(views, 5000, [](const auto& partner, const auto& self) {
    std::thread thread(partner);
    self();
    thread.join();
  });
}

void DeadlinesAreComputedOnce() {
  CHECK(Deadline::Never().never());
  CHECK(!Deadline::Never().passed());
  CHECK_EQ(Deadline::Never().remaining_ns(), INT64_MAX);
  for (const double huge : {1e12, 1e18, 1e300, std::numeric_limits<double>::infinity()}) {
    CHECK(Deadline::AfterMs(huge).never());
  }
  for (const double past : {0.0, -0.0, -1.0, -1e300, -std::numeric_limits<double>::infinity()}) {
    const Deadline deadline = Deadline::AfterMs(past);
    CHECK(!deadline.never());
    CHECK(deadline.passed());
    CHECK_EQ(deadline.remaining_ns(), 0);
    CHECK(deadline.since_epoch_ns() > 0);
  }
  // Just below never: still a time that futexes and mutexes accept.
  const Deadline far = Deadline::AfterMs(std::nextafter(1e12, 0));
  CHECK(!far.never() && !far.passed());
  CHECK(far.since_epoch_ns() > 0);
  CHECK(far.remaining_ns() > int64_t{999'999'999} * 1'000'000'000);
  const Deadline soon = Deadline::AfterMs(5000);
  CHECK(soon.remaining_ns() <= 5'000'000'000);
  CHECK(soon.remaining_ns() > 1'000'000'000);
  CHECK(!soon.passed());
}

void AHugeDeadlineIsWaitedFor() {
  const TwoViews<Words> views;
  const double far_ms[] = {std::nextafter(1e12, 0), 1e12};
  for (const double ms : far_ms) {
    Child sleeper(
        [&](const Channel&) { CHECK_EQ(FutexWait(&views.second()->word, 0, Deadline::AfterMs(ms)), WaitOutcome::kWoken); });
    WakeUntil(&views.first()->word, 1, 1);
    sleeper.ExpectEnd();
  }
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  const Test tests[] = {
      {"a changed word is not waited for", AChangedWordIsNotWaitedFor},
      {"a wait ends at its deadline and not before", AWaitEndsAtItsDeadlineAndNotBefore},
      {"nobody is woken when nobody sleeps", NobodyIsWokenWhenNobodySleeps},
      {"a wake crosses processes and addresses", AWakeCrossesProcessesAndAddresses},
      {"a wake wakes as many as it says", AWakeWakesAsManyAsItSays},
      {"a killed sleeper is forgotten", AKilledSleeperIsForgotten},
      {"a signal ends a wait early and says nothing false", ASignalEndsAWaitEarlyAndSaysNothingFalse},
      {"no turn is lost between processes", NoTurnIsLostBetweenProcesses},
      {"no turn is lost between threads", NoTurnIsLostBetweenThreads},
      {"deadlines are computed once", DeadlinesAreComputedOnce},
      {"a huge deadline is waited for", AHugeDeadlineIsWaitedFor},
  };
  return RunTests(argc, argv, tests);
}
