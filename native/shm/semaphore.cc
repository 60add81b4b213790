#include "shm/semaphore.h"

#include <algorithm>

namespace procshare {
namespace {

uint64_t Load(const std::atomic<uint64_t>& word) { return word.load(std::memory_order_relaxed); }

size_t LedgerBytes(size_t byte_length) { return byte_length - offsetof(SemaphoreCell, ledger); }

}  // namespace

bool Semaphore::Init(SemaphoreCell* cell, uint64_t value, uint64_t limit, uint64_t records, MutexKind kind) {
  cell->value.store(value, std::memory_order_relaxed);
  cell->limit.store(limit, std::memory_order_relaxed);
  cell->ledger.capacity.store(records, std::memory_order_relaxed);
  return InitGuarded(&cell->guarded, kind);
}

Semaphore::Semaphore(SemaphoreCell* cell, size_t byte_length, Members* members)
    : cell_(cell),
      byte_length_(byte_length),
      capacity_(LedgerView::CapacityOf(&cell->ledger, LedgerBytes(byte_length))),
      ledger_(&cell->ledger, capacity_),
      members_(members) {}

bool Semaphore::LooksSound() const {
  return capacity_ != UINT64_MAX && GuardedLooksSound(&cell_->guarded, members_->owners());
}

SemaphoreOutcome Semaphore::TryAcquire(uint64_t units) {
  // Read without the mutex: an attempt may fail for any reason.
  if (!recoverable() && value() < units && JournalIsEmpty(&cell_->guarded)) return SemaphoreOutcome::kBusy;
  const uint64_t self = recoverable() ? members_->self() : 0;
  if (recoverable() && self == 0) return SemaphoreOutcome::kFull;
  Guard guard(&cell_->guarded, byte_length_, members_->owners());
  if (!guard.held()) return SemaphoreOutcome::kBroken;
  bool recovered = value() < units && ReclaimUnits(&guard);
  if (value() < units) {
    guard.Release();
    if (recovered) WakeAnnounced(wake());
    return SemaphoreOutcome::kBusy;
  }
  if (recoverable()) {
    LedgerRecord* record = ledger_.FindOrTake(&guard, self, 0);
    if (record == nullptr && ReclaimUnits(&guard)) {
      recovered = true;
      record = ledger_.FindOrTake(&guard, self, 0);
    }
    if (record == nullptr) return SemaphoreOutcome::kFull;
    guard.Set(&record->count, Load(record->count) + units);
  }
  guard.Set(&cell_->value, value() - units);
  guard.Commit();
  guard.Release();
  if (recovered) WakeAnnounced(wake());  // there may be units left
  return SemaphoreOutcome::kDone;
}

SemaphoreOutcome Semaphore::Release(uint64_t units) {
  {
    Guard guard(&cell_->guarded, byte_length_, members_->owners());
    if (!guard.held()) return SemaphoreOutcome::kBroken;
    if (units > limit() || value() > limit() - units) return SemaphoreOutcome::kTooMany;
    if (recoverable()) {
      LedgerRecord* const record = ledger_.Find(members_->self(), 0);
      const uint64_t held = record == nullptr ? 0 : Load(record->count);
      if (held < units) return SemaphoreOutcome::kNotHeld;
      if (held == units) {
        ledger_.Free(&guard, record);
      } else {
        guard.Set(&record->count, held - units);
      }
    }
    guard.Set(&cell_->value, value() + units);
    guard.Commit();
  }
  WakeAnnounced(wake());
  return SemaphoreOutcome::kDone;
}

void Semaphore::ReapDead() {
  if (!recoverable()) return RepairIfTorn(&cell_->guarded, byte_length_, members_->owners());
  Guard guard(&cell_->guarded, byte_length_, members_->owners(), MutexWait::kBrief);
  if (!guard.held() || !ReclaimUnits(&guard)) return;
  guard.Release();
  WakeAnnounced(wake());
}

// True when units were returned.
bool Semaphore::ReclaimUnits(Guard* guard) {
  if (!recoverable()) return false;
  bool any = false;
  for (bool found = true; found;) {
    found = false;
    ledger_.ForEach([&](LedgerRecord* record) {
      if (members_->IsMember(Load(record->member))) return true;
      const uint64_t room = limit() - std::min(value(), limit());  // large enough, unless the bytes were damaged
      guard->Set(&cell_->value, value() + std::min(Load(record->count), room));
      ledger_.Free(guard, record);
      guard->Commit();
      any = found = true;
      return false;
    });
  }
  return any;
}

}  // namespace procshare
