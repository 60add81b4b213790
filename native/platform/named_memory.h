// Named memory: bytes that unrelated processes find by name, whose name lives exactly as long as somebody holds it.
//
// This header is the specification for a porter; linux/named_memory.cc is one implementation.
//
//   builder   The process that created the memory and has not published it. It is alone with it.
//   holder    A process (to be exact, one NamedMemory object) that keeps the name alive.
//   temporary The name goes with its last holder. All memory is born temporary, so that a builder that dies leaves
//             nothing that counts; MakePersistent() ends that.
//   stale     Temporary memory without a holder: all its holders were killed. Nobody can attach to it any more;
//             Create() of the same name and ReclaimStaleMemory() remove it.
//
// Guarantees:
//   N1  Of many concurrent calls of Create() for a name exactly one succeeds.
//   N2  Attach() returns only published memory, or memory whose builder died (see NamedMemory::Attach).
//   N3  The last holder that closes removes the name, unless the memory is persistent. The end of a process, by any
//       means, ends its holds.
//   N4  A name that means other memory by now is never removed by a holder of the old one.
//   N5  Every byte of created memory is backed: touching it cannot fail for want of space.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "platform/deadline.h"
#include "platform/status.h"

namespace procshare {

// A view of the bytes in this process. It outlives the hold: the address range stays valid until destruction.
class MemoryMapping {
 public:
  MemoryMapping(uint8_t* data, size_t byte_length) : data_(data), byte_length_(byte_length) {}
  ~MemoryMapping();
  MemoryMapping(const MemoryMapping&) = delete;
  MemoryMapping& operator=(const MemoryMapping&) = delete;

  uint8_t* data() const { return data_; }
  size_t byte_length() const { return byte_length_; }

 private:
  uint8_t* data_;
  size_t byte_length_;
};

// What a name means: equal for all holders of the same memory, different for memory that exists at the same time.
struct MemoryIdentity {
  uint64_t device = 0;
  uint64_t object = 0;
  bool operator==(const MemoryIdentity& other) const { return device == other.device && object == other.object; }
};

struct MemoryIdentityHash {
  size_t operator()(const MemoryIdentity& identity) const {
    return std::hash<uint64_t>()(identity.object) ^ std::hash<uint64_t>()(identity.device) << 1;
  }
};

class NamedMemory {
 public:
  // Makes memory of exactly `byte_length` zero bytes and makes the caller its builder. Stale memory of that name is
  // removed first. `mode` holds POSIX permission bits. `persistent` announces MakePersistent(): some systems keep such memory
  // elsewhere.
  // Fails with EEXIST when the name is alive, ENOSPC when there is no room (nothing is left behind).
  static Result<NamedMemory> Create(const std::string& name, size_t byte_length, unsigned mode, bool persistent = false);

  // Becomes a holder of what the name means, waiting until `deadline` for a builder to publish (kNotReady after it).
  // When a builder died at the very moment of the call the result may be unpublished memory; the caller recognises
  // that by its content, closes it and tries again. Fails with ENOENT when there is no such name, or only a stale one.
  static Result<NamedMemory> Attach(const std::string& name, bool any_owner, Deadline deadline);

  NamedMemory(NamedMemory&& other) noexcept { *this = std::move(other); }
  NamedMemory& operator=(NamedMemory&& other) noexcept {
    if (this == &other) return *this;
    Close();
    name_ = std::move(other.name_);
    descriptor_ = std::exchange(other.descriptor_, -1);
    temporary_ = other.temporary_;
    keeps_name_ = other.keeps_name_;
    member_ = other.member_.exchange(0);
    identity_ = other.identity_;
    mapping_ = std::move(other.mapping_);
    return *this;
  }
  ~NamedMemory() { Close(); }

  // Keeps the name beyond the last holder. Called by the builder, before Publish().
  Status MakePersistent();

  // Makes the only holder a builder again, until Publish(). False when there are other holders.
  bool BecomeBuilder();

  // Ends the builder's solitude; it goes on as a holder, with no moment in between at which it is neither.
  Status Publish();

  // Stops keeping the name, and goes on as a member: for a process that is about to end and may still use the memory. See N3.
  void Detach();

  // Ends the hold; idempotent. See N3.
  void Close();

  // Lets go of the mapping, which others may keep. After Close().
  void Unmap() { mapping_.reset(); }

  // Makes this holder a member of the memory and returns a number that no other member has, now or later; the same each
  // time. A member that closes, or whose process ends by any means, is one no more. 0 when the system refuses.
  uint64_t Join();

  // Whether `member` is one; any thread may ask while the holder is open. Once it is closed it cannot tell, and says yes.
  bool IsMember(uint64_t member) const;

  // Removes the name now, for whoever holds it. Fails with ENOENT when the name is gone or means other memory.
  Status Unlink();

  bool open() const { return descriptor_ >= 0; }
  bool temporary() const { return temporary_; }
  const MemoryIdentity& identity() const { return identity_; }
  const std::shared_ptr<MemoryMapping>& mapping() const { return mapping_; }

  // Copies bytes without touching the mapping. False beyond the end.
  bool Read(uint64_t offset, void* into, size_t byte_length) const;

  // Backs every byte of memory that somebody else made, perhaps sparsely (N5).
  Status Reserve();

 private:
  NamedMemory() = default;
  std::string name_;
  intptr_t descriptor_ = -1;
  bool temporary_ = false;
  bool keeps_name_ = true;           // until Detach()
  std::atomic<uint64_t> member_{0};  // looked at by other threads while the owner joins
  MemoryIdentity identity_;
  std::shared_ptr<MemoryMapping> mapping_;
};

// Removes the name of any memory of this user's, held or not. Fails with ENOENT.
Status UnlinkMemory(const std::string& name, bool any_owner);

// One entry of a listing.
struct MemoryEntry {
  std::string name;
  uint64_t byte_length = 0;
  bool temporary = false;
  bool held = false;
};

// Calls `visit` for each piece of named memory of this user's, without holding or changing it. `read` copies bytes out
// of it and returns false beyond its end. A `visit` that returns true reclaims the memory, if it is stale; the number of
// those that were reclaimed is the result.
using MemoryReader = std::function<bool(uint64_t offset, void* into, size_t byte_length)>;
Result<size_t> VisitMemory(const std::function<bool(const MemoryEntry&, const MemoryReader& read)>& visit);

// How many of them this process can hold at once, as far as descriptors go.
size_t MaxOpenMemory();

// How many bytes of memory there is room for, if that is known.
std::optional<uint64_t> FreeMemoryBytes();

// What every segment's total size is a multiple of.
size_t MemoryPageBytes();

}  // namespace procshare
