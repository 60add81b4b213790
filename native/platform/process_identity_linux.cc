#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "platform/process_identity.h"

namespace procshare {
namespace {

struct ProcessStat {
  char state = 0;
  int threads = 0;
  uint64_t start_time = 0;
};

// Fields 3, 20 and 22 of /proc/PID/stat, counted after the command name, which may hold spaces and parentheses. By hand: a
// waiter for a mutex asks often.
bool ReadStat(uint32_t pid, ProcessStat* stat) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%u/stat", pid);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  char text[1024];
  const ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) return false;
  text[length] = '\0';
  const char* at = strrchr(text, ')');
  for (int field = 3; at != nullptr && (at = strchr(at, ' ')) != nullptr; ++field) {
    ++at;
    if (field == 3) stat->state = *at;
    if (field == 20) stat->threads = atoi(at);
    if (field == 22) {
      stat->start_time = strtoull(at, nullptr, 10);
      return true;
    }
  }
  return false;
}

struct Watch {
  int pid_fd;
  uint32_t parent;
  uint32_t grace_ms;
};

void SleepMs(uint32_t ms) {
  timespec left = {static_cast<time_t>(ms / 1000), static_cast<long>(ms % 1000) * 1'000'000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

void* WatchParent(void* argument) {
  Watch* const watch = static_cast<Watch*>(argument);
  if (watch->pid_fd >= 0) {
    pollfd item = {watch->pid_fd, POLLIN, 0};
    while (poll(&item, 1, -1) < 0 && errno == EINTR) {
    }
  } else {
    while (ParentPid() == watch->parent) SleepMs(500);  // kernels before 5.3 have no pidfd_open
  }
  SleepMs(watch->grace_ms);  // the event loop, if it is free, has seen its channel close and ends the process in order
  kill(getpid(), SIGKILL);
  return nullptr;
}

}  // namespace

ProcessIdentity CurrentProcess() {
  const uint32_t pid = static_cast<uint32_t>(getpid());
  ProcessStat stat;
  return {pid, ReadStat(pid, &stat) ? stat.start_time : 0};
}

bool ProcessHasEnded(uint32_t pid, uint32_t start_time_low) {
  ProcessStat stat;
  if (!ReadStat(pid, &stat)) return kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH;
  if (start_time_low != 0 && static_cast<uint32_t>(stat.start_time) != start_time_low) return true;
  // The main thread may have ended before the others: then it is a zombie, and they run on.
  return (stat.state == 'Z' || stat.state == 'X') && stat.threads <= 1;
}

uint32_t ParentPid() { return static_cast<uint32_t>(getppid()); }

uint64_t RandomId() {
  uint64_t id = 0;
  if (getrandom(&id, sizeof id, 0) == static_cast<ssize_t>(sizeof id) && id != 0) return id;
  timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (static_cast<uint64_t>(getpid()) << 40) ^ static_cast<uint64_t>(now.tv_sec * 1'000'000'000 + now.tv_nsec);
}

bool EndWithParent(uint32_t parent, uint32_t grace_ms) {
  const int pid_fd = static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(parent), 0));
  if (ParentPid() != parent) {  // it ended before we could look; a pidfd of a reused pid would watch a stranger
    if (pid_fd >= 0) close(pid_fd);
    return false;
  }
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, 128 * 1024);
  pthread_t thread;
  // Lives as long as the process, like the thread that reads it.
  const bool started = pthread_create(&thread, &attributes, WatchParent, new Watch{pid_fd, parent, grace_ms}) == 0;
  pthread_attr_destroy(&attributes);
  return started;
}

}  // namespace procshare
