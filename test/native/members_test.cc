// Members of a segment: each has its own number, and is a member for exactly as long as it holds the segment.

#include <array>
#include <set>
#include <thread>
#include <vector>

#include "check.h"
#include "child_process.h"
#include "platform/named_memory.h"
#include "platform/process_identity.h"

namespace procshare::testing {
namespace {

constexpr size_t kBytes = 4096;
constexpr double kSoonMs = 2000;

NamedMemory MustCreate(const std::string& name) {
  Result<NamedMemory> created = NamedMemory::Create(name, kBytes, 0600);
  CHECK(created.ok() && created.value().Publish().ok());
  return std::move(created.value());
}

NamedMemory MustAttach(const std::string& name) {
  Result<NamedMemory> attached = NamedMemory::Attach(name, false, Deadline::AfterMs(kPatienceMs));
  CHECK(attached.ok());
  return std::move(attached.value());
}

void EachHasANumberOfItsOwn() {
  const std::string name = TestName("members");
  NamedMemory first = MustCreate(name);
  std::set<uint64_t> numbers;
  std::vector<NamedMemory> others;  // like those of the workers of one process
  for (int i = 0; i < 50; ++i) {
    others.push_back(MustAttach(name));
    const uint64_t number = others.back().Join();
    CHECK(number != 0 && numbers.insert(number).second);
    CHECK_EQ(others.back().Join(), number);
  }
  for (const uint64_t number : numbers) {
    CHECK(first.IsMember(number));
    for (const NamedMemory& other : others) CHECK(other.IsMember(number));
  }
  const uint64_t moved = others.back().Join();
  NamedMemory target = std::move(others.back());
  others.pop_back();
  CHECK_EQ(target.Join(), moved);
  CHECK(first.IsMember(moved));
}

// One system call fetches many numbers, and a fork copies those that are left.
void ChildrenOfAForkDrawOtherNumbers() {
  (void)RandomId();
  constexpr int kChildren = 4;
  const SharedScratch<std::array<uint64_t, kChildren>> drawn;
  for (int i = 0; i < kChildren; ++i) {
    Child child([&](const Channel& parent) {
      (*drawn)[i] = RandomId();
      parent.Send('d');
    });
    child.Expect('d');
    child.ExpectEnd();
  }
  std::set<uint64_t> numbers(drawn->begin(), drawn->end());
  numbers.insert(RandomId());
  CHECK_EQ(numbers.size(), static_cast<size_t>(kChildren) + 1);
}

void OneThatClosesIsNoneAtOnce() {
  const std::string name = TestName("closing");
  NamedMemory first = MustCreate(name);
  NamedMemory second = MustAttach(name);
  const uint64_t number = second.Join();
  CHECK(first.IsMember(number));
  second.Close();  // its mapping stays
  CHECK(!first.IsMember(number));
  CHECK(second.IsMember(first.Join()) && second.IsMember(number));  // unknown after Close()
  CHECK_EQ(second.Join(), 0u);
  NamedMemory third = MustAttach(name);
  CHECK(third.Join() != number);
  CHECK(!third.IsMember(number));
}

// As at the end of a process, which may still use the memory.
void OneThatDetachesIsAMemberUntilItCloses() {
  const std::string name = TestName("detached");
  NamedMemory first = MustCreate(name);
  NamedMemory second = MustAttach(name);
  const uint64_t number = second.Join();
  second.Detach();
  CHECK(first.IsMember(number));
  CHECK_EQ(first.CountMembers(), 2u);
  second.Close();
  CHECK(!first.IsMember(number));
  CHECK_EQ(first.CountMembers(), 1u);
}

void OneThatIsKilledIsNone() {
  const std::string name = TestName("killed");
  NamedMemory first = MustCreate(name);
  const SharedScratch<std::atomic<uint64_t>> number;
  for (int round = 0; round < 20; ++round) {
    Child child([&](const Channel& parent) {
      NamedMemory memory = MustAttach(name);
      *number = memory.Join();
      parent.Send('j');
      parent.Expect('q');
    });
    child.Expect('j');
    CHECK(first.IsMember(*number));
    if (round % 2 == 0) {
      kill(child.pid(), SIGSTOP);
      CHECK(first.IsMember(*number));  // stopped is not dead
    }
    child.Kill();
    const Stopwatch watch;
    while (first.IsMember(*number)) CHECK(watch.ms() < kSoonMs);
  }
}

void OthersAreNone() {
  const std::string name = TestName("others");
  NamedMemory memory = MustCreate(name);
  const uint64_t own = memory.Join();
  for (const uint64_t number :
       {uint64_t{1}, uint64_t{2}, uint64_t{4711}, uint64_t{1} << 60, own ^ 1, own + (uint64_t{1} << 61),
        (uint64_t{1} << 61) - 1, uint64_t{1} << 61, uint64_t{1} << 63, UINT64_MAX}) {
    CHECK(!memory.IsMember(number));
  }
  CHECK(memory.IsMember(own));
}

// A waiting thread queries while its environment joins.
void AskedWhileJoining() {
  const std::string name = TestName("asked");
  NamedMemory other = MustCreate(name);
  const uint64_t number = other.Join();
  for (int round = 0; round < 20; ++round) {
    NamedMemory memory = MustAttach(name);
    std::atomic<bool> joined{false};
    std::thread asker([&] {
      while (!joined) CHECK(memory.IsMember(number) && !memory.IsMember(number ^ 1));
    });
    CHECK(memory.Join() != 0);
    joined = true;
    asker.join();
  }
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  const Test tests[] = {
      {"each member has a number of its own", EachHasANumberOfItsOwn},
      {"children of a fork draw other numbers", ChildrenOfAForkDrawOtherNumbers},
      {"one that closes is no member at once", OneThatClosesIsNoneAtOnce},
      {"one that detaches is a member until it closes", OneThatDetachesIsAMemberUntilItCloses},
      {"one that is killed is no member, one that is stopped is", OneThatIsKilledIsNone},
      {"numbers that nobody has are no members", OthersAreNone},
      {"a thread asks while another one joins", AskedWhileJoining},
  };
  return RunTests(argc, argv, tests);
}
