#include "shm/semaphore.h"

namespace procshare {
namespace {

uint64_t Load(const std::atomic<uint64_t>& word) { return word.load(std::memory_order_relaxed); }

size_t LedgerBytes(size_t byte_length) { return byte_length - offsetof(SemaphoreCell, ledger); }

}  // namespace

bool Semaphore::Init(SemaphoreCell* cell, uint64_t value, uint64_t limit, uint64_t records) {
  cell->value.store(value, std::memory_order_relaxed);
  cell->limit.store(limit, std::memory_order_relaxed);
  cell->ledger.capacity.store(records, std::memory_order_relaxed);
  return InitGuarded(&cell->guarded);
}

Semaphore::Semaphore(SemaphoreCell* cell, size_t byte_length, Members* members)
    : cell_(cell),
      byte_length_(byte_length),
      capacity_(LedgerView::CapacityOf(&cell->ledger, LedgerBytes(byte_length))),
      ledger_(&cell->ledger, capacity_),
      members_(members) {}

bool Semaphore::LooksSound() const { return capacity_ != UINT64_MAX && GuardedLooksSound(&cell_->guarded); }

SemaphoreOutcome Semaphore::TryAcquire(uint64_t units) {
  if (!recoverable() && value() < units) return SemaphoreOutcome::kBusy;  // a look: an attempt may fail for any reason
  Guard guard(&cell_->guarded, byte_length_);
  if (!guard.held()) return SemaphoreOutcome::kBroken;
  if (value() < units && !(RecoverUnder(&guard) && value() >= units)) return SemaphoreOutcome::kBusy;
  if (recoverable()) {
    LedgerRecord* const record = ledger_.FindOrTake(&guard, members_->self(), 0);
    if (record == nullptr || members_->self() == 0) return SemaphoreOutcome::kFull;
    guard.Set(&record->count, Load(record->count) + units);
  }
  guard.Set(&cell_->value, value() - units);
  guard.Commit();
  return SemaphoreOutcome::kDone;
}

SemaphoreOutcome Semaphore::Release(uint64_t units) {
  {
    Guard guard(&cell_->guarded, byte_length_);
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

bool Semaphore::Recover() {
  if (recoverable()) {
    Guard guard(&cell_->guarded, byte_length_);
    if (guard.held()) (void)RecoverUnder(&guard);
  }
  return value() > 0;
}

// True when units have come back.
bool Semaphore::RecoverUnder(Guard* guard) {
  if (!recoverable()) return false;
  bool any = false;
  for (bool found = true; found;) {
    found = false;
    ledger_.ForEach([&](LedgerRecord* record) {
      if (members_->IsMember(Load(record->member))) return true;
      guard->Set(&cell_->value, value() + Load(record->count));
      ledger_.Free(guard, record);
      guard->Commit();
      any = found = true;
      return false;
    });
  }
  return any;
}

}  // namespace procshare
