// The guarantees N1 to N5 of platform/named_memory.h, with real processes.

#include "platform/named_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <optional>
#include <string>
#include <vector>

#include "check.h"
#include "child_process.h"
#include "private_memory.h"
#include "traced_child.h"

namespace procshare::testing {
namespace {

constexpr size_t kBytes = 8192;
constexpr uid_t kStranger = 12345;
constexpr int kRounds = kThreadSanitizer || kAddressSanitizer ? 150 : 400;

std::string PathOf(const std::string& name) { return "/dev/shm/" + name; }

// The file that the name means: the memory itself, or its sidecar.
std::string NameFileOf(const std::string& name) {
  if (!kFallbacks) return PathOf(name);
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  char tail[32];
  snprintf(tail, sizeof tail, "/n-%016llx", static_cast<unsigned long long>(hash));
  return "/dev/shm/.procshare-" + std::to_string(geteuid()) + tail;
}

NamedMemory MustCreate(const std::string& name, size_t byte_length = kBytes, unsigned mode = 0600) {
  Result<NamedMemory> created = NamedMemory::Create(name, byte_length, mode);
  CHECK_EQ(created.status().os_error, 0);
  CHECK(created.ok());
  return std::move(created.value());
}

NamedMemory MustPublish(const std::string& name, bool persistent = false) {
  NamedMemory memory = MustCreate(name);
  if (persistent) CHECK(memory.MakePersistent().ok());
  CHECK(memory.Publish().ok());
  return memory;
}

Result<NamedMemory> Attach(const std::string& name) {
  return NamedMemory::Attach(name, false, Deadline::AfterMs(kPatienceMs));
}

NamedMemory MustAttach(const std::string& name) {
  Result<NamedMemory> attached = Attach(name);
  CHECK_EQ(attached.status().os_error, 0);
  CHECK(attached.ok());
  return std::move(attached.value());
}

bool NameExists(const std::string& name) {
  struct stat info;
  return lstat(PathOf(name).c_str(), &info) == 0 || lstat(NameFileOf(name).c_str(), &info) == 0;
}

uint64_t ObjectOf(const std::string& name) {
  struct stat info;
  return lstat(NameFileOf(name).c_str(), &info) == 0 ? static_cast<uint64_t>(info.st_ino) : 0;
}

// The remains of a builder that was killed right after its open(2), or somewhat later where memory is more than a file.
void MakeStaleFile(const std::string& name) {
  if (kFallbacks) {
    Child builder([&](const Channel&) {
      const NamedMemory memory = MustCreate(name);
      _exit(0);
    });
    return builder.ExpectEnd();
  }
  const int fd = open(PathOf(name).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600 | S_ISVTX);
  CHECK(fd >= 0);
  CHECK_EQ(fchmod(fd, 0600 | S_ISVTX), 0);
  close(fd);
}

// Memory as any other program creates it.
void MakeForeignFile(const std::string& name, size_t byte_length) {
  const int fd = open(PathOf(name).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  CHECK(fd >= 0);
  CHECK_EQ(ftruncate(fd, static_cast<off_t>(byte_length)), 0);
  close(fd);
}

// Published memory whose holders were all killed.
void MakeStaleMemory(const std::string& name, int holders) {
  std::vector<Child> children;
  children.emplace_back([&](const Channel& parent) {
    const NamedMemory memory = MustPublish(name);
    parent.Send('p');
    parent.Receive(kPatienceMs);
  });
  children.back().Expect('p');
  for (int i = 1; i < holders; ++i) {
    children.emplace_back([&](const Channel& parent) {
      const NamedMemory memory = MustAttach(name);
      parent.Send('a');
      parent.Receive(kPatienceMs);
    });
    children.back().Expect('a');
  }
  for (Child& child : children) child.Kill();
  CHECK(NameExists(name));
}

// Runs `body(index)` in `count` processes; all of them must succeed.
void InProcesses(uint32_t count, const std::function<void(uint32_t index)>& body) {
  std::vector<Child> children;
  for (uint32_t i = 0; i < count; ++i) {
    children.emplace_back([&, i](const Channel&) { body(i); });
  }
  for (Child& child : children) child.ExpectEnd();
}

void CreatedMemoryIsZeroedBackedAndExact() {
  const std::string name = TestName("exact");
  constexpr size_t kOdd = 3 * 4096 + 512;
  NamedMemory memory = MustCreate(name, kOdd);
  struct stat info;
  CHECK_EQ(stat(PathOf(name).c_str(), &info), 0);
  CHECK_EQ(info.st_size, kOdd);
  CHECK(info.st_blocks * 512 >= info.st_size);
  CHECK_EQ(memory.mapping()->byte_length(), kOdd);
  for (size_t i = 0; i < kOdd; ++i) CHECK_EQ(memory.mapping()->data()[i], 0);
  CHECK(memory.temporary() && memory.open());
  CHECK(memory.Publish().ok());
  NamedMemory second = MustAttach(name);
  CHECK(second.identity() == memory.identity());
  CHECK(second.mapping()->data() != memory.mapping()->data());
  memory.mapping()->data()[kOdd - 1] = 0x5a;
  CHECK_EQ(second.mapping()->data()[kOdd - 1], 0x5a);
  memory.Close();
  memory.Close();
  CHECK(!memory.open());
  CHECK(NameExists(name));  // the second hold of the same process counts
  second.Close();
  CHECK(!NameExists(name));
  CHECK_EQ(second.mapping()->data()[kOdd - 1], 0x5a);  // the bytes outlive the hold
}

struct Contest {
  Rendezvous meeting;
  std::atomic<uint32_t> winners{0};
};

// N1. Half of the rounds start from a stale name, which the creators must agree to remove.
void OneOfManyCreatorsWins() {
  constexpr uint32_t kParties = 4;
  const std::string name = TestName("contest");
  const SharedScratch<Contest> contest;
  InProcesses(kParties, [&](uint32_t index) {
    for (int round = 0; round < kRounds; ++round) {
      if (index == 0) {
        contest->winners = 0;
        if (round % 2 == 1) MakeStaleFile(name);
      }
      contest->meeting.Meet(kParties);
      Result<NamedMemory> created = NamedMemory::Create(name, kBytes, 0600);
      if (created.ok()) {
        ++contest->winners;
        CHECK(created.value().Publish().ok());
      } else {
        CHECK(created.status().Is(EEXIST));
      }
      contest->meeting.Meet(kParties);
      CHECK_EQ(contest->winners.load(), 1);
      contest->meeting.Meet(kParties);
      if (created.ok()) created.value().Close();
      contest->meeting.Meet(kParties);
      CHECK(!NameExists(name));
      contest->meeting.Meet(kParties);
    }
  });
}

// N1 again: concurrent attachers, listings and sweeps remove memory that looks stale. Their locks must not look to a creator like
// a use of the name.
void CreatorWinsAgainstAttachersAndSweepers() {
  constexpr uint32_t kParties = 4;
  const std::string name = TestName("crowd");
  const SharedScratch<Contest> contest;
  InProcesses(kParties, [&](uint32_t index) {
    for (int round = 0; round < kRounds; ++round) {
      if (index == 0) {
        contest->winners = 0;
        if (round % 2 == 1) MakeStaleFile(name);
      }
      contest->meeting.Meet(kParties);
      if (index == 0) {
        Context() = "round " + std::to_string(round);
        const NamedMemory memory = MustPublish(name);
        ++contest->winners;
        contest->meeting.Meet(kParties);
      } else {
        while (contest->winners == 0) {
          if (index == 3) {
            CHECK(VisitMemory([&](const MemoryEntry& entry, const MemoryReader&) { return entry.name == name; }).ok());
          } else {
            const Result<NamedMemory> attached = Attach(name);
            CHECK(attached.ok() || attached.status().Is(ENOENT));
          }
        }
        contest->meeting.Meet(kParties);
      }
      contest->meeting.Meet(kParties);
      CHECK(!NameExists(name));
      contest->meeting.Meet(kParties);
    }
  });
}

// N2.
void AttachWaitsForTheBuilder() {
  const std::string name = TestName("wait");
  constexpr double kShortMs = 40;
  NamedMemory memory = MustCreate(name);
  Child attacher([&](const Channel& parent) {
    const Stopwatch watch;
    const Result<NamedMemory> early = NamedMemory::Attach(name, false, Deadline::AfterMs(kShortMs));
    CHECK(early.status().outcome == Outcome::kNotReady);
    CHECK(watch.ms() >= kShortMs);
    parent.Send('n');
    const NamedMemory attached = MustAttach(name);
    CHECK_EQ(attached.mapping()->data()[kBytes - 1], 77);
    parent.Send('y');
  });
  attacher.Expect('n');
  CHECK_EQ(attacher.Receive(kShortMs), Channel::kNothing);
  memory.mapping()->data()[kBytes - 1] = 77;
  CHECK(memory.Publish().ok());
  attacher.Expect('y');
  attacher.ExpectEnd();
}

void DeadBuilderLeavesTheNameFree() {
  const std::string name = TestName("builder");
  const auto build = [&](const Channel& parent) {
    const NamedMemory memory = MustCreate(name);
    parent.Send('b');
    parent.Receive(kPatienceMs);
  };
  for (const bool attach_first : {false, true}) {
    Child builder(build);
    builder.Expect('b');
    CHECK(NamedMemory::Create(name, kBytes, 0600).status().Is(EEXIST));
    builder.Kill();
    CHECK(NameExists(name));
    if (attach_first) CHECK(Attach(name).status().Is(ENOENT));
    NamedMemory next = MustCreate(name, 4096);
    CHECK_EQ(next.mapping()->byte_length(), 4096);
  }
}

// Waiters for a builder notice its death, and none of them keeps its remains alive for the others.
void WaitersForADeadBuilderGiveUp() {
  constexpr int kWaiters = 8;
  const std::string name = TestName("orphans");
  for (int round = 0; round < kRounds / 20; ++round) {
    Child builder([&](const Channel& parent) {
      const NamedMemory memory = MustCreate(name);
      parent.Send('b');
      parent.Receive(kPatienceMs);
    });
    builder.Expect('b');
    std::vector<Child> waiters;
    for (int i = 0; i < kWaiters; ++i) {
      waiters.emplace_back([&](const Channel& parent) {
        parent.Send('w');
        Result<NamedMemory> attached = Attach(name);
        // The caller must recognise unpublished memory by its content.
        if (attached.ok()) CHECK_EQ(attached.value().mapping()->data()[0], 0);
        if (!attached.ok()) CHECK(attached.status().Is(ENOENT));
        parent.Send('d');
      });
    }
    for (const Child& waiter : waiters) waiter.Expect('w');
    builder.Kill();
    const Stopwatch watch;
    for (const Child& waiter : waiters) waiter.Expect('d');
    CHECK(watch.ms() < 1000);
    for (Child& waiter : waiters) waiter.ExpectEnd();
    (void)MustCreate(name);
  }
}

// N3.
void LastOfManyThatCloseRemovesTheName() {
  constexpr uint32_t kParties = 4;
  const std::string name = TestName("last");
  const SharedScratch<Contest> contest;
  InProcesses(kParties, [&](uint32_t index) {
    for (int round = 0; round < 2 * kRounds; ++round) {
      std::vector<NamedMemory> holds;
      if (index == 0) holds.push_back(MustPublish(name));
      contest->meeting.Meet(kParties);
      if (index != 0) holds.push_back(MustAttach(name));
      contest->meeting.Meet(kParties);
      CHECK(NameExists(name));
      contest->meeting.Meet(kParties);
      holds.back().Close();
      contest->meeting.Meet(kParties);
      CHECK(!NameExists(name));
      contest->meeting.Meet(kParties);
    }
  });
}

// N3: closing races with attaching and with sweeping. A remaining member has memory that the name still means. When no member
// remains, the name is gone.
void ClosingRacesWithAttaching() {
  constexpr uint32_t kParties = 4;
  const std::string name = TestName("handover");
  const SharedScratch<Contest> contest;
  InProcesses(kParties, [&](uint32_t index) {
    for (int round = 0; round < 2 * kRounds; ++round) {
      std::vector<NamedMemory> holds;
      if (index == 0) holds.push_back(MustPublish(name));
      contest->meeting.Meet(kParties);
      if (index == 0) {
        holds.clear();
      } else if (index == 3) {
        const auto visit = [&](const MemoryEntry& entry, const MemoryReader&) { return entry.name == name; };
        CHECK(VisitMemory(visit).ok());
      } else {
        Result<NamedMemory> attached = Attach(name);
        if (attached.ok()) {
          CHECK_EQ(ObjectOf(name), attached.value().identity().object);
          holds.push_back(std::move(attached.value()));
        } else {
          CHECK(attached.status().Is(ENOENT));
        }
      }
      contest->meeting.Meet(kParties);
      if (!holds.empty()) CHECK_EQ(ObjectOf(name), holds.back().identity().object);
      contest->meeting.Meet(kParties);
      holds.clear();
      contest->meeting.Meet(kParties);
      CHECK(!NameExists(name));
      contest->meeting.Meet(kParties);
    }
  });
}

bool ListedAsHeld(const std::string& name) {
  bool held = false;
  const Result<size_t> visited = VisitMemory([&](const MemoryEntry& entry, const MemoryReader&) {
    if (entry.name == name) held = entry.in_use;
    return false;
  });
  CHECK(visited.ok());
  CHECK_EQ(visited.value(), 0);
  return held;
}

void PersistentMemorySurvives() {
  const std::string name = TestName("persistent");
  {
    NamedMemory memory = MustPublish(name, true);
    CHECK(!memory.temporary());
    memory.mapping()->data()[9] = 9;
    CHECK(ListedAsHeld(name));
    memory.Close();
    CHECK(!ListedAsHeld(name));  // although the bytes are still mapped
    CHECK(NameExists(name));
  }
  Child killed([&](const Channel& parent) {
    const NamedMemory memory = MustAttach(name);
    CHECK(!memory.temporary());
    parent.Send('a');
    parent.Receive(kPatienceMs);
  });
  killed.Expect('a');
  killed.Kill();
  CHECK(NamedMemory::Create(name, kBytes, 0600).status().Is(EEXIST));
  CHECK_EQ(VisitMemory([](const MemoryEntry&, const MemoryReader&) { return true; }).value(), 0);
  NamedMemory memory = MustAttach(name);
  CHECK_EQ(memory.mapping()->data()[9], 9);
  CHECK(memory.Unlink().ok());
  CHECK(!NameExists(name));
  CHECK(memory.Unlink().Is(ENOENT));
  CHECK(UnlinkMemory(name, false).Is(ENOENT));
  CHECK(Attach(name).status().Is(ENOENT));
}

void StaleMemoryIsNotAttachable() {
  const std::string name = TestName("stale");
  for (const int holders : {1, 3}) {
    MakeStaleMemory(name, holders);
    CHECK(Attach(name).status().Is(ENOENT));
    CHECK(!NameExists(name));

    MakeStaleMemory(name, holders);
    (void)MustCreate(name);
    CHECK(!NameExists(name));

    MakeStaleMemory(name, holders);
    bool seen = false;
    const auto look = [&](const MemoryEntry& entry, const MemoryReader& read) {
      if (entry.name != name) return false;
      seen = true;
      CHECK_EQ(entry.byte_length, kBytes);
      CHECK(entry.temporary && !entry.in_use);
      char byte;
      CHECK(read(kBytes - 1, &byte, 1));
      CHECK(!read(kBytes, &byte, 1));
      return false;
    };
    CHECK_EQ(VisitMemory(look).value(), 0);
    CHECK(seen);
    CHECK(NameExists(name));  // listing changes nothing
    const auto sweep = [&](const MemoryEntry& entry, const MemoryReader&) { return entry.name == name; };
    CHECK_EQ(VisitMemory(sweep).value(), 1);
    CHECK(!NameExists(name));

    MakeStaleMemory(name, holders);
    CHECK(UnlinkMemory(name, false).ok());
    CHECK(!NameExists(name));
  }
}

void HeldMemoryIsNeverReclaimed() {
  const std::string name = TestName("held");
  const auto sweep = [&](const MemoryEntry& entry, const MemoryReader&) {
    if (entry.name == name) CHECK(entry.in_use);
    return entry.name == name;
  };
  NamedMemory memory = MustCreate(name);
  CHECK_EQ(VisitMemory(sweep).value(), 0);
  CHECK(memory.Publish().ok());
  CHECK_EQ(VisitMemory(sweep).value(), 0);
  CHECK(NamedMemory::Create(name, kBytes, 0600).status().Is(EEXIST));
  CHECK(NameExists(name));
}

void ANewNameIsSafeFromOldHolders() {
  const std::string name = TestName("renewed");
  NamedMemory old = MustPublish(name);
  CHECK(UnlinkMemory(name, false).ok());
  NamedMemory renewed = MustPublish(name);
  CHECK(!(old.identity() == renewed.identity()));
  CHECK(old.Unlink().Is(ENOENT));
  CHECK_EQ(ObjectOf(name), renewed.identity().object);
  old.Close();
  CHECK_EQ(ObjectOf(name), renewed.identity().object);
  CHECK(MustAttach(name).identity() == renewed.identity());
}

// N4 under load: the last two members close and a third process unlinks, while a fourth process creates the name again.
void ANewNameIsSafeInTheRush() {
  constexpr uint32_t kParties = 4;
  const std::string name = TestName("rush");
  const SharedScratch<Contest> contest;
  InProcesses(kParties, [&](uint32_t index) {
    for (int round = 0; round < 2 * kRounds; ++round) {
      std::vector<NamedMemory> holds;
      if (index == 0) holds.push_back(MustPublish(name));
      contest->meeting.Meet(kParties);
      if (index == 1 || index == 2) holds.push_back(MustAttach(name));
      contest->meeting.Meet(kParties);
      std::vector<NamedMemory> renewed;
      if (index == 3) {
        const Status unlinked = UnlinkMemory(name, false);
        CHECK(unlinked.ok() || unlinked.Is(ENOENT));
        renewed.push_back(MustPublish(name));
      } else if (index == 2) {
        const Status unlinked = holds.back().Unlink();
        CHECK(unlinked.ok() || unlinked.Is(ENOENT));
      }
      if (index != 3) holds.clear();
      contest->meeting.Meet(kParties);
      if (index == 3) CHECK_EQ(ObjectOf(name), renewed.back().identity().object);
      if (index == 1) CHECK(Attach(name).ok());
      contest->meeting.Meet(kParties);
      renewed.clear();
      contest->meeting.Meet(kParties);
      CHECK(!NameExists(name));
      contest->meeting.Meet(kParties);
    }
  });
}

// N4 in its narrowest window: a member is stopped between comparing the name and removing it. No process can give the name a new
// meaning in that time.
void ARemoverThatStandsStillHoldsOthersUp() {
  const std::string name = TestName("halt");
  const NamedMemory old = MustPublish(name);
  TracedChild remover([&] { CHECK(UnlinkMemory(name, false).ok()); });
  do {
    CHECK(remover.RunToSystemCallBoundary());
  } while (remover.SystemCall() != SYS_unlink && remover.SystemCall() != SYS_unlinkat);
  Child rival([&](const Channel& parent) {
    parent.Send('s');
    const Status unlinked = UnlinkMemory(name, false);
    CHECK(unlinked.Is(ENOENT));
    const NamedMemory renewed = MustPublish(name);
    parent.Send('r');
    CHECK_EQ(parent.Receive(kPatienceMs), 'c');
    CHECK_EQ(ObjectOf(name), renewed.identity().object);
  });
  rival.Expect('s');
  constexpr double kLookMs = 50;  // less than a rival waits, more than it needs to do harm
  CHECK_EQ(rival.Receive(kLookMs), Channel::kNothing);
  while (remover.RunToSystemCallBoundary()) {
  }
  rival.Expect('r');
  rival.Send('c');
  rival.ExpectEnd();
}

// The name is removed while another process has opened its file, but not locked it yet. The member stays alive.
void ANameThatIsRemovedMeanwhileIsNotAttachedTo() {
  if (kFallbacks) return Skip("the name is a file of its own there");
  const std::string name = TestName("removed-meanwhile");
  for (const bool persistent : {false, true}) {
    for (const bool anew : {false, true}) {
      const NamedMemory old = MustPublish(name, persistent);
      TracedChild attacher([&] {
        const Result<NamedMemory> attached = Attach(name);
        const bool right = anew ? attached.ok() && attached.value().mapping()->data()[0] == 7 : attached.status().Is(ENOENT);
        _exit(right ? 0 : 1);
      });
      // Only for temporary memory the attacher first checks whether others hold it; then it asks for its own shared lock.
      for (int calls = persistent ? 1 : 2; calls > 0; --calls) CHECK(attacher.RunToSystemCall(SYS_fcntl));
      CHECK(UnlinkMemory(name, false).ok());
      std::optional<NamedMemory> other;
      if (anew) {
        other = MustPublish(name);
        other->mapping()->data()[0] = 7;
      }
      attacher.RunToEnd();
    }
  }
}

void ForeignMemoryIsNeverReclaimed() {
  const std::string name = TestName("foreign");
  MakeForeignFile(name, 4096);
  const uint64_t object = ObjectOf(name);
  const auto sweep = [&](const MemoryEntry& entry, const MemoryReader&) {
    if (entry.name == name) CHECK(!entry.temporary && !entry.in_use);
    return entry.name == name;
  };
  CHECK_EQ(VisitMemory(sweep).value(), 0);
  CHECK(NamedMemory::Create(name, kBytes, 0600).status().Is(EEXIST));
  {
    NamedMemory memory = MustAttach(name);
    CHECK(!memory.temporary());
    CHECK_EQ(memory.mapping()->byte_length(), 4096);
    CHECK(memory.Reserve().ok());
    struct stat info;
    CHECK_EQ(stat(PathOf(name).c_str(), &info), 0);
    CHECK(info.st_blocks * 512 >= 4096);
  }
  CHECK_EQ(ObjectOf(name), object);
  CHECK(UnlinkMemory(name, false).ok());

  MakeForeignFile(name, 0);  // another program's memory before its ftruncate
  CHECK(Attach(name).status().outcome == Outcome::kForeign);
  CHECK(NameExists(name));
  CHECK(UnlinkMemory(name, false).ok());
}

void ThingsThatAreNotMemory() {
  const std::string name = TestName("thing");
  const std::string path = PathOf(name);
  const auto refused = [&](const char* what) {
    Context() = what;
    const Stopwatch watch;
    CHECK_EQ(Attach(name).status().outcome, Outcome::kNotMemory);
    CHECK(NamedMemory::Create(name, kBytes, 0600).status().Is(EEXIST));
    CHECK_EQ(UnlinkMemory(name, false).outcome, Outcome::kNotMemory);
    const auto visit = [&](const MemoryEntry& entry, const MemoryReader&) {
      CHECK(entry.name != name);
      return false;
    };
    CHECK(VisitMemory(visit).ok());
    CHECK(NameExists(name));
    CHECK(watch.ms() < 1000);
  };
  const std::string target = TestName("target");
  MakeStaleFile(target);
  CHECK_EQ(symlink(PathOf(target).c_str(), path.c_str()), 0);
  refused("a symbolic link");
  CHECK(NameExists(target));
  CHECK_EQ(unlink(PathOf(target).c_str()), 0);
  refused("a broken symbolic link");
  CHECK_EQ(unlink(path.c_str()), 0);

  CHECK_EQ(mkdir(path.c_str(), 0700), 0);
  refused("a directory");
  CHECK_EQ(rmdir(path.c_str()), 0);

  CHECK_EQ(mkfifo(path.c_str(), 0600), 0);
  refused("a FIFO");
  CHECK_EQ(unlink(path.c_str()), 0);

  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address = {};
  address.sun_family = AF_UNIX;
  CHECK(path.copy(address.sun_path, sizeof address.sun_path - 1) == path.size());
  CHECK_EQ(bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
  refused("a socket");
  close(fd);
  CHECK_EQ(unlink(path.c_str()), 0);
}

void MemoryOfOtherUsers() {
  if (geteuid() != 0) return Skip("only root can give a file to another user");
  const std::string name = TestName("stranger");
  {
    NamedMemory memory = MustPublish(name);
    CHECK_EQ(chown(PathOf(name).c_str(), kStranger, kStranger), 0);
    CHECK_EQ(chmod(PathOf(name).c_str(), 0666 | S_ISVTX), 0);
    CHECK_EQ(Attach(name).status().outcome, Outcome::kOtherUser);
    CHECK_EQ(UnlinkMemory(name, false).outcome, Outcome::kOtherUser);
    const Result<NamedMemory> allowed = NamedMemory::Attach(name, true, Deadline::AfterMs(kPatienceMs));
    CHECK(allowed.ok());
    const auto visit = [&](const MemoryEntry& entry, const MemoryReader&) {
      CHECK(entry.name != name);
      return false;
    };
    CHECK(VisitMemory(visit).ok());
  }
  CHECK(!NameExists(name));

  // Only its owner may reclaim stale memory of another user.
  MakeStaleFile(name);
  CHECK_EQ(chown(PathOf(name).c_str(), kStranger, kStranger), 0);
  CHECK_EQ(chmod(PathOf(name).c_str(), 0666 | S_ISVTX), 0);
  CHECK(NamedMemory::Create(name, kBytes, 0600).status().Is(EEXIST));
  CHECK_EQ(VisitMemory([](const MemoryEntry&, const MemoryReader&) { return true; }).value(), 0);
  CHECK(NameExists(name));
  CHECK(UnlinkMemory(name, true).ok());
}

// When the last member belongs to another user, it cannot remove the name (the directory is sticky). From then on the memory is
// stale, for that user and for the owner.
void AStrangerAsTheLastHolder() {
  if (geteuid() != 0) return Skip("only root can become another user");
  const std::string name = TestName("guest");
  NamedMemory memory = MustCreate(name, kBytes, 0666);
  CHECK(memory.Publish().ok());
  Child guest([&](const Channel& parent) {
    CHECK_EQ(setresuid(kStranger, kStranger, kStranger), 0);
    CHECK_EQ(Attach(name).status().outcome, Outcome::kOtherUser);
    Result<NamedMemory> attached = NamedMemory::Attach(name, true, Deadline::AfterMs(kPatienceMs));
    CHECK(attached.ok());
    parent.Send('a');
    CHECK_EQ(parent.Receive(kPatienceMs), 'c');
    attached.value().Close();  // its bytes stay mapped, which must not look like a member
    const Stopwatch watch;
    CHECK(NamedMemory::Attach(name, true, Deadline::AfterMs(kPatienceMs)).status().Is(ENOENT));
    CHECK(NamedMemory::Create(name, kBytes, 0600).status().Is(EEXIST));
    CHECK(watch.ms() < 1000);
    parent.Send('d');
    parent.Receive(kPatienceMs);
  });
  guest.Expect('a');
  memory.Close();
  CHECK(NameExists(name));
  guest.Send('c');
  guest.Expect('d');
  CHECK(NameExists(name));
  (void)MustCreate(name);
  CHECK(!NameExists(name));
}

void ModeIsHonouredInSpiteOfTheMask() {
  const std::string name = TestName("mode");
  for (const mode_t mask : {mode_t{0022}, mode_t{0077}, mode_t{0277}, mode_t{0777}}) {
    for (const unsigned mode : {0600u, 0640u, 0644u, 0666u, 0777u}) {
      for (const bool persistent : {false, true}) {
        const mode_t before = umask(mask);
        NamedMemory memory = MustCreate(name, kBytes, mode);
        umask(before);
        if (persistent) CHECK(memory.MakePersistent().ok());
        CHECK(memory.Publish().ok());
        struct stat info;
        CHECK_EQ(stat(PathOf(name).c_str(), &info), 0);
        CHECK_EQ(info.st_mode & 07777, mode | (persistent ? 0 : S_ISVTX));
        if (persistent) CHECK(memory.Unlink().ok());
      }
    }
  }
}

// N5. In a mount namespace of its own, where /dev/shm has room for one megabyte.
void FullMemoryIsAnError() {
  const std::string name = TestName("full");
  Child child([&](const Channel& parent) {
    if (!UsePrivateMemory("size=1m")) {
      parent.Send('s');
      return;
    }
    CHECK(NamedMemory::Create(name, size_t{2} << 20, 0600).status().Is(ENOSPC));
    CHECK_EQ(LeftOver(), "");
    NamedMemory small = MustCreate(name, 64 * 1024);
    memset(small.mapping()->data(), 1, 64 * 1024);
    CHECK(NamedMemory::Create(name + "2", 1024 * 1024, 0600).status().Is(ENOSPC));
    CHECK(!NameExists(name + "2"));
    // A stale name is removed even when the new memory does not fit.
    MakeStaleFile(name + "3");
    CHECK(NamedMemory::Create(name + "3", 1024 * 1024, 0600).status().Is(ENOSPC));
    CHECK(!NameExists(name + "3"));
    (void)MustCreate(name + "3", 64 * 1024);
    // Sparse memory of another program: backing its bytes fails, where touching them would raise SIGBUS.
    MakeForeignFile(name + "4", 2 * 1024 * 1024);
    NamedMemory sparse = MustAttach(name + "4");
    CHECK(sparse.Reserve().Is(ENOSPC));
    small.Close();
    CHECK(sparse.Unlink().ok());
    CHECK_EQ(LeftOver(), "");
    parent.Send('d');
  });
  const char answer = child.Receive(kPatienceMs);
  if (answer == 's') {
    child.ExpectEnd();
    return Skip("this process may not mount a file system of its own");
  }
  CHECK_EQ(answer, 'd');
  child.ExpectEnd();
}

// A profiler interrupts a process hundreds of times a second, and tmpfs aborts an allocation at each signal.
void SignalsDoNotKeepMemoryFromBeingMade() {
  const std::string name = TestName("signals");
  Child child([&](const Channel& parent) {
    struct sigaction action = {};
    action.sa_handler = [](int) {};
    CHECK_EQ(sigaction(SIGPROF, &action, nullptr), 0);
    constexpr size_t kLarge = size_t{64} << 20;  // some tens of milliseconds
    const itimerval each = {{0, 1000}, {0, 1000}};
    CHECK_EQ(setitimer(ITIMER_PROF, &each, nullptr), 0);
    const NamedMemory memory = MustCreate(name, kLarge);
    const itimerval never = {};
    CHECK_EQ(setitimer(ITIMER_PROF, &never, nullptr), 0);
    struct stat info;
    CHECK_EQ(stat(PathOf(name).c_str(), &info), 0);
    CHECK_EQ(info.st_size, kLarge);
    CHECK(info.st_blocks * 512 >= info.st_size);
    parent.Send('d');
  });
  child.Expect('d');
  child.ExpectEnd();
}

// A process empties memory that others hold: it cannot be attached any more, and no attacher may wait for it.
void EmptiedMemoryIsGivenUp() {
  const std::string name = TestName("emptied");
  const NamedMemory memory = MustPublish(name);
  CHECK_EQ(truncate(PathOf(name).c_str(), 0), 0);
  const Stopwatch watch;
  CHECK(Attach(name).status().Is(ENOENT));
  CHECK(watch.ms() < 1000);
}

size_t OpenDescriptors() {
  size_t count = 0;
  DIR* const listing = opendir("/proc/self/fd");
  while (readdir(listing) != nullptr) ++count;
  closedir(listing);
  return count;
}

// Mappings of files in /dev/shm: those of the allocator and of a sanitizer come and go.
size_t Mappings() {
  FILE* const maps = fopen("/proc/self/maps", "r");
  size_t count = 0;
  char line[1024];
  while (fgets(line, sizeof line, maps) != nullptr) {
    if (strstr(line, "/dev/shm/") != nullptr) ++count;
  }
  fclose(maps);
  return count;
}

void NothingLeaks() {
  const std::string name = TestName("leak");
  const size_t descriptors = OpenDescriptors();
  for (int i = 0; i < 1000; ++i) {
    NamedMemory memory = MustCreate(name);
    CHECK(NamedMemory::Create(name, kBytes, 0600).status().Is(EEXIST));
    CHECK_EQ(NamedMemory::Attach(name, false, Deadline::AfterMs(0)).status().outcome, Outcome::kNotReady);
    CHECK(memory.Publish().ok());
    NamedMemory second = MustAttach(name);
    NamedMemory third = MustAttach(name);
    third = std::move(second);  // ends the third hold
    CHECK(VisitMemory([](const MemoryEntry&, const MemoryReader&) { return true; }).ok());
    CHECK_EQ(Mappings(), i % 2 == 0 ? 2 : Mappings());
    third.Close();
    if (i % 3 == 0) CHECK(memory.Unlink().ok());
    memory.Close();
    CHECK(Attach(name).status().Is(ENOENT));
  }
  CHECK_EQ(OpenDescriptors(), descriptors);
  CHECK_EQ(Mappings(), 0);
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  UsePrivateMemoryIfPossible();
  const Test tests[] = {
      {"created memory is zeroed, backed and of the exact size", CreatedMemoryIsZeroedBackedAndExact},
      {"one of many concurrent creators wins", OneOfManyCreatorsWins},
      {"a creator wins against attachers and sweepers", CreatorWinsAgainstAttachersAndSweepers},
      {"attach waits for the builder", AttachWaitsForTheBuilder},
      {"a dead builder leaves the name free", DeadBuilderLeavesTheNameFree},
      {"waiters for a dead builder give up", WaitersForADeadBuilderGiveUp},
      {"the last of many that close removes the name", LastOfManyThatCloseRemovesTheName},
      {"closing races with attaching", ClosingRacesWithAttaching},
      {"persistent memory survives its holders", PersistentMemorySurvives},
      {"stale memory is not attachable and is reclaimed", StaleMemoryIsNotAttachable},
      {"held memory is never reclaimed", HeldMemoryIsNeverReclaimed},
      {"a new name is safe from old holders", ANewNameIsSafeFromOldHolders},
      {"a new name is safe in the rush", ANewNameIsSafeInTheRush},
      {"a remover that stands still holds others up", ARemoverThatStandsStillHoldsOthersUp},
      {"a name that is removed meanwhile is not attached to", ANameThatIsRemovedMeanwhileIsNotAttachedTo},
      {"foreign memory is never reclaimed", ForeignMemoryIsNeverReclaimed},
      {"things that are not memory are refused", ThingsThatAreNotMemory},
      {"memory of other users is refused", MemoryOfOtherUsers},
      {"a stranger as the last holder", AStrangerAsTheLastHolder},
      {"the mode is honoured in spite of the mask", ModeIsHonouredInSpiteOfTheMask},
      {"full memory is an error and leaves nothing", FullMemoryIsAnError},
      {"signals do not keep memory from being made", SignalsDoNotKeepMemoryFromBeingMade},
      {"emptied memory is given up", EmptiedMemoryIsGivenUp},
      {"nothing leaks", NothingLeaks},
  };
  return RunTests(argc, argv, tests);
}
