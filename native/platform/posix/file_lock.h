// Locks on byte ranges of a file, which belong to an open file description and end with it. Members of named memory detect each
// other by these locks. The kernel drops them when a process ends, by any means and in any pid namespace.
//
// Byte 0 of the file has the liveness lock: shared for each member, exclusive for a builder. A process that removes the name of
// stale memory locks bytes 0 and 1. That distinguishes it from a builder: it does not mean that the name is in use (N1). Byte 2
// is locked for the few instructions in which a name is compared and removed, so that two removals cannot follow each other
// around a re-created name (N4).
//
// fcntl(F_OFD_SETLK) converts between shared and exclusive atomically. flock(2) drops the old lock first, so that a builder would
// have no lock for a moment. F_OFD_GETLK tests for a lock without taking it. These calls exist since Linux 3.15 and macOS 10.11,
// although headers declare them only since the SDK of macOS 14. A child between fork and exec shares the locks, and closing a
// dup()ed descriptor does not drop them.
#pragma once

#include <fcntl.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

namespace procshare {

constexpr int64_t kStoppedRemoverMs = 1000;  // the longest delay by a process that was stopped while it removes a name

struct ByteRange {
  off_t first;
  off_t count;
};
constexpr ByteRange kLiveness = {0, 1};
constexpr ByteRange kRemoval = {0, 2};
constexpr ByteRange kEverything = {0, 0};  // to the highest offset
constexpr ByteRange kName = {2, 1};

// A member locks a byte of its own, at the offset that is its number: far beyond the end of any file, which is allowed.
constexpr uint64_t kFirstMember = uint64_t{1} << 60;
inline ByteRange MemberRange(uint64_t member) { return {static_cast<off_t>(member), 1}; }
inline bool IsMemberNumber(uint64_t number) { return number >= kFirstMember && number < kFirstMember * 2; }

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  int Release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

// False when another lock conflicts.
bool SetLock(int fd, short type, ByteRange range);

// Finds a lock that conflicts with an exclusive lock of the range.
enum class Obstacle : uint8_t { kNone, kUser, kRemover };
Obstacle FindObstacle(int fd, ByteRange range = kLiveness);

// The number of members other than the one with `fd`. The bytes of members are not adjacent.
size_t CountOtherMembers(int fd);

inline bool LockedByOthers(int fd, ByteRange range = kLiveness) { return FindObstacle(fd, range) != Obstacle::kNone; }

// Sleeps for a moment between two attempts, so that another process can go on.
class Backoff {
 public:
  void Pause() {
    const timespec pause = {0, next_ns_};
    nanosleep(&pause, nullptr);
    if (next_ns_ < 1'000'000) next_ns_ *= 2;
  }

 private:
  long next_ns_ = 20'000;
};

}  // namespace procshare
