#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "platform/process_identity.h"
#include "platform/process_watch.h"

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

int OpenProcessWatch(uint32_t pid) {
  return static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0));  // none before Linux 5.3
}

void AwaitProcessWatch(int descriptor) {
  pollfd item = {descriptor, POLLIN, 0};
  while (poll(&item, 1, -1) < 0 && errno == EINTR) {
  }
}

}  // namespace procshare
