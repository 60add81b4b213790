// Where a robust mutex lives. 96 bytes hold the mutex of every supported system (POSIX: at most 64), so that layouts are
// the same everywhere.
#pragma once

#include <cstddef>
#include <cstdint>

namespace procshare {

struct alignas(16) RobustMutexStorage {
  uint8_t bytes[96];
};

}  // namespace procshare
