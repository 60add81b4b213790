// The storage of a robust mutex. 96 bytes are enough for the mutex of every supported system (POSIX: at most 64). So layouts are
// the same on all systems.
#pragma once

#include <cstddef>
#include <cstdint>

namespace procshare {

struct alignas(16) RobustMutexStorage {
  uint8_t bytes[96];
};

}  // namespace procshare
