// Sleeping on words and on something else of the system's at once. See futex.cc.
#pragma once

#include "platform/futex.h"
#include "platform/windows/kernel_object.h"

namespace procshare {

// As FutexWaitAny(). `mutex`, when it is not null, ends the sleep, too: the caller has it then, and `*has_mutex` is true.
WaitOutcome SleepOnWords(const WaitTarget* targets, size_t count, Deadline deadline, HANDLE mutex, bool* has_mutex);

}  // namespace procshare
