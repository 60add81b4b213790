#include "shm/segment.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <new>
#include <thread>
#include <utility>
#include <vector>

#include "platform/process_identity.h"
#include "platform/robust_mutex.h"

namespace procshare {
namespace {

// Concurrent attachers from another pid namespace prevent each other from becoming the builder. The pauses are random, so one of
// them is soon the only member. When the segment is in use elsewhere, all attempts fail.
constexpr int kMaxStampAttempts = 16;
constexpr uint64_t kStampPauseUs = 5000;

constexpr uint64_t kMaxPartBytes = uint64_t{1} << 47;  // more than any address space has, so that sums cannot overflow

uint64_t RoundUp(uint64_t value, uint64_t unit) { return (value + unit - 1) / unit * unit; }

// Like FNV-1a, over 64-bit words. Each step is a bijection of the state, so one changed word always changes the result. A product
// carries differences only to higher bits. Without the shift, two changes in upper bytes would often cancel each other.
class Checksum {
 public:
  void Add(const void* data, size_t byte_length) {
    const uint8_t* bytes = static_cast<const uint8_t*>(data);
    for (; byte_length >= 8; bytes += 8, byte_length -= 8) {
      uint64_t word;
      memcpy(&word, bytes, sizeof word);
      Step(word);
    }
    uint64_t rest = byte_length;
    for (size_t i = 0; i < byte_length; ++i) rest = rest << 8 | bytes[i];
    Step(rest);
  }
  uint64_t value() const { return state_; }

 private:
  void Step(uint64_t word) {
    state_ = (state_ ^ word) * 0x100000001b3;
    state_ ^= state_ >> 32;
  }
  uint64_t state_ = 0xcbf29ce484222325;
};

uint64_t ChecksumOf(const ControlBlock& block, const void* description) {
  const uint8_t* const bytes = reinterpret_cast<const uint8_t*>(&block);
  constexpr size_t kAfterReady = offsetof(ControlBlock, flags);
  Checksum checksum;
  checksum.Add(bytes, offsetof(ControlBlock, ready));
  checksum.Add(bytes + kAfterReady, offsetof(ControlBlock, pid_namespace) - kAfterReady);
  checksum.Add(description, block.description_bytes);
  return checksum.value();
}

// Whether the extents are those that Segment::Create computes. Checked before anything else in a block of another process is used.
bool ExtentsAreSound(const ControlBlock& block, uint64_t total_bytes) {
  if (block.total_bytes != total_bytes || block.payload_bytes > total_bytes || block.cells_bytes > total_bytes) return false;
  if (block.description_bytes > kMaxDescriptionBytes || block.name_bytes > kMaxNameBytes) return false;
  return block.cells_offset == RoundUp(block.payload_bytes, kCellAlignment) && block.cells_bytes % kCellAlignment == 0 &&
         block.description_offset == block.cells_offset + block.cells_bytes &&
         block.description_offset + block.description_bytes + sizeof(ControlBlock) <= total_bytes;
}

MutexKind KindOf(bool any_namespace) { return any_namespace ? MutexKindForAnyNamespace() : DefaultMutexKind(); }

uint64_t NowMs() {
  using std::chrono::system_clock;
  return static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(system_clock::now().time_since_epoch()).count());
}

}  // namespace

ControlBlock* Segment::control() const {
  return reinterpret_cast<ControlBlock*>(mapping()->data() + mapping()->byte_length() - sizeof(ControlBlock));
}

Result<Segment> Segment::Create(const std::string& name, const SegmentSpec& spec) {
  if (spec.payload_bytes > kMaxPartBytes || spec.cells_bytes > kMaxPartBytes) return Status::System(ENOMEM, "mmap");
  const uint64_t cells_offset = RoundUp(spec.payload_bytes, kCellAlignment);
  const uint64_t description_offset = cells_offset + spec.cells_bytes;
  const uint64_t total_bytes =
      RoundUp(description_offset + spec.description.size() + sizeof(ControlBlock), MemoryPageBytes());

  Result<NamedMemory> memory = NamedMemory::Create(name, total_bytes, spec.mode, spec.persistent);
  if (!memory.ok()) return memory.status();
  Segment segment(std::move(memory.value()));
  segment.payload_bytes_ = spec.payload_bytes;
  segment.cells_offset_ = cells_offset;
  segment.cells_bytes_ = spec.cells_bytes;
  segment.id_ = RandomId();
  segment.description_ = std::string(spec.description);
  segment.persist_on_publish_ = spec.persistent;
  // When the namespace is unknown, the mutexes are of the kind that works in all of them.
  const uint64_t pid_namespace = PidNamespace();
  segment.any_namespace_ = spec.any_namespace || pid_namespace == 0;
  segment.mutex_kind_ = KindOf(segment.any_namespace_);

  uint8_t* const description = segment.mapping()->data() + description_offset;
  std::copy(spec.description.begin(), spec.description.end(), description);
  const ProcessIdentity creator = CurrentProcess();
  ControlBlock* const block = segment.control();
  block->magic = kMagic;
  block->layout = kLayoutVersion;
  block->abi = RobustMutexAbi(segment.mutex_kind_);
  block->flags = segment.any_namespace_ ? kAnyPidNamespace : 0;
  block->pid_namespace.store(segment.any_namespace_ ? 0 : pid_namespace, std::memory_order_relaxed);  // published by `ready`
  block->total_bytes = total_bytes;
  block->payload_bytes = spec.payload_bytes;
  block->cells_offset = cells_offset;
  block->cells_bytes = spec.cells_bytes;
  block->description_offset = description_offset;
  block->description_bytes = spec.description.size();
  block->id = segment.id_;
  block->creator_pid = creator.pid;
  block->creator_start_time = creator.start_time;
  block->created_at_ms = NowMs();
  block->name_bytes = name.size();
  memcpy(block->name, name.data(), name.size());
  block->checksum = ChecksumOf(*block, description);
  return segment;
}

Status Segment::Publish() {
  control()->ready.store(kReady, std::memory_order_release);  // pairs with the acquire in Adopt (C1, C2)
  if (persist_on_publish_) {
    const Status persistent = memory_.MakePersistent();
    if (!persistent.ok()) return persistent;
  }
  return memory_.Publish();
}

Result<Segment> Segment::Attach(const std::string& name, bool any_owner, bool foreign, double builder_timeout_ms) {
  const Deadline deadline = Deadline::AfterMs(builder_timeout_ms);
  for (int attempts = 1;; ++attempts) {
    Result<NamedMemory> memory = NamedMemory::Attach(name, any_owner, deadline);
    if (!memory.ok()) return memory.status();
    const bool temporary = memory.value().temporary();
    Segment segment(std::move(memory.value()));
    const Status adopted = segment.Adopt(foreign);
    if (adopted.ok()) {
      if (segment.ClaimNamespace() || attempts == kMaxStampAttempts) return segment;
      segment.Close();
      std::this_thread::sleep_for(std::chrono::microseconds(RandomId() % kStampPauseUs));
      continue;
    }
    if (adopted.outcome != Outcome::kNotReady || !temporary || deadline.passed()) return adopted;
    // There is no builder, because the liveness lock is shared now. The segment is not ready, so its creator died. The name is
    // removed here and not by the Close() of the last member: with many attachers in this loop there may never be a last one.
    (void)segment.Unlink();
  }
}

// Checks every byte of the block before anything relies on it.
Status Segment::Adopt(bool foreign) {
  const uint64_t total_bytes = mapping()->byte_length();
  const ControlBlock* const block = total_bytes % sizeof(ControlBlock) == 0 ? control() : nullptr;
  // The memory of another program may be sparse. Touching an unbacked byte raises SIGBUS; Read() does not.
  uint64_t magic = 0;
  const bool ours =
      block != nullptr &&
      (memory_.temporary() || (memory_.Read(total_bytes - sizeof *block, &magic, sizeof magic) && magic == kMagic));
  if (!ours) {
    if (!foreign) return Status::Of(block == nullptr && memory_.temporary() ? Outcome::kCorrupt : Outcome::kForeign);
    payload_bytes_ = total_bytes;
    return memory_.Reserve();
  }
  const uint32_t ready = block->ready.load(std::memory_order_acquire);  // pairs with the release in Publish (C1, C2)
  if (ready == kBuilding) return Status::Of(Outcome::kNotReady);
  if (ready != kReady || block->magic != kMagic) return Status::Of(Outcome::kCorrupt);
  // Work on a private copy: another process may write to the block during the checks.
  alignas(ControlBlock) uint8_t bytes[sizeof(ControlBlock)];
  memcpy(bytes, block, sizeof bytes);
  const ControlBlock& copy = *std::launder(reinterpret_cast<const ControlBlock*>(bytes));
  if (copy.layout >> 16 != kLayoutMajor) return Status::Of(Outcome::kLayout);
  if (!ExtentsAreSound(copy, total_bytes)) return Status::Of(Outcome::kCorrupt);
  description_.assign(reinterpret_cast<const char*>(mapping()->data() + copy.description_offset), copy.description_bytes);
  if (copy.checksum != ChecksumOf(copy, description_.data())) return Status::Of(Outcome::kCorrupt);
  any_namespace_ = (copy.flags & kAnyPidNamespace) != 0;
  mutex_kind_ = KindOf(any_namespace_);
  if (copy.abi != RobustMutexAbi(mutex_kind_)) return Status::Of(Outcome::kAbi);
  payload_bytes_ = copy.payload_bytes;
  cells_offset_ = copy.cells_offset;
  cells_bytes_ = copy.cells_bytes;
  id_ = copy.id;
  return Status::Ok();
}

// Decides whether the mutexes can be used in this pid namespace. Moves a persistent segment without other members to it: all
// owners of its mutexes are dead, and the kernel has marked the mutexes in the old namespace. False when there are other members.
bool Segment::ClaimNamespace() {
  if (any_namespace_ || id_ == 0 || cells_bytes_ == 0) return true;  // no mutexes, or mutexes for all namespaces
  const uint64_t here = PidNamespace();
  std::atomic<uint64_t>& stamp = control()->pid_namespace;
  mutexes_usable_ =
      here != 0 && stamp.load(std::memory_order_relaxed) == here;  // relaxed: written before we could attach (C5)
  if (mutexes_usable_ || here == 0 || !persistent()) return true;
  if (!memory_.BecomeBuilder()) return false;
  stamp.store(here, std::memory_order_relaxed);
  mutexes_usable_ = memory_.Publish().ok();
  return true;
}

CellRange Segment::CellAt(uint64_t offset, size_t min_bytes, size_t alignment) const {
  const auto next = std::upper_bound(cell_starts_.begin(), cell_starts_.end(), offset);
  const uint64_t end = next == cell_starts_.end() ? cells_bytes_ : std::min(*next, cells_bytes_);
  if (offset % alignment != 0 || end < min_bytes || offset > end - min_bytes) return {};
  return {mapping()->data() + cells_offset_ + offset, end - offset};
}

Status ListSegments(std::vector<SegmentEntry>* entries) {
  const Result<size_t> visited = VisitMemory([entries](const MemoryEntry& memory, const MemoryReader& read) {
    SegmentEntry entry;
    entry.name = memory.name;
    entry.byte_length = memory.byte_length;
    entry.attached = memory.in_use;
    entry.persistent = !memory.temporary;
    alignas(ControlBlock) uint8_t bytes[sizeof(ControlBlock)];
    const bool has_block = memory.byte_length % sizeof bytes == 0 && memory.byte_length != 0 &&
                           read(memory.byte_length - sizeof bytes, bytes, sizeof bytes);
    const ControlBlock& block = *std::launder(reinterpret_cast<const ControlBlock*>(bytes));
    if (has_block && block.magic == kMagic && ExtentsAreSound(block, memory.byte_length)) {
      entry.creator_pid = static_cast<uint32_t>(block.creator_pid);
      entry.created_at_ms = block.created_at_ms;
      entry.description.resize(block.description_bytes);
      if (!read(block.description_offset, entry.description.data(), entry.description.size()) ||
          block.checksum != ChecksumOf(block, entry.description.data())) {
        entry.description.clear();
      }
    } else if (!memory.temporary) {
      return false;  // the memory of another program
    }
    entries->push_back(std::move(entry));
    return false;
  });
  return visited.status();
}

Result<size_t> RemoveStaleSegments() {
  return VisitMemory([](const MemoryEntry& memory, const MemoryReader&) { return memory.temporary && !memory.in_use; });
}

}  // namespace procshare
