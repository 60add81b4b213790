// Start times, pid namespaces and the end of a parent on Linux: /proc and pidfd_open.

#include "platform/process_identity.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

#include "platform/posix/process_watch.h"

namespace procshare {
namespace {

// Field 22 of /proc/self/stat, counted after the command name, which may hold spaces and parentheses. 0 without /proc.
uint64_t AskForStartTime() {
  const int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  char text[1024];
  const ssize_t length = read(fd, text, sizeof text - 1);
  close(fd);
  if (length <= 0) return 0;
  text[length] = '\0';
  const char* at = strrchr(text, ')');
  for (int field = 3; at != nullptr && (at = strchr(at, ' ')) != nullptr; ++field) {
    ++at;
    if (field == 22) return strtoull(at, nullptr, 10);
  }
  return 0;
}

// The identity of the file of the namespace in /proc. Without /proc, a descriptor of this process gives it (Linux 6.11).
uint64_t AskForPidNamespace() {
  struct stat info;
  if (stat("/proc/self/ns/pid", &info) == 0) return info.st_ino;
  constexpr unsigned long kGetPidNamespace = _IO(0xff, 5);  // PIDFD_GET_PID_NAMESPACE of linux/pidfd.h
  const int self = static_cast<int>(syscall(SYS_pidfd_open, getpid(), 0));
  if (self < 0) return 0;
  const int space = ioctl(self, kGetPidNamespace, 0);
  const bool known = space >= 0 && fstat(space, &info) == 0;
  if (space >= 0) close(space);
  close(self);
  return known ? info.st_ino : 0;
}

// Facts that do not change while a process lives. They are read again in a child, which may be in another namespace. 0: not
// known.
std::atomic<uint64_t> start_time{0};
std::atomic<uint64_t> pid_namespace{0};

uint64_t AskOnce(std::atomic<uint64_t>* answer, uint64_t (*ask)()) {
  static const bool is_forgotten_by_children = pthread_atfork(nullptr, nullptr, [] { start_time = pid_namespace = 0; }) == 0;
  const uint64_t known = answer->load(std::memory_order_relaxed);
  if (known != 0 && is_forgotten_by_children) return known;
  const uint64_t found = ask();
  answer->store(found, std::memory_order_relaxed);
  return found;
}

}  // namespace

ProcessIdentity CurrentProcess() { return {static_cast<uint32_t>(getpid()), AskOnce(&start_time, AskForStartTime)}; }

uint64_t PidNamespace() { return AskOnce(&pid_namespace, AskForPidNamespace); }

int OpenProcessWatch(uint32_t pid) {
  return static_cast<int>(syscall(SYS_pidfd_open, static_cast<pid_t>(pid), 0));  // fails before Linux 5.3
}

void AwaitProcessWatch(int descriptor) {
  pollfd item = {descriptor, POLLIN, 0};
  while (poll(&item, 1, -1) < 0 && errno == EINTR) {
  }
}

}  // namespace procshare
