// A /dev/shm that is visible only to this process and its future children.
#pragma once

#include <sched.h>
#include <sys/mount.h>

namespace procshare::testing {

// `options` as for mount -t tmpfs -o, such as "size=1m". False without the privilege.
inline bool UsePrivateMemory(const char* options) {
  return unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("tmpfs", "/dev/shm", "tmpfs", 0, options) == 0;
}

// For programs whose stale names any other program with procshare on the machine would remove. Without the privilege they share
// /dev/shm, and must run alone.
inline void UsePrivateMemoryIfPossible() { (void)UsePrivateMemory(""); }

}  // namespace procshare::testing
