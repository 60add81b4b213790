// The members of shared memory: who is attached to it and known to be, by a number that no other member ever gets.
//
// The system knows which of them live (NamedMemory::IsMember), in all pid namespaces.
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

  // Who owns the mutexes of this memory: its members, or null where owners are threads that the kernel knows.
  virtual Members* owners() = 0;
};

}  // namespace procshare
