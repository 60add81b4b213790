// Every interleaving of one release with one asynchronous acquisition, instruction by instruction: no acquirer sleeps through a
// release. With many competitors, the wake-up of another release would soon replace a lost one. Here there are no other
// processes, and no heartbeat.

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <string>

#include "awaiting.h"
#include "check.h"
#include "child_process.h"
#include "mutex_words.h"
#include "platform/futex.h"
#include "shm/shared_lock.h"
#include "traced_child.h"

namespace procshare::testing {
namespace {

constexpr double kForgottenMs = 3000;
constexpr char kNoStepping[] = "the thread sanitizer makes a lock of ten instructions one of ten thousand";
// A query to the kernel about an owner that is a member takes thousands of instructions, and with a sanitizer ten times as many.
const int kStride = OwnerIsMember() ? (kAddressSanitizer ? 499 : 41) : kAddressSanitizer ? 5 : 1;

struct Stage {
  LockCell cell;
  std::atomic<bool> announced{false};  // the first attempt is over, the sleep begins
  std::atomic<bool> acquired{false};
  std::atomic<bool> forgotten{false};
  std::atomic<bool> released{false};
};

void Reset(Stage* stage) {
  memset(static_cast<void*>(&stage->cell), 0, sizeof stage->cell);
  stage->announced = stage->acquired = stage->forgotten = stage->released = false;
  CHECK(SharedLock(&stage->cell, nullptr).Init(TestKind()));
}

void AcquireAsynchronously(Stage* stage) {
  SharedLock lock(&stage->cell, TestOwners());
  uint32_t expected;
  while (TryAcquireOrAwait(&lock, 1, &expected) == MutexOutcome::kBusy) {
    stage->announced = true;
    if (FutexWait(lock.release_word(), expected, Deadline::AfterMs(kForgottenMs)) == WaitOutcome::kTimedOut) {
      stage->forgotten = true;
    }
  }
  stage->announced = true;
  stage->acquired = true;
  lock.Release();
}

// First calls go through the dynamic linker, and take some thousand instructions each.
void WarmUp(Stage* stage) {
  Reset(stage);
  SharedLock lock(&stage->cell, TestOwners());
  uint32_t expected;
  AcquireAsynchronously(stage);
  CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kAcquired);
  CHECK_EQ(TryAcquireOrAwait(&lock, 1, &expected), MutexOutcome::kBusy);
  (void)FutexWait(lock.release_word(), expected, Deadline::AfterMs(0));
  lock.Release();
}

void ExpectGranted(const Stage& stage) {
  CHECK(stage.acquired);
  CHECK(!stage.forgotten);
  CHECK_EQ(SharedLock(const_cast<LockCell*>(&stage.cell), TestOwners()).Peek(), MutexState::kFree);
}

// The acquirer stands still after each instruction, and all of the release happens there. With `taken_again` the releaser takes
// the lock again at once, as in a loop, and releases it again when the acquirer sleeps.
void StopTheAcquirer(bool taken_again) {
  if (kThreadSanitizer) return Skip(kNoStepping);
  const SharedScratch<Stage> stage;
  WarmUp(&*stage);
  SharedLock lock(&stage->cell, TestOwners());
  int steps = 0;
  for (bool more = true; more; steps += kStride) {
    Context() = "instruction " + std::to_string(steps);
    Reset(&*stage);
    CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kAcquired);
    const OneProcessor one;
    TracedChild acquirer([&] {
      TracedChild::Halt();
      AcquireAsynchronously(&*stage);
    });
    CHECK(acquirer.RunToHalt());
    for (int i = 0; i < steps && !stage->announced; ++i) CHECK(acquirer.StepInstruction());
    more = !stage->announced;
    lock.Release();
    if (taken_again) CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kAcquired);
    acquirer.RunFreely();
    if (taken_again) {
      acquirer.AwaitSleep(kPatienceMs);
      lock.Release();
    }
    acquirer.ReapRecord();
    ExpectGranted(*stage);
  }
  printf("     %d instructions\n", steps);
}

void TheAcquirerStandsStill() { StopTheAcquirer(false); }
void TheAcquirerStandsStillAndSomebodyIsFaster() { StopTheAcquirer(true); }

// The releaser stands still after each instruction, and all of the acquisition happens there, up to its
// sleep. With `taken_by_another` a third party takes the lock as soon as it is free, and keeps it until the
// releaser has gone.
void StopTheReleaser(bool taken_by_another) {
  if (kThreadSanitizer) return Skip(kNoStepping);
  const SharedScratch<Stage> stage;
  WarmUp(&*stage);
  SharedLock lock(&stage->cell, TestOwners());
  int slept = 0;
  // Another waiter may have been announced before, so that the releaser is about to wake it, or none.
  for (const uint32_t flags : {0u, kAwaited}) {
    int steps = 0;
    for (bool more = true; more; steps += kStride) {
      Context() = "flags " + std::to_string(flags) + ", instruction " + std::to_string(steps);
      Reset(&*stage);
      stage->cell.flags = flags;
      const OneProcessor one;
      TracedChild releaser([&] {
        (void)lock.TryAcquire(1);
        TracedChild::Halt();
        lock.Release();
        stage->released = true;
      });
      CHECK(releaser.RunToHalt());
      for (int i = 0; i < steps && !stage->released; ++i) CHECK(releaser.StepInstruction());
      more = !stage->released;
      const bool taken = taken_by_another && lock.TryAcquire(1) == MutexOutcome::kAcquired;
      TracedChild acquirer([&] { AcquireAsynchronously(&*stage); });
      acquirer.RunFreely();
      slept += acquirer.AwaitSleep(kPatienceMs);
      releaser.RunFreely();
      releaser.ReapRecord();
      if (taken) lock.Release();
      acquirer.ReapRecord();
      ExpectGranted(*stage);
    }
    printf("     %d instructions\n", steps);
  }
  CHECK(slept > 0);
}

void TheReleaserStandsStill() { StopTheReleaser(false); }
void TheReleaserStandsStillAndSomebodyIsFaster() { StopTheReleaser(true); }

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  const Test tests[] = {
      {"the acquirer stands still", TheAcquirerStandsStill},
      {"the acquirer stands still and somebody is faster", TheAcquirerStandsStillAndSomebodyIsFaster},
      {"the releaser stands still", TheReleaserStandsStill},
      {"the releaser stands still and somebody is faster", TheReleaserStandsStillAndSomebodyIsFaster},
  };
  return RunTests(argc, argv, tests);
}
