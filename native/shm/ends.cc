#include "shm/ends.h"

namespace procshare {
namespace {

uint64_t Load(const std::atomic<uint64_t>& word) { return word.load(std::memory_order_relaxed); }

}  // namespace

bool Ends::Init(EndsCell* cell, uint64_t records, MutexKind kind) {
  cell->ledger.capacity.store(records, std::memory_order_relaxed);
  return InitGuarded(&cell->guarded, kind);
}

Ends::Ends(EndsCell* cell, size_t byte_length, Members* members)
    : cell_(cell),
      byte_length_(byte_length),
      capacity_(LedgerView::CapacityOf(&cell->ledger, byte_length - offsetof(EndsCell, ledger))),
      ledger_(&cell->ledger, capacity_),
      members_(members) {}

bool Ends::LooksSound() const { return capacity_ != UINT64_MAX && GuardedLooksSound(&cell_->guarded, members_->owners()); }

bool Ends::Open(uint64_t end) {
  const uint64_t self = members_->self();
  if (self == 0) return false;
  for (bool again = true;; again = false) {
    {
      Guard guard(&cell_->guarded, byte_length_, members_->owners());
      if (!guard.held()) return false;
      LedgerRecord* const record = ledger_.FindOrTake(&guard, self, end);
      if (record != nullptr) {
        guard.Set(&record->count, Load(record->count) + 1);
        guard.Commit();
        return true;
      }
    }
    if (!again) return false;
    ReapDead();
  }
}

void Ends::Close(uint64_t end) {
  Guard guard(&cell_->guarded, byte_length_, members_->owners());
  if (!guard.held()) return;
  LedgerRecord* const record = ledger_.Find(members_->self(), end);
  if (record == nullptr) return;
  const uint64_t count = Load(record->count);
  if (count > 1) {
    guard.Set(&record->count, count - 1);
  } else {
    ledger_.Free(&guard, record);
  }
  guard.Commit();
}

bool Ends::IsOpen(uint64_t end) const {
  bool held = false;
  ledger_.ForEach([&](LedgerRecord* record) {
    held = Load(record->key) == end;
    return !held;
  });
  return held;
}

void Ends::ReapDead(MutexWait mutex_wait) {
  Guard guard(&cell_->guarded, byte_length_, members_->owners(), mutex_wait);
  if (!guard.held()) return;
  for (bool found = true; found;) {
    found = false;
    ledger_.ForEach([&](LedgerRecord* record) {
      if (members_->IsMember(Load(record->member))) return true;
      ledger_.Free(&guard, record);
      guard.Commit();
      found = true;
      return false;
    });
  }
}

}  // namespace procshare
