#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/event.h>
#include <sys/proc.h>
#include <sys/random.h>
#include <sys/sysctl.h>
#include <time.h>
#include <unistd.h>

#include "platform/process_identity.h"

namespace procshare {
namespace {

enum class Found : uint8_t { kYes, kNo, kUnknown };

// What the kernel says about a process, of any user and ended or not, as long as its parent has not asked how it ended.
Found Find(uint32_t pid, kinfo_proc* process) {
  int query[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, static_cast<int>(pid)};
  size_t length = sizeof *process;
  if (sysctl(query, 4, process, &length, nullptr, 0) != 0) return errno == ESRCH ? Found::kNo : Found::kUnknown;
  return length < sizeof *process ? Found::kNo : Found::kYes;
}

// In microseconds; the kernel keeps it as it was when the process was made, however the clock is set later.
uint64_t StartTimeOf(const kinfo_proc& process) {
  const timeval& start = process.kp_proc.p_starttime;
  return static_cast<uint64_t>(start.tv_sec) * 1'000'000 + static_cast<uint64_t>(start.tv_usec);
}

struct Watch {
  int queue;
  uint32_t grace_ms;
};

void SleepMs(uint32_t ms) {
  timespec left = {static_cast<time_t>(ms / 1000), static_cast<long>(ms % 1000) * 1'000'000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

void* WatchParent(void* argument) {
  Watch* const watch = static_cast<Watch*>(argument);
  struct kevent event;
  while (kevent(watch->queue, nullptr, 0, &event, 1, nullptr) < 0 && errno == EINTR) {
  }
  SleepMs(watch->grace_ms);  // the event loop, if it is free, has seen its channel close and ends the process in order
  kill(getpid(), SIGKILL);
  return nullptr;
}

}  // namespace

ProcessIdentity CurrentProcess() {
  const uint32_t pid = static_cast<uint32_t>(getpid());
  kinfo_proc process;
  return {pid, Find(pid, &process) == Found::kYes ? StartTimeOf(process) : 0};
}

bool ProcessHasEnded(uint32_t pid, uint32_t start_time_low) {
  kinfo_proc process;
  const Found found = Find(pid, &process);
  if (found != Found::kYes) return found == Found::kNo;
  if (start_time_low != 0 && static_cast<uint32_t>(StartTimeOf(process)) != start_time_low) return true;
  return process.kp_proc.p_stat == SZOMB;  // it becomes one when its last thread has ended
}

uint32_t ParentPid() { return static_cast<uint32_t>(getppid()); }

uint64_t RandomId() {
  uint64_t id = 0;
  if (getentropy(&id, sizeof id) == 0 && id != 0) return id;
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (static_cast<uint64_t>(getpid()) << 40) ^ static_cast<uint64_t>(now.tv_sec * 1'000'000'000 + now.tv_nsec);
}

bool EndWithParent(uint32_t parent, uint32_t grace_ms) {
  const int queue = kqueue();
  if (queue < 0) return false;
  struct kevent request;
  EV_SET(&request, parent, EVFILT_PROC, EV_ADD | EV_ENABLE | EV_ONESHOT, NOTE_EXIT, 0, nullptr);
  const bool watched = kevent(queue, &request, 1, nullptr, 0, nullptr) == 0;
  if (!watched || ParentPid() != parent) {  // it ended before we could look; a reused pid would be a stranger
    close(queue);
    return false;
  }
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 128 * 1024);
  pthread_t thread;
  // Lives as long as the process, like the thread that reads it.
  const bool started = pthread_create(&thread, &attributes, WatchParent, new Watch{queue, grace_ms}) == 0;
  pthread_attr_destroy(&attributes);
  return started;
}

}  // namespace procshare
