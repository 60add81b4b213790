// Mapping, allocating and reading memory on macOS.

#include "platform/posix/memory_object.h"

#include <errno.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

namespace procshare {

MemoryMapping::~MemoryMapping() { munmap(data_, byte_length_); }

// The object can be given a size only once. Its pages are swappable memory, which the system provides when they are touched; it
// creates swap space as needed. So no limit of a file system can be exceeded, and there is no SIGBUS (N5).
Status AllocateMemory(int fd, size_t byte_length) {
  struct stat info;
  if (fstat(fd, &info) != 0) return Status::System(errno, "fstat");
  if (info.st_size >= static_cast<off_t>(byte_length)) return Status::Ok();
  if (ftruncate(fd, static_cast<off_t>(byte_length)) != 0) return Status::System(errno, "ftruncate");
  return Status::Ok();
}

Result<std::shared_ptr<MemoryMapping>> MapMemory(int fd, size_t byte_length) {
  void* data = mmap(nullptr, byte_length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return Status::System(errno, "mmap");
  return std::make_shared<MemoryMapping>(static_cast<uint8_t*>(data), byte_length);
}

// read(2) does not work on these objects, and they have no holes.
bool ReadMemory(int fd, uint64_t offset, void* into, size_t byte_length) {
  struct stat info;
  if (fstat(fd, &info) != 0) return false;
  const auto size = static_cast<uint64_t>(info.st_size);
  if (byte_length > size || offset > size - byte_length) return false;
  void* const data = mmap(nullptr, size, PROT_READ, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return false;
  memcpy(into, static_cast<uint8_t*>(data) + offset, byte_length);
  munmap(data, size);
  return true;
}

size_t MaxObjectNameBytes() { return 30; }  // PSHMNAMLEN is 31

// Not the folder for temporary files: the system removes files from it that have not been used for some days.
Result<std::string> SidecarFolder() {
  char path[PATH_MAX];
  const size_t length = confstr(_CS_DARWIN_USER_DIR, path, sizeof path);
  if (length == 0 || length > sizeof path) return Status::System(errno != 0 ? errno : ENOENT, "confstr");
  const std::string folder = std::string(path) + "procshare";
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return Status::System(errno, "mkdir");
  struct stat info;
  if (lstat(folder.c_str(), &info) != 0) return Status::System(errno, "lstat");
  const bool ours = S_ISDIR(info.st_mode) && info.st_uid == geteuid() && (info.st_mode & 077) == 0;
  if (!ours) return Status::Of(Outcome::kOtherUser);
  return folder + "/";
}

size_t MaxOpenMemory() {
  struct rlimit limit;
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<size_t>(limit.rlim_cur) : SIZE_MAX;
}

std::optional<uint64_t> FreeMemoryBytes() { return std::nullopt; }

// The page size of arm64, on Intel as well: a process under Rosetta sees pages of 4 KiB, but may share memory with native
// processes.
size_t MemoryPageBytes() { return 16 * 1024; }

}  // namespace procshare
