// Waiting on words on Windows: across processes, on many at once, with sleepers that are killed and with a full table.

#include <atomic>
#include <thread>
#include <vector>

#include "platform/futex.h"
#include "program.h"

namespace procshare::testing {
namespace {

constexpr size_t kMaxTargets = 128;
constexpr size_t kPlaces = 1020;
struct Words {
  std::atomic<uint32_t> words[kMaxTargets]{};
  std::atomic<uint32_t> answer{0};
  std::atomic<uint32_t> woken{0};
  std::atomic<uint32_t> asleep{0};
};

void WakeUntil(const std::atomic<uint32_t>* word, int count, int at_a_time) {
  const Deadline deadline = Deadline::AfterMs(kPatienceMs);
  for (int woken = 0; woken < count;) {
    const int now = FutexWake(word, at_a_time);
    CHECK(now <= at_a_time);
    woken += now;
    CHECK(woken <= count);
    CHECK(!deadline.passed());
    if (now == 0) Sleep(0);
  }
}

std::vector<WaitTarget> TargetsOf(const Words& words) {
  std::vector<WaitTarget> targets;
  for (const auto& word : words.words) targets.push_back({&word, 0});
  return targets;
}

void SleepOnce(const std::vector<std::string>& arguments) {
  const Board<Words> board(arguments[0]);
  CHECK_EQ(FutexWait(&board->words[0], 0, Deadline::AfterMs(kPatienceMs)), WaitOutcome::kWoken);
  ++board->woken;
}

void SleepForEver(const std::vector<std::string>& arguments) {
  const Board<Words> board(arguments[0]);
  for (;;) (void)FutexWait(&board->words[0], 0, Deadline::Never());
}

void Answer(const std::vector<std::string>& arguments) {
  const Board<Words> board(arguments[0]);
  const uint32_t rounds = static_cast<uint32_t>(std::stoul(arguments[1]));
  for (uint32_t round = 1; round <= rounds; ++round) {
    const Deadline deadline = Deadline::AfterMs(kPatienceMs);
    for (uint32_t now = board->words[0]; now != round; now = board->words[0]) {
      CHECK(FutexWait(&board->words[0], now, deadline) != WaitOutcome::kTimedOut);
    }
    board->answer.store(round);
    FutexWake(&board->answer, 1);
  }
}

// All places of the table, and a few threads that get none.
void FillTheTable(const std::vector<std::string>& arguments) {
  const Board<Words> board(arguments[0]);
  std::vector<std::thread> sleepers;
  for (size_t i = 0; i < kPlaces / kMaxTargets + 2; ++i) {
    sleepers.emplace_back([&board] {
      const std::vector<WaitTarget> targets = TargetsOf(*board);
      ++board->asleep;
      for (;;) (void)FutexWaitAny(targets.data(), kMaxTargets, Deadline::Never());
    });
  }
  for (std::thread& sleeper : sleepers) sleeper.join();
}

void AWakeCrossesProcesses() {
  const Board<Words> board;
  Child sleeper("sleep-once", {board.name()});
  WakeUntil(&board->words[0], 1, 1);
  sleeper.ExpectEnd();
}

void AWakeWakesAsManyAsItSays() {
  const Board<Words> board;
  std::vector<Child> sleepers;
  for (int i = 0; i < 4; ++i) sleepers.emplace_back("sleep-once", std::vector<std::string>{board.name()});
  WakeUntil(&board->words[0], 2, 1);
  CHECK(board->woken <= 2);
  CHECK_EQ(FutexWake(&board->words[0], 0), 0);
  WakeUntil(&board->words[0], 2, kWakeAll);
  for (Child& sleeper : sleepers) sleeper.ExpectEnd();
  CHECK_EQ(board->woken.load(), 4u);
  CHECK_EQ(FutexWake(&board->words[0], kWakeAll), 0);
}

void AKilledSleeperIsForgotten() {
  const Board<Words> board;
  for (int round = 0; round < 5; ++round) {
    Child sleeper("sleep-for-ever", {board.name()});
    WakeUntil(&board->words[0], 1, 1);  // it did sleep
    Sleep(5);                           // and does again
    sleeper.Kill();
    CHECK_EQ(FutexWake(&board->words[0], kWakeAll), 0);
  }
}

void NoTurnIsLost() {
  constexpr uint32_t kRounds = 3000;
  const Board<Words> board;
  Child partner("answer", {board.name(), std::to_string(kRounds)});
  for (uint32_t round = 1; round <= kRounds; ++round) {
    board->words[0].store(round);
    FutexWake(&board->words[0], 1);
    const Deadline deadline = Deadline::AfterMs(kPatienceMs);
    for (uint32_t now = board->answer; now != round; now = board->answer) {
      CHECK(FutexWait(&board->answer, now, deadline) != WaitOutcome::kTimedOut);
    }
  }
  partner.ExpectEnd();
}

void EachOfManyWordsWakes() {
  CHECK_EQ(MaxWaitTargets(), kMaxTargets);
  const Board<Words> board;
  const Board<Words> other_view(board.name());
  for (size_t i = 0; i < kMaxTargets; i += 7) {
    Context() = "word " + std::to_string(i);
    std::atomic<bool> over{false};
    std::thread waker([&] {
      while (!over) (void)FutexWake(&other_view->words[i], kWakeAll);
    });
    const std::vector<WaitTarget> targets = TargetsOf(*board);
    const WaitOutcome outcome = FutexWaitAny(targets.data(), kMaxTargets, Deadline::AfterMs(kPatienceMs));
    over = true;
    waker.join();
    CHECK_EQ(outcome, WaitOutcome::kWoken);
    board->words[i] = 1;
    CHECK_EQ(FutexWaitAny(targets.data(), kMaxTargets, Deadline::Never()), WaitOutcome::kChanged);
    board->words[i] = 0;
  }
}

void TheDeadlineEndsASleep() {
  const Board<Words> board;
  const std::vector<WaitTarget> targets = TargetsOf(*board);
  for (const double ms : {0.0, 1.0, 30.0, 250.0}) {
    for (const size_t count : {size_t{1}, kMaxTargets}) {
      const Deadline deadline = Deadline::AfterMs(ms);
      const Stopwatch watch;
      CHECK_EQ(FutexWaitAny(targets.data(), count, deadline), WaitOutcome::kTimedOut);
      CHECK(deadline.passed());
      CHECK(watch.ms() < ms + 1000);
    }
  }
}

void AnUnmappedWordCountsAsChanged() {
  const Board<Words> board;
  CHECK_EQ(FutexWait(&board->words[0], 0, Deadline::AfterMs(1)), WaitOutcome::kTimedOut);  // its table is mapped now
  void* const page = MapPage();
  const auto* const word = static_cast<const std::atomic<uint32_t>*>(page);
  CHECK_EQ(FutexWait(word, 0, Deadline::AfterMs(1)), WaitOutcome::kTimedOut);
  UnmapPage(page);
  const WaitTarget targets[] = {{&board->words[0], 0}, {word, 0}};
  CHECK_EQ(FutexWaitAny(targets, 2, Deadline::AfterMs(kPatienceMs)), WaitOutcome::kChanged);
}

// A sleeper without a place checks again and again. The places of dead threads become free for the next sleeper.
void AFullTableDelaysAndHeals() {
  const Board<Words> board;
  Child crowd("fill-the-table", {board.name()});
  Eventually([&] { return board->asleep == kPlaces / kMaxTargets + 2; });
  const Deadline patience = Deadline::AfterMs(kPatienceMs);
  WaitOutcome outcome;
  do {
    CHECK(!patience.passed());
    outcome = FutexWait(&board->answer, 0, Deadline::AfterMs(500));
  } while (outcome == WaitOutcome::kTimedOut);
  CHECK_EQ(outcome, WaitOutcome::kWoken);  // for no reason: there was no place
  crowd.Kill();
  CHECK_EQ(FutexWait(&board->answer, 0, Deadline::AfterMs(300)), WaitOutcome::kTimedOut);
  CHECK_EQ(FutexWake(&board->words[5], kWakeAll), 0);
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  const Role roles[] = {
      {"sleep-once", SleepOnce}, {"sleep-for-ever", SleepForEver}, {"answer", Answer}, {"fill-the-table", FillTheTable}};
  const Test tests[] = {
      {"a wake crosses processes", AWakeCrossesProcesses},
      {"a wake wakes as many as it says", AWakeWakesAsManyAsItSays},
      {"a killed sleeper is forgotten", AKilledSleeperIsForgotten},
      {"no turn is lost between processes", NoTurnIsLost},
      {"each of many words wakes, through another mapping too", EachOfManyWordsWakes},
      {"the deadline ends a sleep, and nothing does before", TheDeadlineEndsASleep},
      {"a word that is not mapped counts as changed", AnUnmappedWordCountsAsChanged},
      {"a full table delays, and the places of the dead are taken again", AFullTableDelaysAndHeals},
  };
  return RunProgram(argc, argv, roles, tests);
}
