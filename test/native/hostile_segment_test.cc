// Attaching to bytes that another process has damaged or forged: each attempt is refused with a clear outcome, and never crashes
// or hangs.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <functional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "check.h"
#include "child_process.h"
#include "lock_at.h"
#include "mutex_words.h"
#include "platform/robust_mutex.h"
#include "private_memory.h"
#include "shm/segment.h"
#include "shm/shared_lock.h"
#include "thread_members.h"

namespace procshare::testing {
namespace {

constexpr uint64_t kPayloadBytes = 5000;
constexpr uint64_t kCellsBytes = 2 * sizeof(LockCell);
constexpr char kDescription[] = "{\"kind\":\"hostile test\",\"length\":625}";
constexpr double kPromptMs = 1000;

std::string PathOf(const std::string& name) { return "/dev/shm/" + name; }

Segment MustCreate(const std::string& name, bool persistent) {
  SegmentSpec spec;
  spec.payload_bytes = kPayloadBytes;
  spec.cells_bytes = kCellsBytes;
  spec.description = kDescription;
  spec.persistent = persistent;
  spec.any_namespace = TestKind() == MutexKind::kMembers;
  Result<Segment> created = Segment::Create(name, spec);
  CHECK(created.ok());
  CHECK(SharedLock(LockAt(created.value(), 0), nullptr).Init(created.value().mutex_kind()));
  memset(created.value().payload(), 0x5a, kPayloadBytes);
  CHECK(created.value().Publish().ok());
  return std::move(created.value());
}

ControlBlock* BlockOf(const Segment& segment) {
  const MemoryMapping& mapping = *segment.mapping();
  return reinterpret_cast<ControlBlock*>(mapping.data() + mapping.byte_length() - sizeof(ControlBlock));
}

// The checksum of docs/internals/segment-layout.md, implemented a second time because it is part of the format.
void Sign(const Segment& segment) {
  ControlBlock* const block = BlockOf(segment);
  uint64_t state = 0xcbf29ce484222325;
  const auto step = [&state](uint64_t word) {
    state = (state ^ word) * 0x100000001b3;
    state ^= state >> 32;
  };
  const auto add = [&](const uint8_t* bytes, size_t count) {
    uint64_t word;
    for (; count >= sizeof word; bytes += sizeof word, count -= sizeof word) {
      memcpy(&word, bytes, sizeof word);
      step(word);
    }
    word = count;
    for (size_t i = 0; i < count; ++i) word = word << 8 | bytes[i];
    step(word);
  };
  const uint8_t* const bytes = reinterpret_cast<const uint8_t*>(block);
  add(bytes, 16);
  add(bytes + 20, 496 - 20);
  // A forged extent has no bytes to sign, and must be refused before any of them is read.
  const uint64_t total = segment.mapping()->byte_length();
  const bool inside = block->description_offset <= total && block->description_bytes <= total - block->description_offset;
  if (inside) add(segment.mapping()->data() + block->description_offset, block->description_bytes);
  block->checksum = state;
}

Status AttachStatus(const std::string& name, bool foreign = false) {
  const Stopwatch watch;
  const Result<Segment> attached = Segment::Attach(name, false, foreign);
  CHECK(watch.ms() < kPromptMs);
  if (attached.ok() && !attached.value().MutexesUsable()) return Status::Of(Outcome::kNamespace);
  return attached.status();
}

// Listing also reads bytes that any process may have written.
void MustListPeacefully() {
  std::vector<SegmentEntry> entries;
  CHECK(ListSegments(&entries).ok());
  for (const SegmentEntry& entry : entries) CHECK(entry.description.size() <= kMaxDescriptionBytes);
}

Outcome ExpectedOutcome(size_t offset_in_block, bool persistent) {
  if (offset_in_block < 8) return persistent ? Outcome::kForeign : Outcome::kCorrupt;
  if (offset_in_block == 10 || offset_in_block == 11) return Outcome::kLayout;
  const size_t in_stamp = offset_in_block - offsetof(ControlBlock, pid_namespace);
  if (in_stamp < sizeof(ControlBlock::pid_namespace)) {
    return TestKind() == MutexKind::kMembers ? Outcome::kOk : Outcome::kNamespace;
  }
  return Outcome::kCorrupt;
}

// Every bit of the block and of the description counts.
void EveryDamagedByteIsNoticed() {
  const std::string name = TestName("byte");
  for (const bool persistent : {false, true}) {
    const Segment segment = MustCreate(name, persistent);
    const uint64_t total = segment.mapping()->byte_length();
    const uint64_t description_offset = BlockOf(segment)->description_offset;
    const auto damage = [&](uint64_t offset, const std::function<Outcome()>& expected) {
      uint8_t* const byte = segment.mapping()->data() + offset;
      const uint8_t before = *byte;
      std::set<uint8_t> values = {static_cast<uint8_t>(before ^ 0xff), static_cast<uint8_t>(before + 1), 0, 0xff};
      for (int bit = 0; bit < 8; ++bit) values.insert(static_cast<uint8_t>(before ^ (1 << bit)));
      values.erase(before);
      for (const uint8_t value : values) {
        Context() = "offset " + std::to_string(offset) + ", value " + std::to_string(value);
        *byte = value;
        CHECK_EQ(AttachStatus(name).outcome, expected());
      }
      MustListPeacefully();
      *byte = before;
    };
    for (size_t i = 0; i < sizeof(ControlBlock); ++i) {
      damage(total - sizeof(ControlBlock) + i, [&] { return ExpectedOutcome(i, persistent); });
    }
    for (size_t i = 0; i < sizeof kDescription - 1; ++i) {
      damage(description_offset + i, [] { return Outcome::kCorrupt; });
    }
    // The bytes between the description and the block mean nothing.
    damage(description_offset + sizeof kDescription - 1, [] { return Outcome::kOk; });
    damage(total - sizeof(ControlBlock) - 1, [] { return Outcome::kOk; });
    Context().clear();
    CHECK(AttachStatus(name).ok());
    if (persistent) CHECK(UnlinkMemory(name, false).ok());
  }
}

// A builder that died leaves a temporary segment that is not ready: it is removed, even when other processes attach at the same
// time. Persistent memory is always ready, unless a process has overwritten it.
void ASegmentThatIsNotReady() {
  const std::string name = TestName("unready");
  {
    const Segment segment = MustCreate(name, false);
    BlockOf(segment)->ready = kBuilding;
    CHECK(AttachStatus(name).Is(ENOENT));
    CHECK_EQ(LeftOver(), "");
  }
  {
    const Segment segment = MustCreate(name, true);
    BlockOf(segment)->ready = kBuilding;
    MustListPeacefully();
    CHECK_EQ(AttachStatus(name).outcome, Outcome::kNotReady);
    CHECK(UnlinkMemory(name, false).ok());
  }
}

void TruncatedAndGrownSegmentsAreRefused() {
  const std::string name = TestName("size");
  constexpr uint64_t kTotal = 8192;
  const uint64_t sizes[] = {0,    1,    511,  512,        513,          4095,         4096,          4097,
                            7679, 7680, 7681, kTotal - 1, kTotal + 511, kTotal + 512, kTotal + 4096, 1 << 20};
  for (const bool persistent : {false, true}) {
    for (const uint64_t size : sizes) {
      Context() = std::to_string(size) + (persistent ? " bytes, persistent" : " bytes, temporary");
      const Segment segment = MustCreate(name, persistent);
      CHECK_EQ(segment.mapping()->byte_length(), kTotal);
      CHECK_EQ(truncate(PathOf(name).c_str(), static_cast<off_t>(size)), 0);
      MustListPeacefully();
      const Status status = AttachStatus(name);
      if (persistent) {
        CHECK_EQ(status.outcome, Outcome::kForeign);
        CHECK(UnlinkMemory(name, false).ok());
      } else {
        // Where the block should be there are zeros, as in a segment whose creator died early, or other
        // bytes.
        CHECK(status.Is(ENOENT) || status.outcome == Outcome::kCorrupt);
      }
    }
  }
}

int MakeFile(const std::string& name, const std::vector<uint8_t>& bytes, mode_t mode) {
  const int fd = open(PathOf(name).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  CHECK(fd >= 0);
  CHECK_EQ(write(fd, bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  return fd;
}

// `bytes` as memory of another program, as our temporary memory without a member, and as our temporary memory with a member.
void TryMadeUpBytes(const std::vector<uint8_t>& bytes) {
  const std::string name = TestName("bytes");
  const int foreign = MakeFile(name, bytes, 0600);
  MustListPeacefully();
  CHECK_EQ(AttachStatus(name).outcome, Outcome::kForeign);
  if (!bytes.empty()) {
    const Result<Segment> attached = Segment::Attach(name, false, true);
    CHECK(attached.ok());
    CHECK_EQ(attached.value().payload_bytes(), bytes.size());
    CHECK_EQ(memcmp(attached.value().payload(), bytes.data(), bytes.size()), 0);
    CHECK_EQ(attached.value().id(), 0);
    CHECK(LockAt(attached.value(), 0) == nullptr);
  }
  CHECK(RemoveStaleSegments().ok());
  CHECK(UnlinkMemory(name, false).ok());
  close(foreign);

  const int stale = MakeFile(name, bytes, 0600 | S_ISVTX);
  MustListPeacefully();
  CHECK(AttachStatus(name).Is(ENOENT));
  close(stale);

  const int held = MakeFile(name, bytes, 0600 | S_ISVTX);
  struct flock hold = {};
  hold.l_type = F_RDLCK;
  hold.l_len = 1;
  CHECK_EQ(fcntl(held, F_OFD_SETLK, &hold), 0);
  MustListPeacefully();
  const Status status = AttachStatus(name);
  CHECK(status.Is(ENOENT) || status.outcome == Outcome::kCorrupt);
  if (LeftOver() != "") CHECK(UnlinkMemory(name, false).ok());
  close(held);
}

void MadeUpBytesAreRefused() {
  const size_t sizes[] = {0, 1, 511, 512, 513, 1024, 4095, 4096, 4097, 8192, 65536};
  for (const size_t size : sizes) {
    for (const uint8_t value : {uint8_t{0}, uint8_t{1}, uint8_t{0xff}}) {
      Context() = std::to_string(size) + " bytes of " + std::to_string(value);
      TryMadeUpBytes(std::vector<uint8_t>(size, value));
    }
  }
  const uint32_t seed = Seed();
  std::mt19937 random(seed);
  for (int round = 0; round < 100; ++round) {
    Context() = "seed " + std::to_string(seed) + ", round " + std::to_string(round);
    std::vector<uint8_t> bytes(sizes[random() % std::size(sizes)]);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
    TryMadeUpBytes(bytes);
  }
}

// Two damaged bytes must not cancel each other: each pair of places in one word and in neighbouring words.
void TwoDamagedBytesAreNoticed() {
  const std::string name = TestName("pair");
  const Segment segment = MustCreate(name, true);
  uint8_t* const bytes = reinterpret_cast<uint8_t*>(BlockOf(segment));
  std::mt19937 random(Seed());
  for (const size_t first : {offsetof(ControlBlock, created_at_ms), offsetof(ControlBlock, name) + 4}) {
    for (size_t i = first; i < first + 8; ++i) {
      for (size_t j = i + 1; j < first + 32; ++j) {
        for (int round = 0; round < 32; ++round) {
          Context() = "offsets " + std::to_string(i) + " and " + std::to_string(j);
          const uint8_t before[] = {bytes[i], bytes[j]};
          bytes[i] = static_cast<uint8_t>(before[0] ^ (1 + random() % 255));
          bytes[j] = static_cast<uint8_t>(before[1] ^ (1 + random() % 255));
          CHECK(!AttachStatus(name).ok());
          bytes[i] = before[0];
          bytes[j] = before[1];
        }
      }
    }
  }
  CHECK(UnlinkMemory(name, false).ok());
}

// Several damaged bytes at once, in a block that is otherwise a real one.
void RandomDamageIsNoticed() {
  const std::string name = TestName("random");
  const uint32_t seed = Seed();
  std::mt19937 random(seed);
  const Segment segment = MustCreate(name, true);
  ControlBlock* const block = BlockOf(segment);
  uint8_t before[sizeof(ControlBlock)];
  memcpy(before, block, sizeof before);
  for (int round = 0; round < 3000; ++round) {
    Context() = "seed " + std::to_string(seed) + ", round " + std::to_string(round);
    uint8_t* const bytes = reinterpret_cast<uint8_t*>(block);
    const size_t count = 1 + random() % 16;
    for (size_t i = 0; i < count; ++i) bytes[random() % sizeof(ControlBlock)] = static_cast<uint8_t>(random());
    if (OwnerIsMember())
      memset(bytes + offsetof(ControlBlock, pid_namespace), 0, sizeof block->pid_namespace);  // means nothing
    if (memcmp(before, block, sizeof before) != 0) CHECK(!AttachStatus(name).ok());
    if (round % 10 == 0) MustListPeacefully();
    memcpy(bytes, before, sizeof before);
  }
  Context().clear();
  CHECK(AttachStatus(name).ok());
  CHECK(UnlinkMemory(name, false).ok());
}

void OtherVersionsAndLibrariesAreTold() {
  const std::string name = TestName("version");
  const Segment segment = MustCreate(name, false);
  ControlBlock* const block = BlockOf(segment);
  const auto outcome_with = [&](const std::function<void()>& change) {
    uint8_t before[sizeof(ControlBlock)];
    memcpy(before, block, sizeof before);
    change();
    Sign(segment);
    const Outcome outcome = AttachStatus(name).outcome;
    memcpy(reinterpret_cast<uint8_t*>(block), before, sizeof before);
    return outcome;
  };
  CHECK_EQ(outcome_with([] {}), Outcome::kOk);  // this test's checksum is the real one
  CHECK_EQ(outcome_with([&] { block->layout = (kLayoutMajor + 1) << 16; }), Outcome::kLayout);
  CHECK_EQ(outcome_with([&] { block->layout = (kLayoutMajor - 1) << 16; }), Outcome::kLayout);
  CHECK_EQ(outcome_with([&] { block->layout = kLayoutVersion + 1; }),
           Outcome::kOk);  // a minor version may differ
  CHECK_EQ(outcome_with([&] { block->reserved[0] = 1; }),
           Outcome::kOk);  // and give reserved bytes a meaning
  CHECK_EQ(outcome_with([&] { block->abi ^= 1; }), Outcome::kAbi);
  CHECK_EQ(outcome_with([&] { block->abi ^= 3 << 16; }), Outcome::kAbi);
  // A later major version may sign in another way, so the version must be checked before the checksum.
  block->layout = (kLayoutMajor + 1) << 16;
  CHECK_EQ(AttachStatus(name).outcome, Outcome::kLayout);
}

// Wrong extents under a correct checksum.
void ImpossibleExtentsAreRefused() {
  const std::string name = TestName("extents");
  const Segment segment = MustCreate(name, false);
  ControlBlock* const block = BlockOf(segment);
  const uint64_t total = segment.mapping()->byte_length();
  uint64_t ControlBlock::*const fields[] = {
      &ControlBlock::total_bytes, &ControlBlock::payload_bytes,      &ControlBlock::cells_offset,
      &ControlBlock::cells_bytes, &ControlBlock::description_offset, &ControlBlock::description_bytes,
      &ControlBlock::name_bytes,
  };
  const uint64_t values[] = {1,
                             63,
                             64,
                             total - 1,
                             total,
                             total + 1,
                             total * 2,
                             1u << 31,
                             1ull << 32,
                             1ull << 47,
                             1ull << 63,
                             UINT64_MAX - 63,
                             UINT64_MAX - 1,
                             UINT64_MAX,
                             uint64_t{0} - total,
                             uint64_t{0} - 512,
                             0};
  uint8_t before[sizeof(ControlBlock)];
  memcpy(before, block, sizeof before);
  size_t refused = 0;
  const auto attempt = [&] {
    Sign(segment);
    const Result<Segment> attached = Segment::Attach(name, false, false);
    if (attached.ok()) {
      // Some wrong extents are harmless, such as a shorter payload with the same rounding. Then all returned ranges are inside.
      const Segment& other = attached.value();
      CHECK(other.payload_bytes() <= total - sizeof(ControlBlock));
      CHECK(other.description().size() <= total);
      for (uint64_t offset = 0; offset < 1024; offset += 64) {
        const uint8_t* const cell = reinterpret_cast<const uint8_t*>(LockAt(other, offset));
        const uint8_t* const start = other.mapping()->data();
        if (cell != nullptr) CHECK(cell >= start && cell + sizeof(LockCell) <= start + total - sizeof(ControlBlock));
      }
      CHECK(LockAt(other, UINT64_MAX - 63) == nullptr);
    } else {
      CHECK_EQ(attached.status().outcome, Outcome::kCorrupt);
      ++refused;
    }
    MustListPeacefully();
    memcpy(reinterpret_cast<uint8_t*>(block), before, sizeof before);
  };
  for (const auto field : fields) {
    for (const uint64_t value : values) {
      Context() = std::to_string(value);
      block->*field = value;
      attempt();
    }
  }
  // Two wrong extents that are consistent with each other.
  for (const auto first : fields) {
    for (const auto second : fields) {
      for (const uint64_t value : values) {
        block->*first = value;
        block->*second = uint64_t{0} - value;
        attempt();
        block->payload_bytes = value;
        block->cells_offset = (value + 63) / 64 * 64;
        block->*first = block->cells_offset + block->cells_bytes;
        attempt();
      }
    }
  }
  CHECK(refused > 500);
}

// On a full /dev/shm even reading sparse memory of another program through a mapping raises SIGBUS.
void SparseForeignMemoryOnAFullSystem() {
  const std::string name = TestName("sparse");
  Child child([&](const Channel& parent) {
    if (!UsePrivateMemory("size=256k")) {
      parent.Send('s');
      return;
    }
    const int fd = MakeFile(name, {}, 0600);
    CHECK_EQ(ftruncate(fd, 64 * 1024), 0);
    const int filler = MakeFile(name + "-filler", {}, 0600);
    const std::vector<uint8_t> page(4096, 1);
    while (write(filler, page.data(), page.size()) > 0) {
    }
    CHECK_EQ(AttachStatus(name).outcome, Outcome::kForeign);
    CHECK(AttachStatus(name, true).Is(ENOSPC));
    MustListPeacefully();
    CHECK_EQ(ftruncate(filler, 0), 0);
    const Result<Segment> attached = Segment::Attach(name, false, true);
    CHECK(attached.ok());
    memset(attached.value().payload(), 1, attached.value().payload_bytes());
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

void LocksLieWithinTheCells() {
  const std::string name = TestName("cells");
  const Segment segment = MustCreate(name, false);
  CHECK(LockAt(segment, 0) != nullptr);
  CHECK(LockAt(segment, sizeof(LockCell)) != nullptr);
  CHECK(LockAt(segment, 64) != nullptr);  // cells are counted in lines, not in locks
  for (const uint64_t bad : {uint64_t{1}, uint64_t{8}, uint64_t{192}, uint64_t{256}, uint64_t{1} << 32, UINT64_MAX,
                             UINT64_MAX - 63, uint64_t{0} - 128}) {
    CHECK(LockAt(segment, bad) == nullptr);
  }
}

// The outcome of using a damaged lock.
enum class Fate : uint8_t { kUntried, kUnsound, kWorks, kBusy, kBroken, kCrash, kHang };
constexpr const char* kFateNames[] = {"untried", "refused as unsound", "works", "busy for ever", "broken", "CRASH", "HANG"};

struct LockTrial {
  LockCell cell;
  std::atomic<uint32_t> index{0};
  Fate fates[sizeof(LockCell) * 16] = {};
};

Fate TryDamagedLock(LockCell* cell, size_t offset, uint8_t value, bool while_held) {
  SharedLock lock(cell, TestOwners());
  memset(static_cast<void*>(cell), 0, sizeof *cell);
  CHECK(SharedLock(cell, nullptr).Init(TestKind()));
  if (while_held) CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kAcquired);
  reinterpret_cast<uint8_t*>(cell)[offset] = value;
  if (while_held) lock.Release();
  MutexOutcome outcome = lock.TryAcquire(1);
  if (outcome == MutexOutcome::kBusy) outcome = lock.Acquire(1, Deadline::AfterMs(1));
  if (outcome == MutexOutcome::kBusy) return Fate::kBusy;
  if (outcome == MutexOutcome::kBroken) return Fate::kBroken;
  lock.Release();
  outcome = lock.Acquire(1, Deadline::AfterMs(1));
  if (outcome == MutexOutcome::kBroken) return Fate::kBroken;
  if (outcome == MutexOutcome::kBusy) return Fate::kBusy;
  lock.Release();
  return Fate::kWorks;
}

// The pointers by which the C library links the mutexes that a thread holds. A release follows them in the address space of the
// releaser, and cannot check them first. No other bytes of a segment can crash its users.
bool IsListByte(size_t offset) {
  const size_t first = offsetof(LockCell, mutex) + ListOffset();
  return offset >= first && offset < first + ListBytes();
}

std::string RangesOf(const std::set<size_t>& offsets) {
  std::string text;
  for (auto it = offsets.begin(); it != offsets.end();) {
    const size_t first = *it;
    size_t last = first;
    while (++it != offsets.end() && *it == last + 1) last = *it;
    text += (text.empty() ? "" : ", ") + std::to_string(first) + (last > first ? "-" + std::to_string(last) : "");
  }
  return text;
}

// Damages each byte of a lock in several ways, in a child that may crash, and reports the effect of each byte.
std::vector<std::set<size_t>> DamageALock(bool while_held) {
  const SharedScratch<LockTrial> trial;
  std::vector<uint8_t> healthy(sizeof(LockCell));
  {
    SharedLock lock(&trial->cell, TestOwners());
    CHECK(SharedLock(&trial->cell, nullptr).Init(TestKind()));
    if (while_held) CHECK_EQ(lock.TryAcquire(1), MutexOutcome::kAcquired);
    memcpy(healthy.data(), static_cast<const void*>(&trial->cell), sizeof(LockCell));
    if (while_held) lock.Release();
  }
  struct Attempt {
    size_t offset;
    uint8_t value;
  };
  std::vector<Attempt> attempts;
  for (size_t offset = 0; offset < sizeof(LockCell); ++offset) {
    const uint8_t before = healthy[offset];
    std::set<uint8_t> values = {static_cast<uint8_t>(before ^ 0xff), static_cast<uint8_t>(before + 1), 0,
                                static_cast<uint8_t>(before ^ 0x80), static_cast<uint8_t>(before ^ 0x40)};
    values.erase(before);
    for (const uint8_t value : values) attempts.push_back({offset, value});
  }
  CHECK(attempts.size() <= std::size(trial->fates));
  while (trial->index < attempts.size()) {
    const auto body = [&](const Channel&) {
      // The default action of these, and no report of a sanitizer's: a crash is one of the answers here.
      for (const int number : {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE}) signal(number, SIG_DFL);
      for (uint32_t i = trial->index; i < attempts.size(); ++i) {
        trial->index = i;
        alarm(2);
        trial->fates[i] = TryDamagedLock(&trial->cell, attempts[i].offset, attempts[i].value, while_held);
        if (while_held && IsListByte(attempts[i].offset)) {
          trial->index = i + 1;  // this process may have damaged itself; the next byte needs a new one
          return;
        }
      }
      trial->index = static_cast<uint32_t>(attempts.size());
    };
    Child child(body);
    CHECK_EQ(child.Receive(kPatienceMs), Channel::kEnded);
    const int status = child.Reap();
    if (WIFSIGNALED(status)) {
      trial->fates[trial->index] = WTERMSIG(status) == SIGALRM ? Fate::kHang : Fate::kCrash;
      ++trial->index;
    } else {
      CHECK_EQ(status, 0);
    }
  }
  std::vector<std::set<size_t>> offsets(std::size(kFateNames));
  for (size_t i = 0; i < attempts.size(); ++i) {
    offsets[static_cast<size_t>(trial->fates[i])].insert(attempts[i].offset);
  }
  for (size_t fate = 0; fate < offsets.size(); ++fate) {
    if (!offsets[fate].empty()) printf("     %s: bytes %s\n", kFateNames[fate], RangesOf(offsets[fate]).c_str());
  }
  return offsets;
}

void ADamagedFreeLockDoesNoHarm() {
  const auto offsets = DamageALock(false);
  CHECK(offsets[static_cast<size_t>(Fate::kUntried)].empty());
  CHECK(offsets[static_cast<size_t>(Fate::kCrash)].empty());
  CHECK(offsets[static_cast<size_t>(Fate::kHang)].empty());
}

void ALockThatIsDamagedWhileHeld() {
  const auto offsets = DamageALock(true);
  CHECK(offsets[static_cast<size_t>(Fate::kUntried)].empty());
  for (const Fate fate : {Fate::kCrash, Fate::kHang}) {
    for (const size_t offset : offsets[static_cast<size_t>(fate)]) CHECK(IsListByte(offset));
  }
}

}  // namespace
}  // namespace procshare::testing

int main(int argc, char** argv) {
  using namespace procshare::testing;
  UsePrivateMemoryIfPossible();
  const Test tests[] = {
      {"every damaged byte is noticed", EveryDamagedByteIsNoticed},
      {"a segment that is not ready", ASegmentThatIsNotReady},
      {"truncated and grown segments are refused", TruncatedAndGrownSegmentsAreRefused},
      {"made-up bytes are refused", MadeUpBytesAreRefused},
      {"two damaged bytes are noticed", TwoDamagedBytesAreNoticed},
      {"random damage is noticed", RandomDamageIsNoticed},
      {"other versions and libraries are told", OtherVersionsAndLibrariesAreTold},
      {"impossible extents are refused", ImpossibleExtentsAreRefused},
      {"sparse foreign memory on a full system", SparseForeignMemoryOnAFullSystem},
      {"locks lie within the cells", LocksLieWithinTheCells},
      {"a damaged free lock does no harm", ADamagedFreeLockDoesNoHarm},
      {"a lock that is damaged while held", ALockThatIsDamagedWhileHeld},
  };
  return RunTests(argc, argv, tests);
}
