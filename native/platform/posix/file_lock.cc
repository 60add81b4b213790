#include "platform/posix/file_lock.h"

// The numbers of macOS, for headers that are older than its kernels.
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

Obstacle FindObstacle(int fd, ByteRange range) {
  struct flock request = LockRequest(F_WRLCK, range);
  if (fcntl(fd, F_OFD_GETLK, &request) != 0 || request.l_type == F_UNLCK) return Obstacle::kNone;
  return request.l_len == kLiveness.count ? Obstacle::kUser : Obstacle::kRemover;
}

}  // namespace procshare
