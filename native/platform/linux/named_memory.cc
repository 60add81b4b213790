// Named memory on Linux: POSIX shared memory (files of the tmpfs at /dev/shm) and open-file-description locks on these files.
//
// file_lock.h describes the locks, their meaning and the reasons.
//
// The sticky bit (the T in `ls -l /dev/shm`) marks temporary memory. The open(2) that creates the file sets it. So at each moment
// the file of a dead builder is distinct from files of other programs.

#include "platform/named_memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

#include "platform/posix/file_lock.h"
#include "platform/posix/memory_object.h"
#include "platform/process_identity.h"

namespace procshare {
namespace {

constexpr char kDirectory[] = "/dev/shm/";
constexpr mode_t kTemporaryBit = S_ISVTX;
std::string PathOf(const std::string& name) { return kDirectory + name; }
std::string ShmName(const std::string& name) { return "/" + name; }

MemoryIdentity IdentityOf(const struct stat& info) {
  return {static_cast<uint64_t>(info.st_dev), static_cast<uint64_t>(info.st_ino)};
}

bool NameMeans(const std::string& name, const MemoryIdentity& identity) {
  struct stat info;
  return lstat(PathOf(name).c_str(), &info) == 0 && IdentityOf(info) == identity;
}

// Removes `name` if it still means the file behind `fd`; false when it does not (N4).
bool RemoveName(int fd, const std::string& name, const MemoryIdentity& identity) {
  // Each process holds this lock for two system calls. A process that was stopped in between must not block others for ever.
  const Deadline deadline = Deadline::AfterMs(kStoppedRemoverMs);
  Backoff backoff;
  while (!SetLock(fd, F_WRLCK, kName) && !deadline.passed()) backoff.Pause();
  const bool ours = NameMeans(name, identity);
  const bool removed = ours && shm_unlink(ShmName(name).c_str()) == 0;
  (void)SetLock(fd, F_UNLCK, kName);
  return removed;
}

// Opens the file that the name means, if it is memory that the caller may use.
Result<int> OpenExisting(const std::string& name, bool any_owner, struct stat* info) {
  Descriptor fd(shm_open(ShmName(name).c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0));
  if (!fd.valid()) {
    // The name is that of a link, a directory or a socket. glibc's shm_open turns EISDIR into EINVAL.
    if (errno == ELOOP || errno == EISDIR || errno == EINVAL || errno == ENXIO) return Status::Of(Outcome::kNotMemory);
    return Status::System(errno, "shm_open");
  }
  if (fstat(fd.get(), info) != 0) return Status::System(errno, "fstat");
  if (!S_ISREG(info->st_mode)) return Status::Of(Outcome::kNotMemory);
  if (!any_owner && info->st_uid != geteuid()) return Status::Of(Outcome::kOtherUser);
  return fd.Release();
}

enum class Fate : uint8_t {
  kStale,    // was stale; its name is gone, if we may remove it
  kAlive,    // it has a member or a builder, or it is persistent
  kUnclear,  // another process is removing the name, or was until a moment ago: try again
};

Fate ReclaimIfStale(int fd, const std::string& name) {
  if (!SetLock(fd, F_WRLCK, kRemoval)) {
    return FindObstacle(fd, kRemoval) == Obstacle::kUser ? Fate::kAlive : Fate::kUnclear;
  }
  struct stat info;  // read under the lock: a builder may have made it persistent a moment ago
  const bool stale = fstat(fd, &info) == 0 && (info.st_mode & kTemporaryBit) != 0;
  if (stale) (void)RemoveName(fd, name, IdentityOf(info));
  (void)SetLock(fd, F_UNLCK, kRemoval);
  return stale ? Fate::kStale : Fate::kAlive;
}

// Drops these locks of the member. The last member removes the name.
void DropName(int fd, ByteRange locks, bool temporary, const std::string& name, const MemoryIdentity& identity) {
  // Unlocks first, then asks for the exclusive lock: of several members that close at once, the last one to ask is alone (N3).
  // close(2) would not unlock, because the mapping keeps the open file description.
  (void)SetLock(fd, F_UNLCK, locks);
  if (!temporary || !SetLock(fd, F_WRLCK, kRemoval)) return;
  (void)RemoveName(fd, name, identity);
  (void)SetLock(fd, F_UNLCK, kRemoval);
}

}  // namespace

Result<NamedMemory> NamedMemory::Create(const std::string& name, size_t byte_length, unsigned mode, bool) {
  const Deadline standstill = Deadline::AfterMs(kStoppedRemoverMs);
  Backoff backoff;
  for (;;) {
    NamedMemory memory;
    memory.name_ = name;
    memory.temporary_ = true;
    Descriptor fd(shm_open(ShmName(name).c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600 | kTemporaryBit));
    if (!fd.valid()) {
      if (errno != EEXIST) return Status::System(errno, "shm_open");
      struct stat info;
      const Result<int> existing = OpenExisting(name, true, &info);
      if (existing.status().Is(ENOENT)) continue;  // it was removed in between
      if (!existing.ok()) return Status::System(EEXIST, "shm_open");
      Descriptor old(existing.value());
      const Fate fate = info.st_uid == geteuid() ? ReclaimIfStale(old.get(), name) : Fate::kAlive;
      if (fate == Fate::kAlive || standstill.passed()) return Status::System(EEXIST, "shm_open");
      if (fate == Fate::kUnclear) backoff.Pause();
      continue;
    }
    struct stat info;
    if (fstat(fd.get(), &info) != 0) return Status::System(errno, "fstat");
    memory.identity_ = IdentityOf(info);
    // Between open and lock the file looks stale, and another process may have removed it. Then Create() begins again.
    if (!SetLock(fd.get(), F_WRLCK, kLiveness) || !NameMeans(name, memory.identity_)) continue;
    memory.descriptor_ = fd.Release();  // from here on Close() removes the name if something fails
    const int open_fd = static_cast<int>(memory.descriptor_);

    // The mode is not set by open(2), because the umask of the process would apply, as it did to 0600.
    const bool mode_differs = (info.st_mode & 0777) != mode;
    if (mode_differs && fchmod(open_fd, mode | kTemporaryBit) != 0) return Status::System(errno, "fchmod");
    // There is no ftruncate() before: after a kill in between, an attacher could map unbacked bytes.
    const Status allocated = AllocateMemory(open_fd, byte_length);
    if (!allocated.ok()) return allocated;
    Result<std::shared_ptr<MemoryMapping>> mapping = MapMemory(open_fd, byte_length);
    if (!mapping.ok()) return mapping.status();
    memory.mapping_ = std::move(mapping.value());
    (void)memory.Join();  // each member has a number, so that members can be counted
    return memory;
  }
}

Result<NamedMemory> NamedMemory::Attach(const std::string& name, bool any_owner, Deadline deadline) {
  Backoff backoff;
  for (;;) {
    struct stat info;
    const Result<int> opened = OpenExisting(name, any_owner, &info);
    if (!opened.ok()) return opened.status();
    Descriptor fd(opened.value());

    const bool temporary = (info.st_mode & kTemporaryBit) != 0;
    if (temporary && !LockedByOthers(fd.get())) {
      if (ReclaimIfStale(fd.get(), name) == Fate::kStale) return Status::System(ENOENT, "shm_open");
      continue;  // another process has attached meanwhile, or it has become persistent: try again
    }
    if (!SetLock(fd.get(), F_RDLCK, kLiveness)) {
      if (deadline.passed()) return Status::Of(Outcome::kNotReady);
      backoff.Pause();  // there is a builder, or the name is being removed
      continue;
    }
    // The member that was seen above may have closed since: then the memory is stale.
    if (temporary && !LockedByOthers(fd.get())) continue;
    // From here on only Unlink() removes the name. It may have been removed before, and a builder may have given the file its size.
    if (fstat(fd.get(), &info) != 0) return Status::System(errno, "fstat");
    if (info.st_nlink == 0) continue;
    if (info.st_size <= 0) {
      // There is nothing to map. The object is an unfinished one of another program, or the builder died before it gave the file
      // a size. (There is no builder, because the liveness lock is shared now.) The name is removed here and not by the Close()
      // of the last member. With many attachers in this loop there may never be a last one.
      if ((info.st_mode & kTemporaryBit) == 0) return Status::Of(Outcome::kForeign);
      const bool removed = RemoveName(fd.get(), name, IdentityOf(info));
      if (!removed && NameMeans(name, IdentityOf(info))) return Status::System(ENOENT, "shm_open");  // not removable by us
      continue;
    }

    NamedMemory memory;
    memory.name_ = name;
    memory.temporary_ = (info.st_mode & kTemporaryBit) != 0;
    memory.identity_ = IdentityOf(info);
    memory.descriptor_ = fd.Release();
    Result<std::shared_ptr<MemoryMapping>> mapping =
        MapMemory(static_cast<int>(memory.descriptor_), static_cast<size_t>(info.st_size));
    if (!mapping.ok()) return mapping.status();
    memory.mapping_ = std::move(mapping.value());
    (void)memory.Join();
    return memory;
  }
}

Status NamedMemory::MakePersistent() {
  const int fd = static_cast<int>(descriptor_);
  struct stat info;
  if (fstat(fd, &info) != 0) return Status::System(errno, "fstat");
  if (fchmod(fd, info.st_mode & 0777) != 0) return Status::System(errno, "fchmod");
  temporary_ = false;
  return Status::Ok();
}

Status NamedMemory::Publish() {
  if (!SetLock(static_cast<int>(descriptor_), F_RDLCK, kLiveness)) return Status::System(errno, "fcntl");
  return Status::Ok();
}

void NamedMemory::Detach() {
  if (descriptor_ < 0 || !std::exchange(keeps_name_, false)) return;
  DropName(static_cast<int>(descriptor_), kLiveness, temporary_, name_, identity_);
}

void NamedMemory::Close() {
  if (descriptor_ < 0) return;
  const bool kept_name = std::exchange(keeps_name_, false);
  if (kept_name) DropName(static_cast<int>(descriptor_), kEverything, temporary_, name_, identity_);
  const Descriptor fd(static_cast<int>(std::exchange(descriptor_, -1)));
  const uint64_t member = member_.exchange(0);
  if (!kept_name && member != 0) (void)SetLock(fd.get(), F_UNLCK, MemberRange(member));
}

bool NamedMemory::BecomeBuilder() { return SetLock(static_cast<int>(descriptor_), F_WRLCK, kLiveness); }

Status NamedMemory::Unlink() {
  if (!RemoveName(static_cast<int>(descriptor_), name_, identity_)) return Status::System(ENOENT, "shm_unlink");
  return Status::Ok();
}

uint64_t NamedMemory::Join() {
  if (member_ != 0 || descriptor_ < 0) return member_;
  const uint64_t number = kFirstMember | (RandomId() & (kFirstMember - 1));
  if (SetLock(static_cast<int>(descriptor_), F_WRLCK, MemberRange(number))) member_ = number;
  return member_;
}

bool NamedMemory::IsMember(uint64_t member) const {
  if (member == member_ || descriptor_ < 0) return true;
  if (!IsMemberNumber(member)) return false;
  return LockedByOthers(static_cast<int>(descriptor_), MemberRange(member));
}

size_t NamedMemory::CountMembers() const { return CountOtherMembers(static_cast<int>(descriptor_)) + 1; }

bool NamedMemory::Read(uint64_t offset, void* into, size_t byte_length) const {
  return ReadMemory(static_cast<int>(descriptor_), offset, into, byte_length);
}

Status NamedMemory::Reserve() { return AllocateMemory(static_cast<int>(descriptor_), mapping_->byte_length()); }

Status UnlinkMemory(const std::string& name, bool any_owner) {
  for (;;) {
    struct stat info;
    const Result<int> opened = OpenExisting(name, any_owner, &info);
    if (!opened.ok()) return opened.status();
    Descriptor fd(opened.value());
    if (RemoveName(fd.get(), name, IdentityOf(info))) return Status::Ok();
    if (NameMeans(name, IdentityOf(info))) return Status::System(EACCES, "shm_unlink");
  }
}

Result<size_t> VisitMemory(const std::function<bool(const MemoryEntry&, const MemoryReader& read)>& visit) {
  DIR* directory = opendir(kDirectory);
  if (directory == nullptr) return Status::System(errno, "opendir");
  size_t reclaimed = 0;
  while (const dirent* item = readdir(directory)) {
    const std::string name = item->d_name;
    struct stat info;
    // Checked before opening, because opening a device or a pipe of another program could have side effects.
    if (fstatat(dirfd(directory), item->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0) continue;
    if (!S_ISREG(info.st_mode) || info.st_uid != geteuid()) continue;
    const Result<int> opened = OpenExisting(name, false, &info);
    if (!opened.ok()) continue;
    Descriptor fd(opened.value());
    MemoryEntry entry;
    entry.name = name;
    entry.byte_length = static_cast<uint64_t>(info.st_size);
    entry.temporary = (info.st_mode & kTemporaryBit) != 0;
    entry.in_use = LockedByOthers(fd.get());
    const MemoryReader read = [&fd](uint64_t offset, void* into, size_t byte_length) {
      return ReadMemory(fd.get(), offset, into, byte_length);
    };
    if (visit(entry, read) && ReclaimIfStale(fd.get(), name) == Fate::kStale) ++reclaimed;
  }
  closedir(directory);
  return reclaimed;
}

}  // namespace procshare
