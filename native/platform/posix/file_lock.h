// Locks on byte ranges of a file that belong to an open file description and go with it: how the users of named memory know of
// each other. The kernel drops them when a process ends, however it ends and in whatever pid namespace it lives.
//
// Byte 0 of the file carries the liveness lock: shared by each holder, exclusive by a builder. Whoever is about to remove
// the name because nobody holds it locks bytes 0 and 1, so that others can tell him from a builder: he is not a reason to
// believe that the name is alive (N1). Byte 2 is held for the few instructions in which a name is compared and removed, so
// that two of them cannot follow each other around a re-created name (N4).
//
// Why fcntl(F_OFD_SETLK) and not flock(2): it converts between shared and exclusive atomically (flock drops the old lock
// first, so a builder would be nobody for a moment), and F_OFD_GETLK asks without taking. Linux 3.15; macOS 10.11, though
// its headers say so only since the SDK of macOS 14. A child between fork and exec shares them, and a dup()ed descriptor
// does not drop them.
#pragma once

#include <fcntl.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <utility>

namespace procshare {

constexpr int64_t kStoppedRemoverMs = 1000;  // how long somebody who was stopped in a critical place can hold us up

struct ByteRange {
  off_t first;
  off_t count;
};
constexpr ByteRange kLiveness = {0, 1};
constexpr ByteRange kRemoval = {0, 2};
constexpr ByteRange kName = {2, 1};

// A member locks a byte of its own, at an offset that is its number: far beyond the end of any file, which is allowed.
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

// False when somebody else's lock is in the way.
bool SetLock(int fd, short type, ByteRange range);

// What is in the way of an exclusive lock of the range.
enum class Obstacle : uint8_t { kNone, kUser, kRemover };
Obstacle FindObstacle(int fd, ByteRange range = kLiveness);

inline bool HeldByOthers(int fd, ByteRange range = kLiveness) { return FindObstacle(fd, range) != Obstacle::kNone; }

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
