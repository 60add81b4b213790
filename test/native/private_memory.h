// A /dev/shm that only this process and its future children see.
#pragma once

#include <sched.h>
#include <sys/mount.h>

namespace procshare::testing {

// `options` as for mount -t tmpfs -o, such as "size=1m". False when this process may not.
inline bool UsePrivateMemory(const char* options) {
  return unshare(CLONE_NEWNS) == 0 && mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         mount("tmpfs", "/dev/shm", "tmpfs", 0, options) == 0;
}

// For programs whose stale names would be swept away by any other program of ours on the machine. Without the
// privilege they share /dev/shm, and must run alone.
inline void UsePrivateMemoryIfPossible() { (void)UsePrivateMemory(""); }

}  // namespace procshare::testing
