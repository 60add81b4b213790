// Segment: named memory with a control block. No process can attach to an incomplete segment.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "platform/named_memory.h"
#include "platform/robust_mutex.h"
#include "shm/layout.h"

namespace procshare {

struct SegmentSpec {
  uint64_t payload_bytes = 0;
  uint64_t cells_bytes = 0;
  std::string_view description;
  unsigned mode = 0600;
  bool persistent = false;
  bool any_namespace = false;  // its mutexes are used from several pid namespaces
};

// A range within the cells of a segment.
struct CellRange {
  uint8_t* bytes = nullptr;
  size_t byte_length = 0;
};

class Segment {
 public:
  // Creates a segment that the caller fills and then publishes; no other process can attach before. Errors: as NamedMemory.
  static Result<Segment> Create(const std::string& name, const SegmentSpec& spec);

  // The time for which an attacher waits for a builder. A builder backs every byte first, which takes seconds for tens of
  // gigabytes.
  static constexpr double kBuilderTimeoutMs = 10'000;

  // Attaches to a published segment. Memory that is no segment gives kForeign, unless `foreign` allows it: then all of it is
  // payload. Other outcomes about the content: kLayout, kAbi, kCorrupt.
  static Result<Segment> Attach(const std::string& name, bool any_owner, bool foreign,
                                double builder_timeout_ms = kBuilderTimeoutMs);

  // Lets other processes attach.
  Status Publish();

  // Stops keeping the name; see NamedMemory. Idempotent.
  void Close() { memory_.Close(); }
  void Detach() { memory_.Detach(); }

  // Closes and unmaps; the bytes stay mapped until the last copy of mapping() is gone. Only destruction, open() and description() may
  // follow.
  void CloseAndUnmap() {
    memory_.Close();
    memory_.Unmap();
  }
  Status Unlink() { return memory_.Unlink(); }

  bool open() const { return memory_.open(); }
  bool persistent() const { return !memory_.temporary(); }
  bool any_namespace() const { return any_namespace_; }
  const MemoryIdentity& identity() const { return memory_.identity(); }
  const std::shared_ptr<MemoryMapping>& mapping() const { return memory_.mapping(); }

  uint8_t* payload() const { return mapping()->data(); }
  uint64_t payload_bytes() const { return payload_bytes_; }
  uint64_t id() const { return id_; }  // 0 for foreign memory
  const std::string& description() const { return description_; }

  // The cells from `offset` on; null when these have fewer than `min_bytes` bytes, or are not aligned.
  CellRange CellAt(uint64_t offset, size_t min_bytes, size_t alignment) const;

  // Sets the offsets at which objects begin in the cells, in ascending order. From then on the range of CellAt() ends before the
  // next object, whatever the bytes contain.
  void DivideCells(std::vector<uint64_t> starts) { cell_starts_ = std::move(starts); }

  // The kind of its mutexes, and whether this process can use them. A process in another pid namespace than theirs cannot: there
  // the death of an owner would be mistaken for that of another thread. Valid also after Close().
  MutexKind mutex_kind() const { return mutex_kind_; }
  bool MutexesUsable() const { return mutexes_usable_; }

  // See NamedMemory.
  uint64_t Join() { return memory_.Join(); }
  bool IsMember(uint64_t member) const { return memory_.IsMember(member); }
  size_t CountMembers() const { return memory_.CountMembers(); }

 private:
  explicit Segment(NamedMemory memory) : memory_(std::move(memory)) {}
  Status Adopt(bool foreign);
  bool ClaimNamespace();
  ControlBlock* control() const;

  NamedMemory memory_;
  uint64_t payload_bytes_ = 0;
  uint64_t cells_offset_ = 0;
  uint64_t cells_bytes_ = 0;
  std::vector<uint64_t> cell_starts_;
  uint64_t id_ = 0;
  bool persist_on_publish_ = false;
  bool any_namespace_ = false;
  bool mutexes_usable_ = true;
  MutexKind mutex_kind_ = DefaultMutexKind();
  std::string description_;  // a private copy: checked once, and no other process can change it
};

struct SegmentEntry {
  std::string name;
  uint64_t byte_length = 0;
  bool attached = false;
  bool persistent = false;
  uint32_t creator_pid = 0;
  uint64_t created_at_ms = 0;
  std::string description;
};

// All segments that this user owns. Temporary memory that was never published has no description.
Status ListSegments(std::vector<SegmentEntry>* entries);

// Removes the names of stale segments, and returns their number.
Result<size_t> RemoveStaleSegments();

}  // namespace procshare
