// Waiting for the end of another process by a descriptor.
#pragma once

#include <cstdint>

namespace procshare {

// -1 when the system has no such descriptor, or the process has ended.
int OpenProcessWatch(uint32_t pid);

// Returns when the process has ended.
void AwaitProcessWatch(int descriptor);

}  // namespace procshare
