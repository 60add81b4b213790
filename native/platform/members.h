// The numbered members of shared memory: environments that are attached to it. No two members ever have the same number. The
// system can tell in all pid namespaces which of them live (NamedMemory::IsMember).
#pragma once

#include <cstdint>

namespace procshare {

class Members {
 public:
  virtual ~Members() = default;

  // The number of this member, below 2^61; 0 when the system refuses, or after it has closed.
  virtual uint64_t self() = 0;

  // Whether `member` lives. Any thread may ask.
  virtual bool IsMember(uint64_t member) const = 0;

  // The owners of the mutexes of this memory: its members, or null where the owners are threads.
  virtual Members* owners() = 0;
};

}  // namespace procshare
