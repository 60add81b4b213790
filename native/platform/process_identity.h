// The identity of a process. A pid alone is reused; a pid together with the start time of its process is not.
#pragma once

#include <cstdint>

namespace procshare {

struct ProcessIdentity {
  uint32_t pid = 0;
  uint64_t start_time = 0;  // in units of the system; only for comparisons
};

ProcessIdentity CurrentProcess();

// A number for the pid namespace of this process. No other namespace has it as long as a process lives in this one. Where there
// are no such namespaces, all processes get the same number. 0 when it is unknown.
uint64_t PidNamespace();

// The process that started this one, or the process that adopted this one after that.
uint32_t ParentPid();

// 64 bits that no other call, in this or another process, returns.
uint64_t RandomId();

// Ends this process when `parent` ends: a separate thread waits for that, and kills this process if it still runs `grace_ms`
// later. Called once. False when the parent has ended already, or no thread can be started.
bool EndWithParent(uint32_t parent, uint32_t grace_ms);

}  // namespace procshare
