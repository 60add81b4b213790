#include <errno.h>
#include <sys/event.h>
#include <sys/proc.h>
#include <sys/sysctl.h>
#include <unistd.h>

#include "platform/process_identity.h"
#include "platform/process_watch.h"

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
