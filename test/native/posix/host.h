// The functions of the operating system that the harness uses, here for POSIX. test/native/windows/host.h is the counterpart.
#pragma once

#include <dirent.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

namespace procshare::testing {

// Ends the program when it takes longer than that, and leaves no core files.
inline void LimitProgram(unsigned seconds) {
  alarm(seconds);
  const rlimit no_core = {0, 0};
  setrlimit(RLIMIT_CORE, &no_core);
}

// A name of shared memory that begins with the prefix, or an empty text.
inline std::string NameInUse(const std::string& prefix) {
  std::string found;
  DIR* const listing = opendir("/dev/shm");
  if (listing == nullptr) return found;
  while (const dirent* item = readdir(listing)) {
    if (strncmp(item->d_name, prefix.c_str(), prefix.size()) == 0) found = item->d_name;
  }
  closedir(listing);
  return found;
}

// The number of threads of this process.
inline size_t Threads() {
  size_t count = 0;
  DIR* const listing = opendir("/proc/self/task");
  if (listing == nullptr) abort();
  while (const dirent* item = readdir(listing)) count += item->d_name[0] != '.';
  closedir(listing);
  return count;
}

// The number of the calling thread, and whether a thread, of any process, still runs. (Elsewhere than on Linux: of processes.)
#if defined(__linux__)
inline uint64_t ThreadNumber() { return static_cast<uint64_t>(syscall(SYS_gettid)); }
inline bool ThreadLives(uint64_t number) {
  char path[32];
  snprintf(path, sizeof path, "/proc/%u/stat", static_cast<unsigned>(number));
  FILE* const file = fopen(path, "re");
  if (file == nullptr) return false;
  char state = 'X';
  (void)!fscanf(file, "%*d (%*[^)]) %c", &state);
  fclose(file);
  return state != 'Z' && state != 'X';
}
#else
inline uint64_t ThreadNumber() { return static_cast<uint64_t>(getpid()); }
inline bool ThreadLives(uint64_t number) { return kill(static_cast<pid_t>(number), 0) == 0; }
#endif

inline void SleepMs(double ms) { usleep(static_cast<useconds_t>(ms * 1000)); }

// A page of zeros that a word can be waited for in, and that can be unmapped.
inline void* MapPage() {
  void* const page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  return page == MAP_FAILED ? nullptr : page;
}
inline void UnmapPage(void* page) { munmap(page, 4096); }

}  // namespace procshare::testing
