// A thread as other processes know it: by a random number, under which two kernel objects exist for as long as it lives.
//
//   t  a mutex that it owns and never releases: another thread gets it only when this one has ended, and may sleep until then
//   e  an event on which it sleeps, whatever it waits for
//
// The kernel takes both away when the thread's process ends, by any means; at the end of a thread alone its mutex becomes
// abandoned, and the process closes both.
#pragma once

#include <cstdint>

#include "platform/windows/kernel_object.h"

namespace procshare {

struct ThreadToken {
  uint64_t id;  // not zero, and no other thread's, now or later; the lowest two bits are clear
  Handle alive;
  Handle wake;  // auto-reset
};

// The calling thread's; null when the system refuses.
const ThreadToken* CurrentThread();

// Whether the thread with that id has ended. When the system does not tell, it has not.
bool HasEnded(uint64_t id);

// The mutex that becomes free when that thread ends; a thread that gets it releases it again. Invalid when the thread has ended, and when
// the system refuses: `*ended` says which.
Handle OpenLifeOf(uint64_t id, bool* ended);

// Wakes the thread from its sleep, or from the next one. False when it has ended.
bool WakeThread(uint64_t id);

}  // namespace procshare
