#include "platform/posix/file_lock.h"

#include <vector>

// The constants of macOS, for headers that are older than its kernels.
#if defined(__APPLE__) && !defined(F_OFD_SETLK)
#define F_OFD_SETLK 90
#define F_OFD_GETLK 92
#endif

namespace procshare {
namespace {

struct flock LockRequest(short type, ByteRange range) {
  struct flock request = {};
  request.l_type = type;
  request.l_whence = SEEK_SET;
  request.l_start = range.first;
  request.l_len = range.count;
  return request;
}

}  // namespace

bool SetLock(int fd, short type, ByteRange range) {
  struct flock request = LockRequest(type, range);
  int result;
  do result = fcntl(fd, F_OFD_SETLK, &request);
  while (result != 0 && errno == EINTR);
  return result == 0;
}

size_t CountOtherMembers(int fd) {
  size_t count = 0;
  std::vector<ByteRange> ranges = {{static_cast<off_t>(kFirstMember), static_cast<off_t>(kFirstMember)}};
  while (!ranges.empty()) {
    const ByteRange range = ranges.back();
    ranges.pop_back();
    if (range.count <= 0) continue;
    struct flock request = LockRequest(F_WRLCK, range);
    if (fcntl(fd, F_OFD_GETLK, &request) != 0 || request.l_type == F_UNLCK || request.l_len <= 0) continue;
    ++count;
    // The system reports one lock in the range. The others are before and after it.
    const off_t end = request.l_start + request.l_len;
    ranges.push_back({range.first, request.l_start - range.first});
    ranges.push_back({end, range.first + range.count - end});
  }
  return count;
}

Obstacle FindObstacle(int fd, ByteRange range) {
  struct flock request = LockRequest(F_WRLCK, range);
  if (fcntl(fd, F_OFD_GETLK, &request) != 0 || request.l_type == F_UNLCK) return Obstacle::kNone;
  return request.l_len == kLiveness.count ? Obstacle::kUser : Obstacle::kRemover;
}

}  // namespace procshare
