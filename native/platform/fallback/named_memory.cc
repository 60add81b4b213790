// Named memory where the objects of shm_open(3) have no locks, no listing and no long names (macOS). Each object has a small
// file, its sidecar, in a folder of this user. A name means its sidecar: the sidecar has the locks of file_lock.h, and its inode
// is the identity of the memory. Its first byte tells whether the memory is temporary.
//
//   S1  A sidecar gets its name by link(2), which fails when the name is taken. By then it is complete, and its builder has
//       locked it. So no process sees a sidecar without its contents or, as long as the builder lives, without a lock (N1).
//   S2  The object is created after its sidecar and removed before it. So an object without a sidecar is another program's
//       (Python's SharedMemory, say), and a sidecar that has no object and no builder was left by an interrupted removal.
//   S3  An object is removed with a sidecar only if it has no size yet, or the size that the sidecar records. So an object of
//       another program that has taken the name stays.
//
// A killed process leaves a sidecar without a lock. Unless it was complete and persistent, it is temporary, and so it is stale,
// whether or not its object exists. After a restart of the machine there are no objects, and all sidecars are stale.
//
// When the name is too long for an object (30 bytes on macOS), the object is called `ps.` and a hash; the sidecar has the name.
//
// The folders of other users cannot be read. So memory of other users, like that of other programs, is attached to as if it were
// persistent: without locks and without members.

#include "platform/named_memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "platform/fallback/memory_sidecar.h"
#include "platform/posix/file_lock.h"
#include "platform/posix/memory_object.h"
#include "platform/process_identity.h"

namespace procshare {
namespace {

constexpr uint64_t kNoSidecar = UINT64_MAX;  // in place of a device: the memory has none

// macOS does not number its objects. So an object looks the same as an older one whose name it has taken over.
MemoryIdentity IdentityOfForeign(const struct stat& info, const std::string& name) {
  return {kNoSidecar, info.st_ino != 0 ? static_cast<uint64_t>(info.st_ino) : HashOf(name)};
}

enum class Fate : uint8_t {
  kStale,    // was stale; its name is gone, if we may remove it
  kAlive,    // it has a member or a builder, or it is persistent
  kUnclear,  // another process is removing the name, or was until a moment ago: try again
};

Fate ReclaimIfStale(int fd, const Sidecar& sidecar) {
  // Read under the lock: a builder may have made it persistent a moment ago.
  const auto remove_if = [&](bool even_temporary) {
    Record record;
    const bool temporary = ReadRecord(fd, &record) && record.state == kTemporary;
    if (!(even_temporary && temporary) && HasObject(sidecar.name())) return Fate::kAlive;
    (void)RemoveName(fd, sidecar);
    return Fate::kStale;
  };
  Fate fate;
  if (SetLock(fd, F_WRLCK, kRemoval)) {
    fate = remove_if(true);
    (void)SetLock(fd, F_UNLCK, kRemoval);
  } else if (FindObstacle(fd, kRemoval) != Obstacle::kUser) {
    fate = Fate::kUnclear;
  } else if (SetLock(fd, F_RDLCK, kLiveness)) {  // so there is no builder, and the object must exist (S2)
    fate = remove_if(false);
    (void)SetLock(fd, F_UNLCK, kLiveness);
  } else {
    fate = Fate::kAlive;
  }
  return fate;
}

}  // namespace

Result<NamedMemory> NamedMemory::Create(const std::string& name, size_t byte_length, unsigned mode, bool) {
  const Deadline standstill = Deadline::AfterMs(kStoppedRemoverMs);
  Backoff backoff;
  for (;;) {
    Sidecar sidecar;
    const Result<int> made = MakeSidecar(name, byte_length, &sidecar);
    if (!made.ok()) {
      if (!made.status().Is(EEXIST)) return made.status();
      const Result<int> existing = OpenSidecarOf(name, &sidecar);
      if (existing.status().Is(ENOENT)) continue;  // it was removed in between
      if (!existing.ok()) return Status::System(EEXIST, "link");
      const Descriptor old(existing.value());
      const Fate fate = ReclaimIfStale(old.get(), sidecar);
      if (fate == Fate::kAlive || standstill.passed()) return Status::System(EEXIST, "link");
      if (fate == Fate::kUnclear) backoff.Pause();
      continue;
    }
    NamedMemory memory;
    memory.name_ = name;
    memory.temporary_ = true;
    memory.identity_ = sidecar.identity;
    memory.descriptor_ = made.value();  // from here on Close() removes the name if something fails
    const Descriptor object(shm_open(ObjectName(name).c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode));
    if (!object.valid()) {
      const int error = errno;
      (void)RemoveName(made.value(), sidecar, Extent::kSidecarOnly);  // an object is of another program
      return Status::System(error, "shm_open");
    }
    // Undoes the effect of the umask of the process. Where the system cannot change the mode of an object, the umask remains in
    // effect.
    (void)fchmod(object.get(), mode);
    const Status allocated = AllocateMemory(object.get(), byte_length);
    if (!allocated.ok()) return allocated;
    Result<std::shared_ptr<MemoryMapping>> mapping = MapMemory(object.get(), byte_length);
    if (!mapping.ok()) return mapping.status();
    memory.mapping_ = std::move(mapping.value());
    return memory;
  }
}

Result<NamedMemory> NamedMemory::Attach(const std::string& name, bool any_owner, Deadline deadline) {
  Backoff backoff;
  for (;;) {
    NamedMemory memory;
    memory.name_ = name;
    Sidecar sidecar;
    struct stat info;
    const Result<int> opened = OpenSidecarOf(name, &sidecar);
    if (opened.status().Is(ENOENT)) {  // if it exists, of another program or another user (S2)
      const Result<int> found = OpenObject(name, any_owner, &info);
      const Result<int> again = OpenSidecarOf(name, &sidecar);
      if (again.ok()) close(again.value());
      if (found.ok()) memory.descriptor_ = found.value();
      memory.identity_ = {kNoSidecar, 0};
      if (!again.status().Is(ENOENT)) continue;  // it has been created meanwhile
      if (!found.ok()) return found.status();
      if (info.st_size <= 0) return Status::Of(Outcome::kForeign);
      memory.identity_ = IdentityOfForeign(info, name);
      Result<std::shared_ptr<MemoryMapping>> mapping = MapMemory(found.value(), static_cast<size_t>(info.st_size));
      if (!mapping.ok()) return mapping.status();
      memory.mapping_ = std::move(mapping.value());
      return memory;
    }
    if (!opened.ok()) return opened.status();
    Descriptor fd(opened.value());

    if (sidecar.temporary() && !LockedByOthers(fd.get())) {
      if (ReclaimIfStale(fd.get(), sidecar) == Fate::kStale) return Status::System(ENOENT, "shm_open");
      continue;  // another process has attached meanwhile, or it has become persistent: try again
    }
    if (!SetLock(fd.get(), F_RDLCK, kLiveness)) {
      if (deadline.passed()) return Status::Of(Outcome::kNotReady);
      backoff.Pause();  // there is a builder, or the name is being removed
      continue;
    }
    // The member that was seen above may have closed since: then the memory is stale.
    if (sidecar.temporary() && !LockedByOthers(fd.get())) continue;
    // From here on only Unlink() removes the name. It may have been removed before, and a builder may have made it persistent.
    if (!sidecar.HasItsName() || !ReadRecord(fd.get(), &sidecar.record)) continue;
    const Result<int> found = OpenObject(name, any_owner, &info);
    if (!found.ok() && !found.status().Is(ENOENT)) return found.status();
    const Descriptor object(found.ok() ? found.value() : -1);
    if (!object.valid() || info.st_size <= 0 || !CanBelongTo(sidecar.record, info)) {
      // There are three cases: an interrupted removal, a builder that died before it gave the object a size, and an object that
      // another program has replaced. No builder is at work, because the liveness lock is shared now. The name is removed here
      // and not by the Close() of the last member: with many attachers in this loop there may never be a last one.
      const bool removed = RemoveName(fd.get(), sidecar);
      if (!removed && sidecar.HasItsName()) return Status::System(ENOENT, "shm_open");
      continue;
    }
    memory.temporary_ = sidecar.temporary();
    memory.identity_ = sidecar.identity;
    memory.descriptor_ = fd.Release();
    Result<std::shared_ptr<MemoryMapping>> mapping = MapMemory(object.get(), static_cast<size_t>(info.st_size));
    if (!mapping.ok()) return mapping.status();
    memory.mapping_ = std::move(mapping.value());
    return memory;
  }
}

Status NamedMemory::MakePersistent() {
  if (pwrite(static_cast<int>(descriptor_), &kPersistent, 1, 0) != 1) return Status::System(errno, "write");
  temporary_ = false;
  return Status::Ok();
}

Status NamedMemory::Publish() {
  if (!SetLock(static_cast<int>(descriptor_), F_RDLCK, kLiveness)) return Status::System(errno, "fcntl");
  return Status::Ok();
}

namespace {

// Calls `use` with a descriptor of the object itself. Members do not keep this descriptor open.
template <class Use>
auto WithObject(const std::string& name, const MemoryIdentity& identity, intptr_t descriptor, Use use,
                decltype(use(0)) none) {
  if (identity.device == kNoSidecar) return use(static_cast<int>(descriptor));
  struct stat info;
  const Result<int> opened = OpenObject(name, true, &info);
  const Descriptor object(opened.ok() ? opened.value() : -1);
  return object.valid() ? use(object.get()) : none;
}

}  // namespace

bool NamedMemory::BecomeBuilder() {
  return identity_.device != kNoSidecar && SetLock(static_cast<int>(descriptor_), F_WRLCK, kLiveness);
}

void NamedMemory::Detach() {
  if (descriptor_ < 0 || identity_.device == kNoSidecar || !std::exchange(keeps_name_, false)) return;
  const int fd = static_cast<int>(descriptor_);
  // Unlocks first, then asks for the exclusive lock: of several members that close at once, the last one to ask is alone (N3).
  // close(2) might not unlock, because a child before its exec may share the open file description.
  (void)SetLock(fd, F_UNLCK, kLiveness);
  if (!temporary_ || !SetLock(fd, F_WRLCK, kRemoval)) return;
  (void)RemoveNameOf(fd, name_, identity_);
  (void)SetLock(fd, F_UNLCK, kRemoval);
}

void NamedMemory::Close() {
  if (descriptor_ < 0) return;
  Detach();
  const Descriptor fd(static_cast<int>(std::exchange(descriptor_, -1)));
  if (const uint64_t member = member_.exchange(0)) (void)SetLock(fd.get(), F_UNLCK, MemberRange(member));
}

Status NamedMemory::Unlink() {
  if (identity_.device == kNoSidecar) {
    return shm_unlink(ObjectName(name_).c_str()) == 0 ? Status::Ok() : Status::System(errno, "shm_unlink");
  }
  if (!RemoveNameOf(static_cast<int>(descriptor_), name_, identity_)) return Status::System(ENOENT, "shm_unlink");
  return Status::Ok();
}

uint64_t NamedMemory::Join() {
  if (member_ != 0 || descriptor_ < 0 || identity_.device == kNoSidecar) return member_;
  const uint64_t number = kFirstMember | (RandomId() & (kFirstMember - 1));
  if (SetLock(static_cast<int>(descriptor_), F_WRLCK, MemberRange(number))) member_ = number;
  return member_;
}

bool NamedMemory::IsMember(uint64_t member) const {
  if (member == member_ || descriptor_ < 0 || identity_.device == kNoSidecar) return true;
  if (!IsMemberNumber(member)) return false;
  return LockedByOthers(static_cast<int>(descriptor_), MemberRange(member));
}

size_t NamedMemory::CountMembers() const {
  if (identity_.device == kNoSidecar) return 1;  // memory of another program: its users cannot be counted
  return CountOtherMembers(static_cast<int>(descriptor_)) + 1;
}

bool NamedMemory::Read(uint64_t offset, void* into, size_t byte_length) const {
  return WithObject(
      name_, identity_, descriptor_, [&](int object) { return ReadMemory(object, offset, into, byte_length); }, false);
}

Status NamedMemory::Reserve() {
  const auto reserve = [this](int object) { return AllocateMemory(object, mapping_->byte_length()); };
  return WithObject(name_, identity_, descriptor_, reserve, Status::System(ENOENT, "shm_open"));
}

Status UnlinkMemory(const std::string& name, bool any_owner) {
  for (;;) {
    Sidecar sidecar;
    struct stat info;
    const Result<int> opened = OpenSidecarOf(name, &sidecar);
    if (opened.status().Is(ENOENT)) {
      const Result<int> object = OpenObject(name, any_owner, &info);
      if (!object.ok()) return object.status();
      close(object.value());
      return shm_unlink(ObjectName(name).c_str()) == 0 ? Status::Ok() : Status::System(errno, "shm_unlink");
    }
    if (!opened.ok()) return opened.status();
    const Descriptor fd(opened.value());
    if (RemoveName(fd.get(), sidecar)) return Status::Ok();
    if (sidecar.HasItsName()) return Status::System(EACCES, "unlink");
  }
}

Result<size_t> VisitMemory(const std::function<bool(const MemoryEntry&, const MemoryReader& read)>& visit) {
  const Result<std::string> folder = SidecarFolder();
  if (!folder.ok()) return folder.status();
  DIR* const directory = opendir(folder.value().c_str());
  if (directory == nullptr) return Status::System(errno, "opendir");
  size_t reclaimed = 0;
  while (const dirent* item = readdir(directory)) {
    const std::string path = folder.value() + item->d_name;
    const bool named = strncmp(item->d_name, kNamed, strlen(kNamed)) == 0;
    if (!named && strncmp(item->d_name, kUnnamed, strlen(kUnnamed)) != 0) continue;
    Sidecar sidecar;
    const Result<int> opened = OpenSidecar(path, &sidecar);
    if (!named) {  // the builder of an unlocked draft has died, or will make another draft
      const bool held = opened.ok() && LockedByOthers(opened.value());
      if (opened.ok()) close(opened.value());
      if (!held) unlink(path.c_str());
      continue;
    }
    if (!opened.ok()) continue;
    const Descriptor fd(opened.value());
    struct stat info = {};
    const Result<int> found = OpenObject(sidecar.name(), false, &info);
    const Descriptor object(found.ok() ? found.value() : -1);
    MemoryEntry entry;
    entry.name = sidecar.name();
    entry.byte_length = object.valid() ? static_cast<uint64_t>(info.st_size) : 0;
    entry.temporary = sidecar.temporary();
    entry.in_use = LockedByOthers(fd.get());
    const MemoryReader read = [&object](uint64_t offset, void* into, size_t byte_length) {
      return object.valid() && ReadMemory(object.get(), offset, into, byte_length);
    };
    if (visit(entry, read) && ReclaimIfStale(fd.get(), sidecar) == Fate::kStale) ++reclaimed;
  }
  closedir(directory);
  return reclaimed;
}

}  // namespace procshare
