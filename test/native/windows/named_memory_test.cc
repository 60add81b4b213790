// Names on Windows: their meaning, their duration, and the users that may use them.

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "platform/windows/memory_name.h"
#include "program.h"

namespace procshare::testing {
namespace {

constexpr size_t kBytes = 8192;

struct Meeting {
  std::atomic<uint32_t> ready{0};
  std::atomic<uint32_t> go{0};
  std::atomic<uint32_t> done{0};
  std::atomic<uint32_t> won{0};
};

NamedMemory MustCreate(const std::string& name, bool persistent = false) {
  Result<NamedMemory> created = NamedMemory::Create(name, kBytes, 0600, persistent);
  if (!created.ok()) Fail(__FILE__, __LINE__, name + ": " + std::to_string(created.status().os_error));
  if (persistent) CHECK(created.value().MakePersistent().ok());
  CHECK(created.value().Publish().ok());
  return std::move(created.value());
}

Result<NamedMemory> Attach(const std::string& name) { return NamedMemory::Attach(name, false, Deadline::AfterMs(200)); }

bool IsGone(const std::string& name) { return Attach(name).status().Is(ENOENT); }

void HoldIt(const std::vector<std::string>& arguments) {
  const Board<Meeting> board(arguments[0]);
  const Result<NamedMemory> memory = Attach(arguments[1]);
  CHECK(memory.ok());
  board->ready = 1;
  Sleep(INFINITE);
}

void BuildForEver(const std::vector<std::string>& arguments) {
  const Board<Meeting> board(arguments[0]);
  const Result<NamedMemory> memory = NamedMemory::Create(arguments[1], kBytes, 0600, arguments[2] == "persistent");
  CHECK(memory.ok());
  board->ready = 1;
  Sleep(INFINITE);
}

void MakePersistentMemory(const std::vector<std::string>& arguments) {
  NamedMemory memory = MustCreate(arguments[0], true);
  strcpy(reinterpret_cast<char*>(memory.mapping()->data()), "still here");
}

// In each round all try to create one name; one of them does.
void Contend(const std::vector<std::string>& arguments) {
  const Board<Meeting> board(arguments[0]);
  const uint32_t rounds = static_cast<uint32_t>(std::stoul(arguments[2]));
  for (uint32_t round = 1; round <= rounds; ++round) {
    ++board->ready;
    Eventually([&] { return board->go == round; });
    Result<NamedMemory> memory = NamedMemory::Create(arguments[1], kBytes, 0600);
    CHECK(memory.ok() || memory.status().Is(EEXIST));
    board->won += memory.ok();
    ++board->done;
    Eventually([&] { return board->done == 3 * round; });
  }
}

void ANameGoesWithItsLastHolder() {
  const std::string name = TestName("last");
  NamedMemory first = MustCreate(name);
  CHECK(NamedMemory::Create(name, kBytes, 0600).status().Is(EEXIST));
  Result<NamedMemory> second = Attach(name);
  CHECK(second.ok());
  CHECK(second.value().identity() == first.identity());
  first.mapping()->data()[7] = 42;
  CHECK_EQ(second.value().mapping()->data()[7], 42);
  first.Close();
  CHECK(!IsGone(name));
  second.value().Close();
  CHECK(IsGone(name));  // though both mappings are there
  CHECK_EQ(first.mapping()->data()[7], 42);
}

void UnlinkingRemovesTheNameAtOnce() {
  for (const bool persistent : {false, true}) {
    const std::string name = TestName("unlinked");
    NamedMemory old = MustCreate(name, persistent);
    const Result<NamedMemory> other = Attach(name);
    CHECK(other.ok());
    CHECK(old.Unlink().ok());
    CHECK(IsGone(name));
    CHECK(old.Unlink().Is(ENOENT));
    old.mapping()->data()[0] = 1;
    CHECK_EQ(other.value().mapping()->data()[0], 1);  // they go on
    NamedMemory next = MustCreate(name, persistent);
    CHECK_EQ(next.mapping()->data()[0], 0);
    CHECK(!(next.identity() == old.identity()));
    CHECK(old.Unlink().Is(ENOENT));  // it means other memory now
    old.Close();
    CHECK(!IsGone(name));
    CHECK(UnlinkMemory(name, false).ok());
    CHECK(UnlinkMemory(name, false).Is(ENOENT));
  }
}

void AKilledHolderHoldsNoMore() {
  const std::string name = TestName("killed");
  const Board<Meeting> board;
  auto memory = std::make_unique<NamedMemory>(MustCreate(name));
  Child holder("hold", {board.name(), name});
  Eventually([&] { return board->ready == 1; });
  memory.reset();
  CHECK(!IsGone(name));
  holder.Kill();
  CHECK(IsGone(name));
}

void ABuilderThatDiesLeavesNothing() {
  for (const char* kind : {"temporary", "persistent"}) {
    const std::string name = TestName("built");
    const Board<Meeting> board;
    Child builder("build", {board.name(), name, kind});
    Eventually([&] { return board->ready == 1; });
    const Stopwatch watch;
    CHECK_EQ(Attach(name).status().outcome, Outcome::kNotReady);
    CHECK(watch.ms() >= 190);
    CHECK(NamedMemory::Create(name, kBytes, 0600).status().Is(EEXIST));
    builder.Kill();
    CHECK(IsGone(name));
    (void)MustCreate(name);
  }
}

void PersistentMemoryOutlivesItsHolders() {
  const std::string name = TestName("Persistent");
  Child("persist", {name}).ExpectEnd();
  CHECK(NamedMemory::Create(name, kBytes, 0600).status().Is(EEXIST));
  bool listed = false;
  CHECK(VisitMemory([&](const MemoryEntry& entry, const MemoryReader& read) {
          if (entry.name != name) return false;
          char text[11];
          CHECK(!entry.in_use && !entry.temporary && entry.byte_length == kBytes);
          CHECK(read(0, text, sizeof text) && strcmp(text, "still here") == 0);
          CHECK(!read(kBytes - 4, text, sizeof text));
          return listed = true;
        }).ok());
  CHECK(listed);
  {
    const Result<NamedMemory> first = Attach(name), second = Attach(name);
    CHECK(first.ok() && second.ok() && !first.value().temporary());
    CHECK(first.value().identity() == second.value().identity());
    CHECK_EQ(std::string(reinterpret_cast<const char*>(second.value().mapping()->data())), "still here");
    first.value().mapping()->data()[0] = 'S';
  }
  CHECK_EQ(std::string(reinterpret_cast<const char*>(Attach(name).value().mapping()->data())), "Still here");
  CHECK(UnlinkMemory(name, false).ok());
  CHECK(IsGone(name));
}

void AnyNameIsOne() {
  const std::string names[] = {
      TestName("a\\b"),
      TestName("c:"),
      TestName("*?<>|\""),
      TestName("upper"),
      TestName("UPPER"),
      TestName("dot."),
      TestName("Gr\xc3\xbc\xc3\x9f"),
      TestName("%41"),
      TestName("A"),
      TestName("Local\\x"),
      TestName(std::string(150, '*')),
      TestName(std::string(150, '*') + "!"),
  };
  std::vector<NamedMemory> all;
  for (const bool persistent : {false, true}) {
    for (const std::string& name : names) {
      Context() = name;
      all.push_back(MustCreate(name, persistent));
    }
    size_t listed = 0;
    CHECK(VisitMemory([&](const MemoryEntry& entry, const MemoryReader&) {
            for (const std::string& name : names) listed += entry.name == name;
            return false;
          }).ok());
    CHECK_EQ(listed, std::size(names));
    for (const std::string& name : names) {
      Context() = name;
      CHECK(UnlinkMemory(name, false).ok());
      CHECK(IsGone(name));
    }
    all.clear();
  }
}

void ASectionOfAnotherProgramCanBeAttachedTo() {
  const std::string name = TestName("foreign");
  const std::wstring plain(name.begin(), name.end());
  const Handle section(CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE, 0, kBytes, plain.c_str()));
  const View view(MapViewOfFile(section.get(), FILE_MAP_WRITE, 0, 0, 0));
  view.As<uint8_t>()[3] = 9;
  Result<NamedMemory> attached = Attach(name);
  CHECK(attached.ok() && !attached.value().temporary());
  CHECK_EQ(attached.value().mapping()->byte_length(), kBytes);
  CHECK_EQ(attached.value().mapping()->data()[3], 9);
  CHECK(attached.value().identity() == Attach(name).value().identity());
  CHECK(attached.value().Unlink().Is(EPERM));
  CHECK(NamedMemory::Create(name, kBytes, 0600).status().Is(EEXIST));
}

void ReservedBytesOfOthersAreReadWithCareAndBacked() {
  const std::string name = TestName("reserved");
  const std::wstring plain(name.begin(), name.end());
  const Handle section(
      CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE | SEC_RESERVE, 0, kBytes, plain.c_str()));
  CHECK(section.valid());
  Result<NamedMemory> attached = Attach(name);
  CHECK(attached.ok());
  char byte;
  CHECK(!attached.value().Read(0, &byte, 1));
  CHECK(attached.value().Reserve().ok());
  CHECK(attached.value().Read(kBytes - 1, &byte, 1) && byte == 0);
  attached.value().mapping()->data()[kBytes - 1] = 1;
}

void OfManyWhoCreateOneDoes() {
  constexpr uint32_t kRounds = 100;
  const Board<Meeting> board;
  const std::string name = TestName("contended");
  std::vector<Child> children;
  for (int i = 0; i < 3; ++i) {
    children.emplace_back("contend", std::vector<std::string>{board.name(), name, std::to_string(kRounds)});
  }
  for (uint32_t round = 1; round <= kRounds; ++round) {
    Eventually([&] { return board->ready == 3 * round; });
    CHECK_EQ(board->won.load(), round - 1);
    board->go = round;
  }
  for (Child& child : children) child.ExpectEnd();
  CHECK_EQ(board->won.load(), kRounds);
}

void MembersAreThoseWhoHold() {
  const std::string name = TestName("members");
  NamedMemory first = MustCreate(name);
  NamedMemory second = std::move(Attach(name).value());
  const uint64_t number = second.Join();
  CHECK(number != 0 && number == second.Join() && number != first.Join());
  CHECK(first.IsMember(number) && first.IsMember(first.Join()));
  CHECK(!first.IsMember(number + 1) && !first.IsMember(4711));
  second.Close();
  CHECK(!first.IsMember(number));
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  const Role roles[] = {{"hold", HoldIt}, {"build", BuildForEver}, {"persist", MakePersistentMemory}, {"contend", Contend}};
  const Test tests[] = {
      {"a name goes with its last holder, not with the last mapping", ANameGoesWithItsLastHolder},
      {"unlinking removes the name at once, and those who are attached go on", UnlinkingRemovesTheNameAtOnce},
      {"a killed holder holds no more", AKilledHolderHoldsNoMore},
      {"a builder that dies leaves nothing", ABuilderThatDiesLeavesNothing},
      {"persistent memory outlives its holders", PersistentMemoryOutlivesItsHolders},
      {"any text is a name, and no two are one", AnyNameIsOne},
      {"a section of another program can be attached to", ASectionOfAnotherProgramCanBeAttachedTo},
      {"reserved bytes of others are read with care, and backed", ReservedBytesOfOthersAreReadWithCareAndBacked},
      {"of many who create a name one does", OfManyWhoCreateOneDoes},
      {"members are those who hold", MembersAreThoseWhoHold},
  };
  return RunProgram(argc, argv, roles, tests);
}
