// Sleeping on many words at once.

#include <sys/mman.h>

#include <algorithm>
#include <array>
#include <thread>
#include <vector>

#include "check.h"
#include "child_process.h"
#include "platform/futex.h"
#include "two_views.h"

namespace procshare::testing {
namespace {

constexpr size_t kMaxTargets = 128;
constexpr char kNoCall[] = "the system has no call for this";
using Words = std::array<std::atomic<uint32_t>, kMaxTargets>;

std::vector<WaitTarget> TargetsOf(const Words& words, size_t count) {
  std::vector<WaitTarget> targets;
  for (size_t i = 0; i < count; ++i) targets.push_back({&words[i], 0});
  return targets;
}

// The waker changes nothing, so only the wake can end the sleep. The waker repeats it, because the sleep may not have begun.
void WakeUntilOver(std::atomic<uint32_t>* word, const std::atomic<bool>& over) {
  const Deadline deadline = Deadline::AfterMs(kPatienceMs);
  while (!over) {
    CHECK(!deadline.passed());
    (void)FutexWake(word, kWakeAll);
    sched_yield();
  }
}

void EachPositionWakes() {
  if (MaxWaitTargets() <= 1) return Skip(kNoCall);
  CHECK_EQ(MaxWaitTargets(), kMaxTargets);
  const TwoViews<Words> words;
  for (size_t i = 0; i < kMaxTargets; i += i % 16 == 15 ? 16 : 1) {
    Context() = "word " + std::to_string(i);
    std::atomic<bool> over{false};
    std::thread waker([&] { WakeUntilOver(&(*words.second())[i], over); });
    const std::vector<WaitTarget> targets = TargetsOf(*words.first(), kMaxTargets);
    const WaitOutcome outcome = FutexWaitAny(targets.data(), kMaxTargets, Deadline::AfterMs(kPatienceMs));
    over = true;
    waker.join();
    CHECK_EQ(outcome, WaitOutcome::kWoken);
  }
}

void AnotherProcessWakes() {
  if (MaxWaitTargets() == 0) return Skip(kNoCall);
  const size_t count = MaxWaitTargets();
  const SharedScratch<Words> words;
  const SharedScratch<std::atomic<bool>> over;
  for (const size_t i : {size_t{0}, count / 2, count - 1}) {
    *over = false;
    Child child([&](const Channel&) { WakeUntilOver(&(*words)[i], *over); });
    const std::vector<WaitTarget> targets = TargetsOf(*words, count);
    const WaitOutcome outcome = FutexWaitAny(targets.data(), count, Deadline::AfterMs(kPatienceMs));
    *over = true;
    CHECK_EQ(outcome, WaitOutcome::kWoken);
    child.ExpectEnd();
  }
}

void AChangedWordEndsTheSleepBeforeItBegins() {
  const size_t count = MaxWaitTargets();
  const SharedScratch<Words> words;
  for (size_t i = 0; i < count; ++i) {
    (*words)[i] = 1;
    const std::vector<WaitTarget> targets = TargetsOf(*words, count);
    CHECK_EQ(FutexWaitAny(targets.data(), count, Deadline::Never()), WaitOutcome::kChanged);
    (*words)[i] = 0;
  }
}

void TheDeadlineEndsTheSleep() {
  const SharedScratch<Words> words;
  for (const size_t count : {size_t{1}, std::min<size_t>(2, MaxWaitTargets()), MaxWaitTargets()}) {
    if (count == 0) continue;
    const std::vector<WaitTarget> targets = TargetsOf(*words, count);
    const Stopwatch watch;
    CHECK_EQ(FutexWaitAny(targets.data(), count, Deadline::AfterMs(30)), WaitOutcome::kTimedOut);
    CHECK(watch.ms() >= 29.9);
  }
}

void AnUnmappedWordCountsAsChanged() {
  if (MaxWaitTargets() == 0) return Skip(kNoCall);
  void* const page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(page != MAP_FAILED);
  const SharedScratch<Words> words;  // made before the page is unmapped, whose place it would take otherwise
  munmap(page, 4096);
  for (const size_t count : {size_t{1}, std::min<size_t>(3, MaxWaitTargets())}) {
    std::vector<WaitTarget> targets = TargetsOf(*words, count);
    targets.back().word = static_cast<std::atomic<uint32_t>*>(page);
    CHECK_EQ(FutexWaitAny(targets.data(), count, Deadline::AfterMs(kPatienceMs)), WaitOutcome::kChanged);
  }
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  const Test tests[] = {
      {"a wake of each of many words ends the sleep, through another mapping too", EachPositionWakes},
      {"another process wakes", AnotherProcessWakes},
      {"a changed word ends the sleep before it begins", AChangedWordEndsTheSleepBeforeItBegins},
      {"the deadline ends the sleep", TheDeadlineEndsTheSleep},
      {"a word that is not mapped counts as changed", AnUnmappedWordCountsAsChanged},
  };
  return RunTests(argc, argv, tests);
}
