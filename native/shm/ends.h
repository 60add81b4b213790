// Ends: which members hold which end of a pipe. What the other side knows of a member's end is whether anybody holds it.
#pragma once

#include <cstdint>

#include "shm/ledger.h"

namespace procshare {

class Ends {
 public:
  static size_t BytesFor(uint64_t records) { return (sizeof(EndsCell) + LedgerView::BytesFor(records) + 63) / 64 * 64; }
  static bool Init(EndsCell* cell, uint64_t records, MutexKind kind);

  Ends(EndsCell* cell, size_t byte_length, Members* members);
  bool LooksSound() const;

  // One more handle of this member for an end; false when there is no room for one more member.
  bool Open(uint64_t end);
  void Close(uint64_t end);

  // Whether a member, living or dead, has the end. A cheap look without the mutex.
  bool IsOpen(uint64_t end) const;

  // Takes the records of the dead away.
  void ReapDead(MutexWait patience = MutexWait::kUnlimited);
  void ReapDeadIfDue() {
    if (ClaimReaping(&cell_->ledger)) ReapDead(MutexWait::kBrief);
  }

 private:
  EndsCell* const cell_;
  const size_t byte_length_;
  const uint64_t capacity_;
  LedgerView ledger_;
  Members* const members_;
};

}  // namespace procshare
