// Start times and the end of a parent on macOS: sysctl and kqueue.

#include "platform/process_identity.h"

#include <errno.h>
#include <sys/event.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include "platform/posix/process_watch.h"

namespace procshare {
namespace {

// In microseconds. The kernel records it when the process is created; later changes of the clock do not affect it.
uint64_t StartTimeOf(const kinfo_proc& process) {
  const timeval& start = process.kp_proc.p_starttime;
  return static_cast<uint64_t>(start.tv_sec) * 1'000'000 + static_cast<uint64_t>(start.tv_usec);
}

}  // namespace

ProcessIdentity CurrentProcess() {
  const pid_t pid = getpid();
  kinfo_proc process;
  int query[] = {CTL_KERN, KERN_PROC, KERN_PROC_PID, pid};
  size_t length = sizeof process;
  const bool known = sysctl(query, 4, &process, &length, nullptr, 0) == 0 && length >= sizeof process;
  return {static_cast<uint32_t>(pid), known ? StartTimeOf(process) : 0};
}

uint64_t PidNamespace() { return 1; }

int OpenProcessWatch(uint32_t pid) {
  const int queue = kqueue();
  if (queue < 0) return -1;
  struct kevent request;
  EV_SET(&request, pid, EVFILT_PROC, EV_ADD | EV_ENABLE | EV_ONESHOT, NOTE_EXIT, 0, nullptr);
  if (kevent(queue, &request, 1, nullptr, 0, nullptr) == 0) return queue;
  close(queue);
  return -1;
}

void AwaitProcessWatch(int descriptor) {
  struct kevent event;
  while (kevent(descriptor, nullptr, 0, &event, 1, nullptr) < 0 && errno == EINTR) {
  }
}

}  // namespace procshare
