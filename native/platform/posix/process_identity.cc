// The parts of process identity that Linux and macOS share.

#include "platform/process_identity.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/random.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include <atomic>
#include <cstddef>

#include "platform/posix/process_watch.h"
#include "platform/thread.h"

namespace procshare {
namespace {

constexpr uint32_t kLookMs = 500;

struct Watch {
  int descriptor;
  uint32_t parent;
  uint32_t grace_ms;
};

void SleepMs(uint32_t ms) {
  timespec left = {static_cast<time_t>(ms / 1000), static_cast<long>(ms % 1000) * 1'000'000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

void EndAfterParent(void* argument) {
  const Watch& watch = *static_cast<Watch*>(argument);
  if (watch.descriptor >= 0) {
    AwaitProcessWatch(watch.descriptor);
  } else {
    while (ParentPid() == watch.parent) SleepMs(kLookMs);
  }
  SleepMs(watch.grace_ms);  // the event loop, if it is free, has seen its channel close and ends the process in order
  kill(getpid(), SIGKILL);
}

// Random numbers that one system call has fetched for one thread.
struct Supply {
  uint64_t ids[32];  // 256 bytes, the most that getentropy() gives
  size_t left = 0;
  uint32_t generation = 0;
};

// The number of forks between the first process and this one: a child must not use the supply of its parent.
std::atomic<uint32_t> generation{0};

}  // namespace

uint32_t ParentPid() { return static_cast<uint32_t>(getppid()); }

uint64_t RandomId() {
  static const bool is_counted = pthread_atfork(nullptr, nullptr, [] { ++generation; }) == 0;
  static thread_local Supply supply;
  if (supply.left == 0 || supply.generation != generation || !is_counted) {
    supply.left = getentropy(supply.ids, sizeof supply.ids) == 0 ? sizeof supply.ids / sizeof supply.ids[0] : 0;
    supply.generation = generation;
  }
  while (supply.left > 0) {
    if (const uint64_t id = supply.ids[--supply.left]) return id;
  }
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (static_cast<uint64_t>(getpid()) << 40) ^ static_cast<uint64_t>(now.tv_sec * 1'000'000'000 + now.tv_nsec);
}

bool EndWithParent(uint32_t parent, uint32_t grace_ms) {
  const int descriptor = OpenProcessWatch(parent);
  if (ParentPid() != parent) {  // the parent has ended: this would watch another process that reuses its pid
    if (descriptor >= 0) close(descriptor);
    return false;
  }
  // These live as long as the process, like the thread itself.
  static Watch watch;
  static SmallThread thread;
  watch = {descriptor, parent, grace_ms};
  return thread.Start(EndAfterParent, &watch);
}

}  // namespace procshare
