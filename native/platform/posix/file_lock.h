// Locks on byte ranges of a file, which belong to an open file description and go with it. Members of named memory know of each other by
// them. The kernel drops them when a process ends, by any means and in any pid namespace.
//
// Byte 0 of the file has the liveness lock: shared for each member, exclusive for a builder. A process that removes the name of stale
// memory locks bytes 0 and 1, which distinguishes it from a builder: it does not mean that the name is in use (N1). Byte 2 is locked for the
// few instructions in which a name is compared and removed, so that two removals cannot follow each other around a re-created name (N4).
//
// Why fcntl(F_OFD_SETLK) and not flock(2): it converts between shared and exclusive atomically, whereas flock drops the old lock first, so
// that a builder would have none for a moment. And F_OFD_GETLK asks without taking. Since Linux 3.15; since macOS 10.11, although its
// headers declare it only since the SDK of macOS 14. A child between fork and exec shares the locks, and closing a dup()ed descriptor does
// not drop them.
#pragma once

#include <fcntl.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

namespace procshare {

constexpr int64_t kStoppedRemoverMs = 1000;  // how long a process that was stopped while it removes a name can delay others

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

// False when another lock is in the way.
bool SetLock(int fd, short type, ByteRange range);

// What is in the way of an exclusive lock of the range.
enum class Obstacle : uint8_t { kNone, kUser, kRemover };
Obstacle FindObstacle(int fd, ByteRange range = kLiveness);

// The number of members other than `fd`. The bytes of members are not adjacent.
size_t CountOtherMembers(int fd);

inline bool LockedByOthers(int fd, ByteRange range = kLiveness) { return FindObstacle(fd, range) != Obstacle::kNone; }

// Sleeps for a moment between two attempts that need another process to move on.
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
