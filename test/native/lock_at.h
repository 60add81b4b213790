// The lock at an offset of a segment's cells.
#pragma once

#include "shm/segment.h"

namespace procshare {

inline LockCell* LockAt(const Segment& segment, uint64_t offset) {
  return reinterpret_cast<LockCell*>(segment.CellAt(offset, sizeof(LockCell), alignof(LockCell)).bytes);
}

}  // namespace procshare
