// The identity of a thread for other processes: a random number, under which two kernel objects exist for as long as the thread
// lives.
//
//   t  a mutex that it owns and never releases: another thread can sleep on it, and gets it only when this one has ended
//   e  an event on which it sleeps, whatever it waits for
//
// The kernel removes both when the process of the thread ends, by any means. When only the thread ends, its mutex becomes
// abandoned, and the process closes both.
#pragma once

#include <cstdint>

#include "platform/windows/kernel_object.h"

namespace procshare {

struct ThreadToken {
  uint64_t id;  // not zero; no other thread ever has it; the lowest two bits are clear
  Handle alive;
  Handle wake;  // auto-reset
};

// The token of the calling thread; null when the system refuses.
const ThreadToken* CurrentThread();

// Whether the thread with that id has ended. False when the system does not tell.
bool HasEnded(uint64_t id);

// The mutex that becomes free when that thread ends; a thread that gets it releases it again. Invalid when the thread has ended,
// or when the system refuses; `*ended` distinguishes the two.
Handle OpenLifeOf(uint64_t id, bool* ended);

// Wakes the thread from its sleep, or from the next one. False when it has ended.
bool WakeThread(uint64_t id);

}  // namespace procshare
