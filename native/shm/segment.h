// Segment: named memory with a control block: created, published and attached so that nobody ever sees a half-made one.
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
  bool any_namespace = false;  // its mutexes are to be used from several pid namespaces
};

// A place within the cells of a segment, and what there is from it to their end.
struct CellRange {
  uint8_t* bytes = nullptr;
  size_t byte_length = 0;
};

class Segment {
 public:
  // Makes a segment that only the caller knows, to be filled and then published. EEXIST, ENOSPC, ... as NamedMemory.
  static Result<Segment> Create(const std::string& name, const SegmentSpec& spec);

  // A creator backs every byte first, which takes some seconds for tens of gigabytes.
  static constexpr double kBuilderTimeoutMs = 10'000;

  // Attaches to a published segment. Memory that is not a segment of ours is kForeign, unless `foreign` asks for it: then
  // the whole of it is payload. The other outcomes about content: kLayout, kAbi, kCorrupt.
  static Result<Segment> Attach(const std::string& name, bool any_owner, bool foreign,
                                double builder_timeout_ms = kBuilderTimeoutMs);

  // Makes the segment visible, ready-made, to all who attach.
  Status Publish();

  // Ends the hold on the name. Idempotent.
  void Close() { memory_.Close(); }
  void Detach() { memory_.Detach(); }

  // Closes and lets go of the bytes, which stay mapped until the last copy of mapping() is gone. Nothing but destruction,
  // open() and description() may follow.
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

  // The place at `offset` within the cells; null when fewer than `min_bytes` begin there, or not so aligned.
  CellRange CellAt(uint64_t offset, size_t min_bytes, size_t alignment) const;

  // Where objects begin in the cells, in ascending order: from now on none reaches into the next one, whatever its bytes say.
  void DivideCells(std::vector<uint64_t> starts) { cell_starts_ = std::move(starts); }

  // What its mutexes are, and whether they can be used here: not from a pid namespace other than theirs, in which the death
  // of an owner would be mistaken for another thread's. Valid also after Close().
  MutexKind mutex_kind() const { return mutex_kind_; }
  bool MutexesUsable() const { return mutexes_usable_; }

  // See NamedMemory.
  uint64_t Join() { return memory_.Join(); }
  bool IsMember(uint64_t member) const { return memory_.IsMember(member); }

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
  std::string description_;  // a copy: checked once, and nobody can change it afterwards
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

// All segments of ours that this user owns; temporary memory of ours that never became a segment has no description.
Status ListSegments(std::vector<SegmentEntry>* entries);

// Removes the names of segments whose holders were all killed, and returns how many there were.
Result<size_t> RemoveStaleSegments();

}  // namespace procshare
