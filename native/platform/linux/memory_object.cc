// Mapping, allocating and reading memory on Linux.

#include "platform/posix/memory_object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

namespace procshare {
namespace {

// The kernel limits the number of mappings of a process, and V8 aborts when it gets none. So this process stops well below the
// limit.
std::atomic<int64_t> mappings{0};

int64_t MappingLimit() {
  static const int64_t limit = [] {
    long long most = 65530;
    if (FILE* file = fopen("/proc/sys/vm/max_map_count", "re")) {
      if (fscanf(file, "%lld", &most) != 1) most = 65530;
      fclose(file);
    }
    return most / 4 * 3;
  }();
  return limit;
}

}  // namespace

MemoryMapping::~MemoryMapping() {
  munmap(data_, byte_length_);
  mappings.fetch_sub(1, std::memory_order_relaxed);
}

Result<std::shared_ptr<MemoryMapping>> MapMemory(int fd, size_t byte_length) {
  if (mappings.load(std::memory_order_relaxed) >= MappingLimit()) return Status::System(ENOMEM, "mmap");
  void* data = mmap(nullptr, byte_length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (data == MAP_FAILED) return Status::System(errno, "mmap");
  mappings.fetch_add(1, std::memory_order_relaxed);  // a count, orders nothing
  return std::make_shared<MemoryMapping>(static_cast<uint8_t*>(data), byte_length);
}

Status AllocateMemory(int fd, size_t byte_length) {
  // A signal makes tmpfs undo the call. Under a profiler that sends a signal each millisecond, a long call would never end. So an
  // interrupted call is repeated in halves.
  constexpr size_t kSmallestPiece = 64 * 1024;
  size_t piece = byte_length;
  for (size_t done = 0; done < byte_length;) {
    const size_t count = std::min(piece, byte_length - done);
    const int error = posix_fallocate(fd, static_cast<off_t>(done), static_cast<off_t>(count));
    if (error == 0) {
      done += count;
    } else if (error == EINTR) {
      piece = std::max(count / 2, kSmallestPiece);
    } else {
      return Status::System(error, "posix_fallocate");
    }
  }
  return Status::Ok();
}

bool ReadMemory(int fd, uint64_t offset, void* into, size_t byte_length) {
  return pread(fd, into, byte_length, static_cast<off_t>(offset)) == static_cast<ssize_t>(byte_length);
}

// This limit and the folder are only for a build with the fallbacks of other systems. Linux would allow 255. A lower limit tests
// long names, while most names in tests are still those of their files.
size_t MaxObjectNameBytes() { return 100; }

Result<std::string> SidecarFolder() {
  const std::string folder = "/dev/shm/.procshare-" + std::to_string(geteuid());
  if (mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return Status::System(errno, "mkdir");
  struct stat info;
  if (lstat(folder.c_str(), &info) != 0) return Status::System(errno, "lstat");
  const bool ours = S_ISDIR(info.st_mode) && info.st_uid == geteuid() && (info.st_mode & 077) == 0;
  if (!ours) return Status::Of(Outcome::kOtherUser);
  return folder + "/";
}

size_t MaxOpenMemory() {
  struct rlimit limit;
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : SIZE_MAX;
}

std::optional<uint64_t> FreeMemoryBytes() {
  struct statvfs info;
  if (statvfs("/dev/shm", &info) != 0 || info.f_blocks == 0) return std::nullopt;  // no blocks: a tmpfs without a limit
  return uint64_t{info.f_bavail} * info.f_frsize;
}

size_t MemoryPageBytes() {
  static const size_t bytes = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  return bytes;
}

}  // namespace procshare
