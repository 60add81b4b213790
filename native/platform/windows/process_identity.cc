// Process identity on Windows, by process handles.

#include <process.h>
#include <windows.h>
// Included after windows.h, which they need.
#include <bcrypt.h>
#include <tlhelp32.h>

#include "platform/process_identity.h"
#include "platform/windows/kernel_object.h"

namespace procshare {
namespace {

uint64_t StartTimeOf(HANDLE process) {
  FILETIME created, exited, kernel, user;
  if (!GetProcessTimes(process, &created, &exited, &kernel, &user)) return 0;
  return static_cast<uint64_t>(created.dwHighDateTime) << 32 | created.dwLowDateTime;
}

struct Watch {
  Handle parent;
  uint32_t grace_ms;
};

unsigned __stdcall WatchParent(void* argument) {
  Watch* const watch = static_cast<Watch*>(argument);
  WaitForSingleObject(watch->parent.get(), INFINITE);
  Sleep(watch->grace_ms);  // the event loop, if it is free, has seen its channel close and ends the process in order
  TerminateProcess(GetCurrentProcess(), 1);
  return 0;
}

}  // namespace

ProcessIdentity CurrentProcess() { return {GetCurrentProcessId(), StartTimeOf(GetCurrentProcess())}; }

uint64_t PidNamespace() { return 1; }

uint32_t ParentPid() {
  const Handle snapshot(CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0));
  PROCESSENTRY32W entry;
  entry.dwSize = sizeof entry;
  const DWORD self = GetCurrentProcessId();
  for (BOOL more = Process32FirstW(snapshot.get(), &entry); more; more = Process32NextW(snapshot.get(), &entry)) {
    if (entry.th32ProcessID == self) return entry.th32ParentProcessID;
  }
  return 0;
}

uint64_t RandomId() {
  uint64_t id = 0;
  const NTSTATUS status =
      BCryptGenRandom(nullptr, reinterpret_cast<PUCHAR>(&id), sizeof id, BCRYPT_USE_SYSTEM_PREFERRED_RNG);
  if (status == 0 && id != 0) return id;
  LARGE_INTEGER now;
  QueryPerformanceCounter(&now);
  return static_cast<uint64_t>(GetCurrentProcessId()) << 40 ^ static_cast<uint64_t>(now.QuadPart);
}

bool EndWithParent(uint32_t parent, uint32_t grace_ms) {
  // Windows keeps the pid of a parent that has ended, and may have given it to another process since. A process that is younger
  // than its child is not the parent.
  Handle process(OpenProcess(SYNCHRONIZE | PROCESS_QUERY_LIMITED_INFORMATION, FALSE, parent));
  if (!process.valid() || ParentPid() != parent) return false;
  if (StartTimeOf(process.get()) > StartTimeOf(GetCurrentProcess())) return false;
  if (WaitForSingleObject(process.get(), 0) == WAIT_OBJECT_0) return false;
  // Lives as long as the process, like the thread that reads it.
  const uintptr_t thread = _beginthreadex(nullptr, 128 * 1024, WatchParent, new Watch{std::move(process), grace_ms},
                                          STACK_SIZE_PARAM_IS_A_RESERVATION, nullptr);
  if (thread == 0) return false;
  CloseHandle(reinterpret_cast<HANDLE>(thread));
  return true;
}

}  // namespace procshare
