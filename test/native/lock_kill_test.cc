// A SharedLock whose user is killed at every single instruction of every operation. The lock is never lost. The next acquisition
// returns `abandoned` exactly when a dead owner had the lock, and only once.
//
// A killed process had the lock if and only if its thread id is in the futex word of the mutex. The kernel decides by the same
// word. For the instructions in which the mutex is not in the list of held ones, it also uses list_op_pending. So no instruction
// is ambiguous, and none may be.

#include <unistd.h>

#include <atomic>
#include <climits>
#include <cstdio>
#include <list>
#include <string>
#include <thread>

#include "awaiting.h"
#include "check.h"
#include "child_process.h"
#include "mutex_words.h"
#include "platform/futex.h"
#include "shm/shared_lock.h"
#include "traced_child.h"

namespace procshare::testing {
namespace {

constexpr uint64_t kOwner = 4711;
constexpr double kNoticeMs = 100;         // the longest time until a death is noticed
constexpr double kHeartbeatMs = 50;       // the heartbeat of an event loop's waiter
constexpr double kQuickHeartbeatMs = 15;  // the same where each instruction costs one
constexpr char kNoStepping[] = "the thread sanitizer makes a lock of ten instructions one of ten thousand";

// The address sanitizer multiplies the instructions, and each one still costs two context switches.
constexpr int kStride = kAddressSanitizer ? 11 : 1;

struct Stage {
  LockCell cell;
  std::atomic<bool> done{false};
  std::atomic<int64_t> got_at_ns{0};
};

int64_t NowNs() { return Deadline::AfterMs(0).since_epoch_ns(); }

// Runs the work of the dynamic linker at first calls before any test counts instructions.
void WarmUp() {
  LockCell cell;
  memset(static_cast<void*>(&cell), 0, sizeof cell);
  SharedLock lock(&cell, TestOwners());
  CHECK(lock.Init(TestKind()) && lock.LooksSound());
  uint32_t expected;
  for (int i = 0; i < 2; ++i) {
    CHECK_EQ(lock.Acquire(kOwner, Deadline::Never()), MutexOutcome::kAcquired);
    CHECK_EQ(TryAcquireOrAwait(&lock, kOwner, &expected), MutexOutcome::kBusy);
    CHECK_EQ(lock.Acquire(kOwner, Deadline::AfterMs(0.01)), MutexOutcome::kBusy);
    CHECK(StillHeld(&lock));
    (void)FutexWait(lock.release_word(), expected, Deadline::AfterMs(0.01));
    lock.ReleaseAbandoned();
    CHECK_EQ(lock.TryAcquire(kOwner), MutexOutcome::kAbandoned);
    lock.Release();
  }
}

void Reset(Stage* stage) {
  memset(static_cast<void*>(&stage->cell), 0, sizeof stage->cell);
  stage->done = false;
  stage->got_at_ns = 0;
  CHECK(SharedLock(&stage->cell, nullptr).Init(TestKind()));
}

void MustWorkNormally(SharedLock lock) {
  uint32_t expected;
  CHECK_EQ(lock.Peek(), MutexState::kFree);
  CHECK_EQ(lock.TryAcquire(kOwner), MutexOutcome::kAcquired);
  CHECK_EQ(lock.TryAcquire(kOwner), MutexOutcome::kBusy);
  CHECK_EQ(lock.Peek(), MutexState::kHeld);
  lock.Release();
  CHECK_EQ(lock.Acquire(kOwner, Deadline::Never()), MutexOutcome::kAcquired);
  CHECK_EQ(TryAcquireOrAwait(&lock, kOwner, &expected), MutexOutcome::kBusy);
  lock.Release();
  CHECK_EQ(FutexWait(lock.release_word(), expected, Deadline::Never()), WaitOutcome::kChanged);
  CHECK_EQ(lock.Acquire(kOwner, Deadline::AfterMs(10)), MutexOutcome::kAcquired);
  lock.Release();
  CHECK_EQ(lock.owner(), kOwner);
}

// A lock in the state in which its last owner was killed.
void LeaveOwnerless(Stage* stage) {
  Child owner(
      [&](const Channel&) { CHECK_EQ(SharedLock(&stage->cell, TestOwners()).TryAcquire(1), MutexOutcome::kAcquired); });
  owner.ExpectEnd();
  CHECK_EQ(SharedLock(&stage->cell, TestOwners()).Peek(), MutexState::kOwnerDied);
}

struct Script {
  const char* name;
  void (*prepare)(Stage* stage);  // leaves a lock for the victim
  void (*run)(SharedLock lock);   // the operation of the victim
};

void Nothing(Stage*) {}

const Script kScripts[] = {
    {"try", Nothing,
     [](SharedLock lock) {
       (void)lock.TryAcquire(1);
       lock.Release();
     }},
    {"blocking", Nothing,
     [](SharedLock lock) {
       (void)lock.Acquire(1, Deadline::Never());
       lock.Release();
     }},
    {"with a deadline", Nothing,
     [](SharedLock lock) {
       (void)lock.Acquire(1, Deadline::AfterMs(kPatienceMs));
       lock.Release();
     }},
    {"asynchronous", Nothing,
     [](SharedLock lock) {
       uint32_t expected;
       (void)TryAcquireOrAwait(&lock, 1, &expected);
       lock.Release();
     }},
    {"giving up", Nothing,
     [](SharedLock lock) {
       (void)lock.TryAcquire(1);
       lock.ReleaseAbandoned();
     }},
    {"giving up what is awaited", [](Stage* stage) { stage->cell.flags = kAwaited; },
     [](SharedLock lock) {
       (void)lock.TryAcquire(1);
       lock.ReleaseAbandoned();
     }},
    {"taking what was given up", [](Stage* stage) { stage->cell.flags = kLockAbandoned; },
     [](SharedLock lock) {
       (void)lock.TryAcquire(1);
       lock.Release();
     }},
    {"taking over from the dead", LeaveOwnerless,
     [](SharedLock lock) {
       (void)lock.TryAcquire(1);
       lock.Release();
     }},
    {"taking over from the dead, blocking", LeaveOwnerless,
     [](SharedLock lock) {
       (void)lock.Acquire(1, Deadline::Never());
       lock.Release();
     }},
};

// The operation of a victim, up to its second halt.
std::function<void()> Life(Stage* stage, const std::function<void()>& run) {
  return [=] {
    TracedChild::Halt();
    run();
    stage->done = true;
    TracedChild::Halt();
  };
}

// The path of a victim from its first halt on.
Path Record(Stage* stage, const std::function<void()>& life) {
  TracedChild victim(life);
  CHECK(victim.RunToHalt());
  Path path(victim.Address());
  while (!stage->done) {
    CHECK(victim.StepInstruction());
    path.Add(victim.Address());
  }
  return path;
}

// Kills the victim after `steps` instructions of the script.
void KillAfter(const Script& script, const Path& path, int steps, Stage* stage, Promptness* promptness, int* abandonments) {
  Reset(stage);
  script.prepare(stage);
  SharedLock lock(&stage->cell, TestOwners());
  TracedChild victim(Life(stage, [&] { script.run(lock); }));
  CHECK(victim.RunToHalt());
  victim.RunToStep(path, steps);
  const bool had_it = OwnerOf(&stage->cell) == static_cast<uint32_t>(victim.pid());
  const bool ownerless = lock.Peek() == MutexState::kOwnerDied;
  const bool given_up = (stage->cell.flags & kLockAbandoned) != 0;
  CHECK(had_it || OwnerOf(&stage->cell) == 0 || ownerless);
  Context() = std::string(script.name) + ", instruction " + std::to_string(steps) + (had_it ? ", held" : "") +
              (ownerless ? ", ownerless" : "") + (given_up ? ", given up" : "");
  victim.Shoot();
  const Stopwatch watch;
  const MutexOutcome outcome = lock.Acquire(kOwner, Deadline::AfterMs(kPatienceMs));
  promptness->Note(watch.ms());
  const bool told = had_it || ownerless || given_up;
  CHECK_EQ(outcome, told ? MutexOutcome::kAbandoned : MutexOutcome::kAcquired);
  *abandonments += told;
  victim.ReapRecord();
  lock.Release();
  MustWorkNormally(lock);
}

void AVictimAtEachInstruction() {
  if (kThreadSanitizer) return Skip(kNoStepping);
  const OneProcessor one;
  WarmUp();
  const SharedScratch<Stage> stage;
  Promptness promptness(kNoticeMs);
  for (const Script& script : kScripts) {
    int kills = 0;
    int abandonments = 0;
    const Stopwatch watch;
    Reset(&*stage);
    script.prepare(&*stage);
    const Path path = Record(&*stage, Life(&*stage, [&] { script.run(SharedLock(&stage->cell, TestOwners())); }));
    for (int steps = 0; steps <= path.steps(); steps += kStride, ++kills) {
      KillAfter(script, path, steps, &*stage, &promptness, &abandonments);
    }
    printf("     %s: %d instructions, %d kills, %d abandoned (%.0f ms)\n", script.name, path.steps(), kills, abandonments,
           watch.ms());
    CHECK(abandonments > 5 && (script.prepare != Nothing || abandonments < kills));
  }
}

// A process is killed while it tries to acquire a held lock. Its death has no effect on others.
struct Request {
  const char* name;
  void (*run)(LockCell* cell);
};

const Request kRequests[] = {
    {"try", [](LockCell* cell) { (void)SharedLock(cell, TestOwners()).TryAcquire(1); }},
    {"blocking, looking around",
     [](LockCell* cell) { (void)SharedLock(cell, TestOwners()).Acquire(1, Deadline::AfterMs(0)); }},
    {"blocking, asleep",
     [](LockCell* cell) { (void)RobustMutexAcquire(&cell->mutex, TestOwners(), Deadline::AfterMs(0.1)); }},
    {"asynchronous",
     [](LockCell* cell) {
       SharedLock lock(cell, TestOwners());
       uint32_t expected;
       (void)TryAcquireOrAwait(&lock, 1, &expected);
       (void)FutexWait(lock.release_word(), expected, Deadline::AfterMs(0.1));
       (void)StillHeld(&lock);
     }},
};

void KillRequester(const Request& request, Stage* stage) {
  // The spin loop repeats the same check a hundred times, so most of it is skipped.
  constexpr int kLong = 1000;
  const int head = OwnerIsMember() ? 50 : 150;
  const int leaps = OwnerIsMember() ? 5 : kAddressSanitizer ? 10 : 40;  // a query about the owner takes thousands
  const auto life = Life(stage, [&] { request.run(&stage->cell); });
  Reset(stage);
  SharedLock held(&stage->cell, TestOwners());
  CHECK_EQ(held.TryAcquire(kOwner), MutexOutcome::kAcquired);
  const Path path = Record(stage, life);
  held.Release();
  const int total = path.steps();
  int kills = 0;
  for (int steps = 0; steps <= total; ++kills) {
    Context() = std::string(request.name) + ", instruction " + std::to_string(steps);
    Reset(stage);
    SharedLock lock(&stage->cell, TestOwners());
    CHECK_EQ(lock.TryAcquire(kOwner), MutexOutcome::kAcquired);
    TracedChild victim(life);
    CHECK(victim.RunToHalt());
    victim.RunToStep(path, steps);
    victim.Kill();
    CHECK_EQ(lock.Peek(), MutexState::kHeld);
    CHECK_EQ(lock.owner(), kOwner);
    lock.Release();
    MustWorkNormally(lock);
    steps += total > kLong && steps > head ? total / leaps : kStride;
  }
  printf("     %s: %d instructions, %d kills\n", request.name, total, kills);
}

void AnImpatientVictimAtEachInstruction() {
  if (kThreadSanitizer) return Skip(kNoStepping);
  const OneProcessor one;
  WarmUp();
  const SharedScratch<Stage> stage;
  for (const Request& request : kRequests) KillRequester(request, &*stage);
}

// Waits as a waiting thread of an event loop does: announces itself, sleeps, and checks at each heartbeat.
MutexOutcome AcquireAsynchronously(SharedLock lock, double heartbeat_ms) {
  const Deadline deadline = Deadline::AfterMs(kPatienceMs);
  for (;;) {
    uint32_t expected;
    const MutexOutcome outcome = TryAcquireOrAwait(&lock, kOwner, &expected);
    if (outcome != MutexOutcome::kBusy) return outcome;
    bool nothing_new;
    do {
      CHECK(!deadline.passed());
      const WaitOutcome wait = FutexWait(lock.release_word(), expected, Deadline::AfterMs(heartbeat_ms));
      nothing_new = wait == WaitOutcome::kTimedOut && StillHeld(&lock);
    } while (nothing_new);
  }
}

// A process that takes the lock on command, and reports the outcome.
class Waiter {
 public:
  Waiter(Stage* stage, bool asynchronous, double heartbeat_ms = kHeartbeatMs)
      : stage_(stage), asynchronous_(asynchronous), child_([=](const Channel& parent) {
          SharedLock lock(&stage->cell, TestOwners());
          while (parent.Receive(kPatienceMs) == 'a') {
            const MutexOutcome outcome =
                asynchronous ? AcquireAsynchronously(lock, heartbeat_ms) : lock.Acquire(kOwner, Deadline::Never());
            stage->got_at_ns = NowNs();
            lock.Release();
            parent.Send(static_cast<char>('A' + static_cast<int>(outcome)));
          }
        }) {}
  ~Waiter() {
    child_.Send('q');
    child_.ExpectEnd();
  }
  Waiter(const Waiter&) = delete;
  Waiter& operator=(const Waiter&) = delete;

  pid_t pid() const { return child_.pid(); }

  // Returns when the waiter sleeps. Requires: the lock is held.
  void Start() const {
    child_.Send('a');
    const Deadline deadline = Deadline::AfterMs(kPatienceMs);
    const LockCell& cell = stage_->cell;
    while (asynchronous_ ? (cell.flags & kAwaited) == 0 : !HasSleepers(&cell)) {
      CHECK(!deadline.passed());
      sched_yield();
    }
    while (ProcessState(child_.pid()) != 'S') {
      CHECK(!deadline.passed());
      sched_yield();
    }
  }

  MutexOutcome Finish() const {
    const char answer = child_.Receive(kPatienceMs);
    CHECK(answer >= 'A');
    return static_cast<MutexOutcome>(answer - 'A');
  }

 private:
  Stage* stage_;
  bool asynchronous_;
  Child child_;
};

// The owner is killed at each instruction of its release, while another process sleeps for the lock.
struct Releasing {
  const char* name;
  bool asynchronous;
  bool giving_up;  // then the next acquisition is `abandoned` in any case
};

void KillReleaser(const Releasing& releasing) {
  const SharedScratch<Stage> stage;
  Reset(&*stage);
  SharedLock lock(&stage->cell, TestOwners());
  const Waiter waiter(&*stage, releasing.asynchronous, kQuickHeartbeatMs);
  const OneProcessor one;  // not for the waiter
  Promptness promptness(kNoticeMs);
  int steps = 0;
  int kills = 0;
  int held = 0;
  const Stopwatch watch;
  for (bool more = true; more; steps += kStride, ++kills) {
    Reset(&*stage);
    TracedChild owner([&] {
      (void)lock.TryAcquire(1);
      TracedChild::Halt();
      if (releasing.giving_up) {
        lock.ReleaseAbandoned();
      } else {
        lock.Release();
      }
      stage->done = true;
      TracedChild::Halt();
    });
    CHECK(owner.RunToHalt());
    waiter.Start();
    for (int i = 0; i < steps; ++i) CHECK(owner.StepInstruction());
    more = !stage->done;
    const bool had_it = OwnerOf(&stage->cell) == static_cast<uint32_t>(owner.pid());
    Context() = std::string(releasing.name) + ", instruction " + std::to_string(steps) + (had_it ? ", held" : "");
    const int64_t killed_at_ns = NowNs();
    owner.Kill();
    const MutexOutcome outcome = waiter.Finish();
    promptness.Note(static_cast<double>(stage->got_at_ns - killed_at_ns) / 1e6);
    CHECK_EQ(outcome, had_it || releasing.giving_up ? MutexOutcome::kAbandoned : MutexOutcome::kAcquired);
    MustWorkNormally(lock);
    held += had_it;
  }
  printf("     %s: %d instructions, %d kills, %d while held (%.0f ms)\n", releasing.name, steps, kills, held, watch.ms());
  CHECK(held > 0 && held < kills);
}

void ASleeperGetsWhatADyingReleaserHad() {
  if (kThreadSanitizer) return Skip(kNoStepping);
  WarmUp();
  const Releasing releasings[] = {
      {"a blocked thread", false, false},
      {"an event loop", true, false},
      {"a blocked thread, given up", false, true},
      {"an event loop, given up", true, true},
  };
  for (const Releasing& releasing : releasings) KillReleaser(releasing);
}

// A releaser has read the flag of a sleeper, and is killed before it wakes the sleeper. Another process has the lock when the
// sleeper checks. The sleeper must announce itself again, or the release of that process would not wake it.
void ALostAnnouncementIsRepeated() {
  if (kThreadSanitizer) return Skip(kNoStepping);
  WarmUp();
  const SharedScratch<Stage> stage;
  SharedLock lock(&stage->cell, TestOwners());
  Reset(&*stage);
  const Waiter waiter(&*stage, true);
  const LockCell& cell = stage->cell;
  for (bool met = false; !met;) {
    Reset(&*stage);
    TracedChild releaser([&] {
      (void)lock.TryAcquire(1);
      TracedChild::Halt();
      lock.Release();
    });
    CHECK(releaser.RunToHalt());
    waiter.Start();
    while ((cell.flags & kAwaited) != 0 && OwnerOf(&cell) != static_cast<uint32_t>(waiter.pid())) {
      CHECK(releaser.StepInstruction());
    }
    CHECK_EQ(cell.release_word.load(), 0);
    releaser.Kill();
    met = lock.TryAcquire(kOwner) == MutexOutcome::kAcquired;  // unless the sleeper checks at this moment
    if (met) {
      const Deadline deadline = Deadline::AfterMs(kPatienceMs);
      while ((cell.flags & kAwaited) == 0) {
        CHECK(!deadline.passed());
        sched_yield();
      }
      lock.Release();
      CHECK(cell.release_word >= 1);
    }
    CHECK_EQ(waiter.Finish(), MutexOutcome::kAcquired);
  }
  MustWorkNormally(lock);
}

// The owner dies in the middle of its critical section. Without single steps, so that every sanitizer can run the test.
void ASleeperGetsWhatADeadOwnerHad() {
  for (const bool asynchronous : {false, true}) {
    const SharedScratch<Stage> stage;
    Reset(&*stage);
    SharedLock lock(&stage->cell, TestOwners());
    const Waiter waiter(&*stage, asynchronous);
    Promptness promptness(kNoticeMs);
    for (int round = 0; round < 10; ++round) {
      Reset(&*stage);
      Child owner([&](const Channel& parent) {
        (void)lock.TryAcquire(1);
        parent.Send('h');
        parent.Receive(kPatienceMs);
      });
      owner.Expect('h');
      waiter.Start();
      const int64_t killed_at_ns = NowNs();
      owner.Kill();
      CHECK_EQ(waiter.Finish(), MutexOutcome::kAbandoned);
      promptness.Note(static_cast<double>(stage->got_at_ns - killed_at_ns) / 1e6);
      MustWorkNormally(lock);
    }
  }
}

// Of many sleepers, one gets `abandoned`, and all get the lock.
void OneOfManySleepersIsTold() {
  constexpr int kSleepers = 6;
  const SharedScratch<Stage> stage;
  for (int round = 0; round < 5; ++round) {
    Reset(&*stage);
    SharedLock lock(&stage->cell, TestOwners());
    Child owner([&](const Channel& parent) {
      (void)lock.TryAcquire(1);
      parent.Send('h');
      parent.Receive(kPatienceMs);
    });
    owner.Expect('h');
    int told = 0;
    {
      std::list<Waiter> sleepers;
      for (int i = 0; i < kSleepers; ++i) sleepers.emplace_back(&*stage, i % 2 == 1).Start();
      owner.Kill();
      for (const Waiter& sleeper : sleepers) {
        const MutexOutcome outcome = sleeper.Finish();
        CHECK(outcome == MutexOutcome::kAcquired || outcome == MutexOutcome::kAbandoned);
        told += outcome == MutexOutcome::kAbandoned;
      }
    }
    CHECK_EQ(told, 1);
    MustWorkNormally(lock);
  }
}

// The C library wakes one sleeper per release and relies on it to take the lock, or to sleep again and be remembered. If that
// sleeper is killed in between, and another process has taken the lock first, the wake-up is lost. The kernel then finds a lock
// that a third party holds, and does nothing. False when the second waiter was faster than this process. (Its sleep cannot be
// observed next to that of the first.)
bool AWakeUpIsTakenAlong() {
  const SharedScratch<Stage> stage;
  Reset(&*stage);
  SharedLock lock(&stage->cell, TestOwners());
  CHECK_EQ(lock.TryAcquire(kOwner), MutexOutcome::kAcquired);
  TracedChild doomed([&] { (void)lock.Acquire(1, Deadline::Never()); });
  const Deadline deadline = Deadline::AfterMs(kPatienceMs);
  // A sleep ends by itself after some milliseconds. When it ends before it is observed, the loop waits for the next one.
  for (char state = 't'; state != 'S';) {
    do {
      CHECK(doomed.RunToSystemCallBoundary());
    } while (doomed.SystemCall() != SYS_futex);
    doomed.StartToSystemCallBoundary();
    do {
      CHECK(!deadline.passed());
      state = ProcessState(doomed.pid());
    } while (state != 'S' && state != 't');
    if (state == 't') doomed.FinishToSystemCallBoundary();
  }
  CHECK(HasSleepers(&stage->cell));
  const Waiter waiter(&*stage, false);
  waiter.Start();
  lock.Release();                                     // wakes the first sleeper,
  doomed.FinishToSystemCallBoundary();                // which returns from its sleep
  const MutexOutcome ours = lock.TryAcquire(kOwner);  // is too late,
  doomed.Kill();                                      // and is killed before it marks the other sleeper
  if (ours != MutexOutcome::kAcquired) {
    CHECK_EQ(waiter.Finish(), MutexOutcome::kAcquired);
    return false;
  }
  Promptness promptness(2 * kNoticeMs);
  const int64_t released_at_ns = NowNs();
  lock.Release();
  CHECK_EQ(waiter.Finish(), MutexOutcome::kAcquired);
  promptness.Note(static_cast<double>(stage->got_at_ns - released_at_ns) / 1e6);
  MustWorkNormally(lock);
  return true;
}

void AKilledSleeperDoesNotTakeTheWakeUpAlong() {
  const Deadline deadline = Deadline::AfterMs(kPatienceMs);
  while (!AWakeUpIsTakenAlong()) CHECK(!deadline.passed());
}

// The first process of every container has the thread id 1. When such a process is killed while it sleeps for a lock, it must not
// be mistaken for the owner with the same id in another container.
void AKilledSleeperIsNotItsNamesake() {
  if (OwnerIsMember()) return Skip("the members of this test are threads, known by the same numbers");
  const SharedScratch<Stage> stage;
  Reset(&*stage);
  SharedLock lock(&stage->cell, TestOwners());
  // Runs `body` as the first process of a new pid namespace, until the test ends it.
  const auto in_container = [](const Child::Body& body) {
    return Child([body](const Channel& parent) {
      if (unshare(CLONE_NEWPID) != 0) return parent.Send('s');
      Child first([&](const Channel& outside) {
        CHECK_EQ(getpid(), 1);
        body(outside);
      });
      parent.Send(first.Receive(kPatienceMs));
      parent.Expect('k');
      first.Kill();
      parent.Send('k');
    });
  };
  Child owner = in_container([&](const Channel& outside) {
    CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kAcquired);
    outside.Send('h');
    outside.Receive(kPatienceMs);
  });
  const char answer = owner.Receive(kPatienceMs);
  if (answer == 's') return Skip("this process may not make pid namespaces");
  CHECK_EQ(answer, 'h');
  CHECK_EQ(OwnerOf(&stage->cell), 1);
  Child sleeper = in_container([&](const Channel& outside) {
    outside.Send('b');
    (void)lock.Acquire(1, Deadline::Never());
  });
  sleeper.Expect('b');
  const Deadline deadline = Deadline::AfterMs(kPatienceMs);
  while (!HasSleepers(&stage->cell)) {
    CHECK(!deadline.passed());
    sched_yield();
  }
  sleeper.Send('k');
  sleeper.Expect('k');
  CHECK_EQ(lock.Peek(), MutexState::kHeld);
  CHECK_EQ(lock.TryAcquire(kOwner), MutexOutcome::kBusy);
  owner.Send('k');
  owner.Expect('k');
  CHECK_EQ(lock.TryAcquire(kOwner), MutexOutcome::kAbandoned);
  lock.Release();
  MustWorkNormally(lock);
}

// The end of a thread is the death of an owner, while its process lives.
void AThreadThatEndsIsAnOwnerThatDies() {
  const SharedScratch<Stage> stage;
  Reset(&*stage);
  SharedLock lock(&stage->cell, TestOwners());
  for (int round = 0; round < 20; ++round) {
    std::thread([&] { CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kAcquired); }).join();
    if (!OwnerIsMember()) CHECK_EQ(lock.Peek(), MutexState::kOwnerDied);  // reads do not query each time
    CHECK_EQ(lock.TryAcquire(kOwner), MutexOutcome::kAbandoned);
    lock.Release();
    MustWorkNormally(lock);
  }
}

// An owner may die while it repairs the state that a dead owner left, again and again.
void AChainOfDeaths() {
  const SharedScratch<Stage> stage;
  Reset(&*stage);
  SharedLock lock(&stage->cell, TestOwners());
  for (int round = 0; round < 20; ++round) {
    Child owner([&](const Channel&) {
      const MutexOutcome outcome = round % 2 == 0 ? lock.TryAcquire(1) : lock.Acquire(1, Deadline::Never());
      CHECK_EQ(outcome, round == 0 ? MutexOutcome::kAcquired : MutexOutcome::kAbandoned);
      if (round % 5 == 4) lock.ReleaseAbandoned();  // and some of them release as abandoned before they end
    });
    owner.ExpectEnd();
  }
  CHECK_EQ(lock.TryAcquire(kOwner), MutexOutcome::kAbandoned);
  lock.Release();
  MustWorkNormally(lock);
}

// A waiter that has reserved the next turn gets it, even if another process first gets `abandoned` and releases the lock.
void ADeathLeavesTheTurnToWhoHasAskedForIt() {
  const SharedScratch<Stage> stage;
  SharedLock lock(&stage->cell, TestOwners());
  constexpr uint64_t kAsker = 7;
  bool kept = false;
  // A reservation is valid for some milliseconds, so one attempt may come too late.
  for (int i = 0; i < 100 && !kept; ++i) {
    Reset(&*stage);
    LeaveOwnerless(&*stage);
    lock.Reserve(kAsker);
    CHECK_EQ(lock.TryAcquire(kOwner), MutexOutcome::kAbandoned);
    lock.Release();
    kept = lock.TryAcquire(kOwner) == MutexOutcome::kBusy;
    if (kept) CHECK_EQ(lock.TryAcquire(kAsker), MutexOutcome::kAcquired);
  }
  CHECK(kept);
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  const Test tests[] = {
      {"a victim at each instruction", AVictimAtEachInstruction},
      {"an impatient victim at each instruction", AnImpatientVictimAtEachInstruction},
      {"a sleeper gets what a dying releaser had", ASleeperGetsWhatADyingReleaserHad},
      {"a lost announcement is repeated", ALostAnnouncementIsRepeated},
      {"a sleeper gets what a dead owner had", ASleeperGetsWhatADeadOwnerHad},
      {"one of many sleepers is told", OneOfManySleepersIsTold},
      {"a killed sleeper does not take the wake-up along", AKilledSleeperDoesNotTakeTheWakeUpAlong},
      {"a killed sleeper is not its namesake", AKilledSleeperIsNotItsNamesake},
      {"a thread that ends is an owner that dies", AThreadThatEndsIsAnOwnerThatDies},
      {"a chain of deaths", AChainOfDeaths},
      {"a death leaves the turn to who has asked for it", ADeathLeavesTheTurnToWhoHasAskedForIt},
  };
  return RunTests(argc, argv, tests);
}
