// Who a process is: a pid alone is reused, a pid with the time at which its process started is not.
#pragma once

#include <cstdint>

namespace procshare {

struct ProcessIdentity {
  uint32_t pid = 0;
  uint64_t start_time = 0;  // in the system's own units; only good for comparing
};

ProcessIdentity CurrentProcess();

// The pid namespace of this process, a number that no other one has as long as a process lives in it; the same for all
// processes where there are no such namespaces. 0 when it cannot be known.
uint64_t PidNamespace();

// The process that started this one, or its successor after that one ended.
uint32_t ParentPid();

// 64 bits that no other call, here or in another process, gets.
uint64_t RandomId();

// Ends this process when `parent` ends: a thread of its own waits for that, and kills the process if it is still there
// `grace_ms` later. To be called once. False when the parent is gone already, or there can be no such thread.
bool EndWithParent(uint32_t parent, uint32_t grace_ms);

}  // namespace procshare
