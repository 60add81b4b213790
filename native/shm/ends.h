// Ends: which members have which end of a pipe open. The other side only checks whether any member has it open.
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

  // Counts one more object of this member on an end. False when there is no record for one more member.
  bool Open(uint64_t end);
  void Close(uint64_t end);

  // Whether a member, alive or dead, has the end open. Reads without the mutex.
  bool IsOpen(uint64_t end) const;

  // Frees the records of dead members.
  void ReapDead(MutexWait mutex_wait = MutexWait::kUnlimited);
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
