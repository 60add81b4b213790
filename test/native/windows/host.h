// The functions of the operating system that the harness uses, here for Windows. test/native/posix/host.h is the counterpart.
#pragma once

#include <windows.h>
// After windows.h, which it needs.
#include <tlhelp32.h>

#include <cstddef>
#include <string>

#include "platform/named_memory.h"

namespace procshare::testing {

// Ends the program when it takes longer than that.
inline void LimitProgram(unsigned seconds) {
  const auto end = [](void* limit) -> DWORD {
    Sleep(*static_cast<unsigned*>(limit) * 1000);
    TerminateProcess(GetCurrentProcess(), 3);
    return 0;
  };
  CloseHandle(CreateThread(nullptr, 0, end, new unsigned(seconds), 0, nullptr));
}

// A name of shared memory that begins with the prefix, or an empty text.
inline std::string NameInUse(const std::string& prefix) {
  std::string found;
  (void)VisitMemory([&](const MemoryEntry& entry, const MemoryReader&) {
    if (entry.name.compare(0, prefix.size(), prefix) == 0) found = entry.name;
    return false;
  });
  return found;
}

// The number of the calling thread, and whether it still runs. Not used: the owners of mutexes are threads here.
inline uint64_t ThreadNumber() { return GetCurrentThreadId(); }
inline bool ThreadLives(uint64_t) { return true; }

// How many threads this process has.
inline size_t Threads() {
  size_t count = 0;
  const HANDLE snapshot = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
  THREADENTRY32 entry;
  entry.dwSize = sizeof entry;
  for (BOOL more = Thread32First(snapshot, &entry); more; more = Thread32Next(snapshot, &entry)) {
    count += entry.th32OwnerProcessID == GetCurrentProcessId();
  }
  CloseHandle(snapshot);
  return count;
}

inline void SleepMs(double ms) { Sleep(static_cast<DWORD>(ms)); }

// A page of zeros that a word can be waited for in, and that can be unmapped.
inline void* MapPage() { return VirtualAlloc(nullptr, 4096, MEM_RESERVE | MEM_COMMIT, PAGE_READWRITE); }
inline void UnmapPage(void* page) { VirtualFree(page, 0, MEM_RELEASE); }

}  // namespace procshare::testing
