#include "platform/fallback/memory_sidecar.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "platform/posix/file_lock.h"
#include "platform/posix/memory_object.h"
#include "platform/process_identity.h"

namespace procshare {
namespace {

constexpr size_t kHeadBytes = offsetof(Record, name);

std::string Hex(uint64_t number) {
  char text[17];
  snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(number));
  return text;
}

MemoryIdentity IdentityOf(const struct stat& info) {
  return {static_cast<uint64_t>(info.st_dev), static_cast<uint64_t>(info.st_ino)};
}

uint64_t RoundUpToPage(uint64_t bytes) { return (bytes + MemoryPageBytes() - 1) / MemoryPageBytes(); }

Result<std::string> PathOf(const std::string& name) {
  Result<std::string> folder = SidecarFolder();
  if (!folder.ok()) return folder.status();
  return folder.value() + kNamed + Hex(HashOf(name));
}

}  // namespace

bool Sidecar::HasItsName() const {
  struct stat info;
  return lstat(path.c_str(), &info) == 0 && IdentityOf(info) == identity;
}

uint64_t HashOf(const std::string& name) {
  uint64_t hash = 0xcbf29ce484222325;
  for (const char c : name) hash = (hash ^ static_cast<uint8_t>(c)) * 0x100000001b3;
  return hash;
}

std::string ObjectName(const std::string& name) {
  return name.size() <= MaxObjectNameBytes() ? "/" + name : "/ps." + Hex(HashOf(name));
}

bool ReadRecord(int fd, Record* record) {
  *record = {};
  const ssize_t length = pread(fd, record, kHeadBytes + sizeof record->name - 1, 0);
  return length > static_cast<ssize_t>(kHeadBytes) && (record->state == kTemporary || record->state == kPersistent);
}

Result<int> OpenObject(const std::string& name, bool any_owner, struct stat* info) {
  Descriptor fd(shm_open(ObjectName(name).c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC, 0));
  if (!fd.valid()) {
    // Where objects are files, a link, a directory or a socket can have the name.
    if (errno == ELOOP || errno == EISDIR || errno == EINVAL || errno == ENXIO) return Status::Of(Outcome::kNotMemory);
    return Status::System(errno, "shm_open");
  }
  if (fstat(fd.get(), info) != 0) return Status::System(errno, "fstat");
  const mode_t kind = info->st_mode & S_IFMT;
  if (kind != 0 && kind != S_IFREG) return Status::Of(Outcome::kNotMemory);
  if (!any_owner && info->st_uid != geteuid()) return Status::Of(Outcome::kOtherUser);
  return fd.Release();
}

bool HasObject(const std::string& name) {
  struct stat info;
  const Result<int> opened = OpenObject(name, true, &info);
  if (opened.ok()) close(opened.value());
  return !opened.status().Is(ENOENT);
}

// Objects have the requested size, or that size rounded up to whole pages.
bool CanBelongTo(const Record& record, const struct stat& object) {
  const auto size = static_cast<uint64_t>(object.st_size);
  return size == 0 || RoundUpToPage(size) == RoundUpToPage(record.byte_length);
}

Result<int> OpenSidecar(const std::string& path, Sidecar* sidecar) {
  Descriptor fd(open(path.c_str(), O_RDWR | O_NOFOLLOW | O_CLOEXEC));
  if (!fd.valid()) return Status::System(errno, "open");
  struct stat info;
  if (fstat(fd.get(), &info) != 0) return Status::System(errno, "fstat");
  sidecar->path = path;
  sidecar->identity = IdentityOf(info);
  if (!ReadRecord(fd.get(), &sidecar->record)) return Status::Of(Outcome::kNotMemory);
  return fd.Release();
}

Result<int> OpenSidecarOf(const std::string& name, Sidecar* sidecar) {
  const Result<std::string> path = PathOf(name);
  if (!path.ok()) return path.status();
  Result<int> opened = OpenSidecar(path.value(), sidecar);
  if (!opened.ok()) return opened;
  if (sidecar->name() == name) return opened;
  close(opened.value());
  return Status::Of(Outcome::kNotMemory);  // another name has the same hash
}

Result<int> MakeSidecar(const std::string& name, size_t byte_length, Sidecar* sidecar) {
  const Result<std::string> folder = SidecarFolder();
  if (!folder.ok()) return folder.status();
  sidecar->path = folder.value() + kNamed + Hex(HashOf(name));
  sidecar->record = {};
  sidecar->record.byte_length = byte_length;
  memcpy(sidecar->record.name, name.data(), name.size());
  for (;;) {
    const std::string draft = folder.value() + kUnnamed + Hex(RandomId());
    Descriptor fd(open(draft.c_str(), O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
    if (!fd.valid()) return Status::System(errno, "open");
    struct stat info;
    const auto length = static_cast<ssize_t>(kHeadBytes + name.size());
    errno = 0;
    const bool written = write(fd.get(), &sidecar->record, static_cast<size_t>(length)) == length;
    int error = 0;
    if (!written) {
      error = errno != 0 ? errno : ENOSPC;
    } else if (fstat(fd.get(), &info) != 0 || !SetLock(fd.get(), F_WRLCK, kLiveness)) {
      error = errno;
    }
    const char* const syscall = error != 0 ? "write" : "link";
    if (error == 0 && link(draft.c_str(), sidecar->path.c_str()) != 0) error = errno;
    unlink(draft.c_str());
    if (error == ENOENT) continue;  // another process has removed the draft as that of a dead process
    if (error != 0) return Status::System(error, syscall);
    sidecar->identity = IdentityOf(info);
    return fd.Release();
  }
}

bool RemoveName(int fd, const Sidecar& sidecar, Extent extent) {
  // Each process holds this lock for a few system calls. A process that was stopped meanwhile must not block others for ever.
  const Deadline deadline = Deadline::AfterMs(kStoppedRemoverMs);
  Backoff backoff;
  while (!SetLock(fd, F_WRLCK, kName) && !deadline.passed()) backoff.Pause();
  bool removed = sidecar.HasItsName();
  if (removed) {
    struct stat info;
    const Result<int> object = OpenObject(sidecar.name(), false, &info);
    if (object.ok()) close(object.value());
    // Without a free descriptor the object cannot be checked; removing the sidecar alone would leave the object for ever (S2).
    const bool blind = object.status().Is(EMFILE) || object.status().Is(ENFILE);
    const bool ours = blind || (object.ok() && CanBelongTo(sidecar.record, info));
    if (extent == Extent::kAll && ours) shm_unlink(ObjectName(sidecar.name()).c_str());
    removed = unlink(sidecar.path.c_str()) == 0;  // S2
  }
  (void)SetLock(fd, F_UNLCK, kName);
  return removed;
}

bool RemoveNameOf(int fd, const std::string& name, const MemoryIdentity& identity) {
  const Result<std::string> path = PathOf(name);
  Sidecar sidecar;
  if (!path.ok() || !ReadRecord(fd, &sidecar.record)) return false;
  sidecar.path = path.value();
  sidecar.identity = identity;
  return RemoveName(fd, sidecar);
}

}  // namespace procshare
