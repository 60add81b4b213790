// A process that creates, publishes, attaches, closes and unlinks segments is killed: before and after every system call, and at
// random instructions in between. At whatever point it dies, others see a whole segment or none and never wait for the dead
// process. The name becomes free as soon as it should be.

#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "check.h"
#include "child_process.h"
#include "lock_at.h"
#include "private_memory.h"
#include "shm/segment.h"
#include "shm/shared_lock.h"
#include "thread_members.h"
#include "traced_child.h"

namespace procshare::testing {
namespace {

constexpr uint64_t kPayloadBytes = 6000;
constexpr uint8_t kFill = 0xa5;
constexpr char kDescription[] = "{\"kind\":\"made by the victim\"}";
constexpr double kPromptMs = 200;

SegmentSpec SpecOf(bool persistent) {
  SegmentSpec spec;
  spec.payload_bytes = kPayloadBytes;
  spec.cells_bytes = sizeof(LockCell);
  spec.any_namespace = TestKind() == MutexKind::kMembers;
  spec.description = kDescription;
  spec.mode = 0640;  // differs from that of open(2): one more system call to die at
  spec.persistent = persistent;
  return spec;
}

Result<Segment> Make(const std::string& name, bool persistent) {
  Result<Segment> created = Segment::Create(name, SpecOf(persistent));
  if (!created.ok()) return created;
  if (!SharedLock(LockAt(created.value(), 0), nullptr).Init(created.value().mutex_kind()))
    return Status::System(ENOSYS, "pthread_mutex_init");
  memset(created.value().payload(), kFill, kPayloadBytes);
  const Status published = created.value().Publish();
  if (!published.ok()) return published;
  return created;
}

void MustBeWhole(const Segment& segment) {
  CHECK_EQ(segment.description(), kDescription);
  CHECK_EQ(segment.payload_bytes(), kPayloadBytes);
  CHECK(segment.id() != 0);
  for (uint64_t i = 0; i < kPayloadBytes; ++i) CHECK_EQ(segment.payload()[i], kFill);
  SharedLock lock(LockAt(segment, 0), TestOwners());
  CHECK(lock.LooksSound());
  CHECK_EQ(lock.Acquire(1, Deadline::AfterMs(kPatienceMs)), MutexOutcome::kAcquired);
  lock.Release();
}

// The meaning of the name before the victim begins.
enum class Before : uint8_t { kNothing, kStale, kHeld, kPersistent };
constexpr const char* kBeforeNames[] = {"a fresh name", "a stale name", "a held name", "a persistent name"};

struct Scenario {
  Before before;
  bool persistent;  // the kind that the victim creates, if it gets that far

  std::string Describe() const {
    return std::string(kBeforeNames[static_cast<int>(before)]) + (persistent ? ", made persistent" : "");
  }
};

const Scenario kScenarios[] = {
    {Before::kNothing, false}, {Before::kNothing, true}, {Before::kStale, false},
    {Before::kStale, true},    {Before::kHeld, false},   {Before::kPersistent, true},
};

// All operations of a user of segments, one after the other.
void LiveAFullLife(const std::string& name, bool persistent) {
  const Result<Segment> created = Make(name, persistent);
  if (!created.ok() && !created.status().Is(EEXIST)) _exit(1);
  Result<Segment> attached = Segment::Attach(name, false, false);
  if (!attached.ok()) _exit(2);
  attached.value().Close();
  Result<Segment> again = Segment::Attach(name, false, false);
  if (!again.ok()) _exit(3);
  if (persistent && !again.value().Unlink().ok()) _exit(4);
}

// The environment of one victim: prepares it, and afterwards checks the remains.
class World {
 public:
  World(const Scenario& scenario, const std::string& name) : scenario_(scenario), name_(name) {
    switch (scenario.before) {
      case Before::kNothing: break;
      case Before::kStale: {
        Child owner([&](const Channel&) {
          CHECK(Make(name, false).ok());
          kill(getpid(), SIGKILL);
        });
        const int status = owner.Reap();
        CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        break;
      }
      case Before::kHeld: held_.push_back(std::move(Make(name, false).value())); break;
      case Before::kPersistent: CHECK(Make(name, true).ok()); break;
    }
  }

  // The order of the first two queries after a death affects the state machine, but not the results.
  void Check(bool create_first, Promptness* promptness) {
    if (create_first)
      CreateFirst(promptness);
    else
      AttachFirst(promptness);
    held_.clear();
    const Status unlinked = UnlinkMemory(name_, false);
    CHECK(unlinked.Is(ENOENT) || (unlinked.ok() && scenario_.persistent));
    CHECK_EQ(LeftOver(), "");
  }

 private:
  Result<Segment> Timed(Promptness* promptness, bool create) {
    const Stopwatch watch;
    Result<Segment> result = create ? Make(name_, false) : Segment::Attach(name_, false, false);
    promptness->Note(watch.ms());
    if (result.ok()) MustBeWhole(result.value());
    return result;
  }

  void AttachFirst(Promptness* promptness) {
    const Result<Segment> attached = Timed(promptness, false);
    if (attached.ok()) {
      // A member holds it, or it needs no holder.
      CHECK(!held_.empty() || scenario_.persistent);
      CHECK(Timed(promptness, true).status().Is(EEXIST));
    } else {
      CHECK(attached.status().Is(ENOENT));
      CHECK(held_.empty());
      CHECK(Timed(promptness, true).ok());
    }
  }

  void CreateFirst(Promptness* promptness) {
    const Result<Segment> created = Timed(promptness, true);
    if (created.ok()) {
      CHECK(held_.empty());
    } else {
      CHECK(created.status().Is(EEXIST));
      CHECK(!held_.empty() || scenario_.persistent);
    }
    CHECK(Timed(promptness, false).ok());
  }

  Scenario scenario_;
  std::string name_;
  std::vector<Segment> held_;
};

// Counts the boundaries of one whole life, entries and exits. The allocator may add or save one from run to
// run.
int BoundariesOf(const Scenario& scenario, const std::string& name) {
  World world(scenario, name);
  TracedChild victim([&] { LiveAFullLife(name, scenario.persistent); });
  int count = 0;
  while (victim.RunToSystemCallBoundary()) ++count;
  return count;
}

void AVictimAtEachSystemCall() {
  const OneProcessor one;
  const std::string name = TestName("calls");
  Promptness promptness(kPromptMs);
  for (const Scenario& scenario : kScenarios) {
    const int boundaries = BoundariesOf(scenario, name);
    (void)UnlinkMemory(name, false);
    for (int kill_at = 1; kill_at <= boundaries; ++kill_at) {
      for (const bool create_first : {false, true}) {
        Context() = scenario.Describe() + ", boundary " + std::to_string(kill_at);
        World world(scenario, name);
        TracedChild victim([&] { LiveAFullLife(name, scenario.persistent); });
        for (int i = 0; i < kill_at && victim.RunToSystemCallBoundary(); ++i) {
        }
        victim.Kill();
        world.Check(create_first, &promptness);
      }
    }
    printf("     %s: %d boundaries\n", scenario.Describe().c_str(), boundaries);
    CHECK(boundaries > 20);
  }
}

// Other processes are attaching when the victim is killed. They do not wait for an event that cannot come.
void AttachersOfAVictimAtEachSystemCall() {
  const std::string name = TestName("attachers");
  constexpr int kAttachers = 3;
  Promptness promptness(kPromptMs);
  std::vector<Child> attachers;
  for (int i = 0; i < kAttachers; ++i) {
    attachers.emplace_back([&](const Channel& parent) {
      while (parent.Receive(kPatienceMs) == 'a') {
        parent.Send('s');
        Result<Segment> attached = Segment::Attach(name, false, false);
        if (attached.ok()) MustBeWhole(attached.value());
        CHECK(attached.ok() || attached.status().Is(ENOENT));
        parent.Send('d');
        parent.Expect('c');
        if (attached.ok()) attached.value().Close();
        parent.Send('c');
      }
    });
  }
  for (const Scenario& scenario : {kScenarios[0], kScenarios[1], kScenarios[2]}) {
    const int boundaries = BoundariesOf(scenario, name);
    for (int kill_at = 1; kill_at <= boundaries; ++kill_at) {
      Context() = scenario.Describe() + ", boundary " + std::to_string(kill_at);
      World world(scenario, name);
      const OneProcessor one;
      TracedChild victim([&] { LiveAFullLife(name, scenario.persistent); });
      for (int i = 0; i < kill_at; ++i) {
        // In the last third of the path, so that the attachers meet the victim at work and not only its remains.
        if (i == kill_at * 2 / 3) {
          for (const Child& attacher : attachers) attacher.Send('a');
          for (const Child& attacher : attachers) attacher.Expect('s');
        }
        // With concurrent attachers, the victim may lose its name, or be delayed, and take another path.
        if (!victim.RunToSystemCallBoundary()) break;
      }
      victim.Kill();
      const Stopwatch watch;
      for (const Child& attacher : attachers) attacher.Expect('d');
      promptness.Note(watch.ms());
      for (const Child& attacher : attachers) attacher.Send('c');
      for (const Child& attacher : attachers) attacher.Expect('c');
      const Status unlinked = UnlinkMemory(name, false);
      // No process holds it any more. If only the victim ever attached to it, the name is stale and not held.
      CHECK(unlinked.ok() || unlinked.Is(ENOENT));
    }
  }
  for (const Child& attacher : attachers) attacher.Send('q');
  for (Child& attacher : attachers) attacher.ExpectEnd();
}

// Two attachers have seen the victim at work when it is killed. Then each of them holds a shared lock, and mistakes the other one
// for a member.
void TwoAttachersOfAVictimThatHasNotPublished() {
  if (kFallbacks) return Skip("the name is a file of its own there");
  const std::string name = TestName("two");
  TracedChild victim([&] {
    const Result<Segment> created = Segment::Create(name, SpecOf(false));
    CHECK(created.ok());
    TracedChild::Halt();
  });
  CHECK(victim.RunToHalt());
  const auto attach = [&] { _exit(Segment::Attach(name, false, false).status().Is(ENOENT) ? 0 : 1); };
  TracedChild first(attach), second(attach);
  for (TracedChild* attacher : {&first, &second}) {
    CHECK(attacher->RunToSystemCall(SYS_fcntl));  // does any process hold it?
    CHECK(attacher->RunToSystemCall(SYS_fcntl));  // its own share
  }
  victim.Kill();
  for (TracedChild* attacher : {&first, &second}) CHECK(attacher->RunToSystemCallBoundary());
  first.RunToEnd();
  second.RunToEnd();
  CHECK_EQ(LeftOver(), "");
}

void AVictimAtRandomInstructions() {
  if (kThreadSanitizer) return Skip("the thread sanitizer makes ten instructions of each, and all of them its own");
  const OneProcessor one;
  const std::string name = TestName("instructions");
  constexpr int kRounds = 500;
  constexpr int kMaxSteps = kAddressSanitizer ? 400 : 250;
  const uint32_t seed = Seed();
  std::mt19937 random(seed);
  int boundaries[std::size(kScenarios)];
  for (size_t i = 0; i < std::size(kScenarios); ++i) {
    boundaries[i] = BoundariesOf(kScenarios[i], name);
    (void)UnlinkMemory(name, false);
  }
  Promptness promptness(kPromptMs);
  for (int round = 0; round < kRounds; ++round) {
    const size_t index = random() % std::size(kScenarios);
    const Scenario& scenario = kScenarios[index];
    // A random call, and from there a random number of instructions, which may lead into later calls.
    const int calls = static_cast<int>(random() % static_cast<unsigned>(boundaries[index]));
    const int steps = static_cast<int>(random() % kMaxSteps);
    Context() = "seed " + std::to_string(seed) + ", round " + std::to_string(round) + ", " + scenario.Describe() +
                ", call " + std::to_string(calls) + ", instruction " + std::to_string(steps);
    World world(scenario, name);
    TracedChild victim([&] { LiveAFullLife(name, scenario.persistent); });
    bool alive = true;
    for (int i = 0; i < calls && alive; ++i) alive = victim.RunToSystemCallBoundary();
    for (int i = 0; i < steps && alive; ++i) alive = victim.StepInstruction();
    victim.Kill();
    world.Check(random() % 2 == 0, &promptness);
  }
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  UsePrivateMemoryIfPossible();
  const Test tests[] = {
      {"a victim at each system call", AVictimAtEachSystemCall},
      {"attachers of a victim at each system call", AttachersOfAVictimAtEachSystemCall},
      {"two attachers of a victim that has not published", TwoAttachersOfAVictimThatHasNotPublished},
      {"a victim at random instructions", AVictimAtRandomInstructions},
  };
  return RunTests(argc, argv, tests);
}
