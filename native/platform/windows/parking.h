// Sleeping on words and on a mutex of the system at once. See futex.cc.
#pragma once

#include "platform/futex.h"
#include "platform/windows/kernel_object.h"

namespace procshare {

// Like FutexWaitAny(). When `mutex` is not null, it ends the sleep, too: then the caller has it, and `*has_mutex` is true.
WaitOutcome SleepOnWords(const WaitTarget* targets, size_t count, Deadline deadline, HANDLE mutex, bool* has_mutex);

}  // namespace procshare
