// Named memory: bytes that unrelated processes find by name. The name exists exactly as long as the memory is used.
//
// This header is the specification for a porter; linux/named_memory.cc is one implementation.
//
//   builder   The process that has created the memory and not yet published it. No other process is attached.
//   member    A process, or more exactly a NamedMemory object, that keeps the name. It has a number once it has called Join().
//   temporary The name goes with its last member. All memory is created temporary, so that a builder that dies leaves no lasting name;
//             MakePersistent() changes that.
//   stale     Temporary memory without a member: all its members were killed. No process can attach to it any more; Create() of the
//             same name and VisitMemory() remove it.
//
// Guarantees:
//   N1  Of many concurrent calls of Create() for a name exactly one succeeds.
//   N2  Attach() returns only published memory, or memory whose builder died (see NamedMemory::Attach).
//   N3  The last member that closes removes the name, unless the memory is persistent. A process that ends, by any means, is no member
//       any more.
//   N4  A member of old memory never removes a name that means newer memory.
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

// The bytes in the address space of this process. The range stays valid until destruction, also after NamedMemory::Close().
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

// The identity of memory: equal for all members of the same memory, different for other memory that exists at the same time.
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
  // Creates memory of exactly `byte_length` zero bytes, with the caller as its builder. Removes stale memory of that name first.
  // `mode` are POSIX permission bits. `persistent` announces a later MakePersistent(): some systems store such memory elsewhere.
  // Fails with EEXIST when the name is in use, and with ENOSPC, leaving nothing, when there is no room.
  static Result<NamedMemory> Create(const std::string& name, size_t byte_length, unsigned mode, bool persistent = false);

  // Becomes a member of the memory of that name. Waits until `deadline` for a builder to publish it; then fails with kNotReady.
  // When a builder dies during the call, the result may be unpublished memory. The caller recognises that by its content, closes
  // it and tries again. Fails with ENOENT when there is no such name, or only a stale one.
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

  // Keeps the name after the last member. Called by the builder, before Publish().
  Status MakePersistent();

  // Makes the only member a builder again, until Publish(). False when there are other members.
  bool BecomeBuilder();

  // Lets other processes attach. The builder becomes a member, with no moment in between at which it is neither.
  Status Publish();

  // Stops keeping the name; the number of Join() stays valid. For a process that is about to end and may still use the memory. See N3.
  void Detach();

  // Stops being a member; idempotent. See N3.
  void Close();

  // Drops this reference to the mapping. Called after Close().
  void Unmap() { mapping_.reset(); }

  // Draws a number that no other member has, now or later. Each call returns the same number. The number is valid until the
  // member closes, or its process ends by any means. 0 when the system refuses.
  uint64_t Join();

  // Whether that is the number of a living member. Any thread may call it. After Close() this is unknown, and the result is true
  // for all numbers.
  bool IsMember(uint64_t member) const;

  // The number of members at this moment, including this one.
  size_t CountMembers() const;

  // Removes the name now, although there are members. Fails with ENOENT when the name is gone or means other memory.
  Status Unlink();

  bool open() const { return descriptor_ >= 0; }
  bool temporary() const { return temporary_; }
  const MemoryIdentity& identity() const { return identity_; }
  const std::shared_ptr<MemoryMapping>& mapping() const { return mapping_; }

  // Copies bytes without touching the mapping. False beyond the end.
  bool Read(uint64_t offset, void* into, size_t byte_length) const;

  // Backs every byte of memory that another program has made, perhaps sparsely (N5).
  Status Reserve();

 private:
  NamedMemory() = default;
  std::string name_;
  intptr_t descriptor_ = -1;
  bool temporary_ = false;
  bool keeps_name_ = true;           // until Detach()
  std::atomic<uint64_t> member_{0};  // read by other threads while the owner joins
  MemoryIdentity identity_;
  std::shared_ptr<MemoryMapping> mapping_;
};

// Removes the name of any memory of this user, in use or not. Fails with ENOENT.
Status UnlinkMemory(const std::string& name, bool any_owner);

// One entry of a listing.
struct MemoryEntry {
  std::string name;
  uint64_t byte_length = 0;
  bool temporary = false;
  bool in_use = false;
};

// Calls `visit` for all named memory of this user, without becoming a member or changing it. `read` copies bytes out of the
// memory, and returns false beyond its end. When `visit` returns true, the memory is removed if it is stale. Returns the number
// of removed names.
using MemoryReader = std::function<bool(uint64_t offset, void* into, size_t byte_length)>;
Result<size_t> VisitMemory(const std::function<bool(const MemoryEntry&, const MemoryReader& read)>& visit);

// The number of named memories that this process can have open at once, as limited by its descriptors.
size_t MaxOpenMemory();

// The number of bytes of memory for which there is room, if that is known.
std::optional<uint64_t> FreeMemoryBytes();

// The total size of each segment is a multiple of this.
size_t MemoryPageBytes();

}  // namespace procshare
