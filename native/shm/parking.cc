#include "shm/parking.h"

#include <algorithm>

#include "platform/futex.h"

namespace procshare {
namespace {

uint64_t Load(const std::atomic<uint64_t>& word) { return word.load(std::memory_order_relaxed); }

// The number of waits that have not been granted.
uint64_t WaitingOf(const LedgerRecord* record) {
  const uint64_t count = Load(record->count);
  return count - std::min(Load(record->granted), count);
}

void WakeRecord(LedgerRecord* record) {
  record->grant_word.fetch_add(1, std::memory_order_release);
  FutexWake(&record->grant_word, kWakeAll);
}

}  // namespace

LedgerRecord* Parking::Park(uint64_t key, uint64_t excluded_key) {
  const uint64_t self = members_->self();
  if (self == 0) return nullptr;
  LedgerRecord* record = ledger_.FindOrTake(guard_, self, key);
  if (record == nullptr) {
    if (!ReapDead(excluded_key)) return nullptr;
    record = ledger_.FindOrTake(guard_, self, key);
    if (record == nullptr) return nullptr;
  }
  guard_->Set(&record->count, Load(record->count) + 1);
  guard_->Commit();
  return record;
}

uint64_t Parking::Unpark(uint64_t key, uint64_t count, uint64_t outcome) {
  uint64_t woken = 0;
  for (bool found = true; found && woken < count;) {
    found = false;
    ledger_.ForEachInTurn([&](LedgerRecord* record) {
      const uint64_t waiting = Load(record->key) == key ? WaitingOf(record) : 0;
      if (waiting == 0) return true;
      found = true;
      if (!members_->IsMember(Load(record->member))) {
        ReapRecord(record);
        return false;  // the records have changed: begin again
      }
      const uint64_t share = std::min(waiting, count - woken);
      guard_->Set(&record->granted, Load(record->granted) + share);
      guard_->Set(&record->outcome, outcome);
      guard_->Commit();
      WakeRecord(record);
      woken += share;
      return woken < count;
    });
  }
  return woken;
}

void Parking::RemoveWait(LedgerRecord* record, uint64_t granted) {
  const uint64_t count = Load(record->count);
  if (count <= 1) {
    ledger_.Free(guard_, record);
  } else {
    guard_->Set(&record->count, count - 1);
    guard_->Set(&record->granted, granted);
  }
  guard_->Commit();
}

bool Parking::Take(uint64_t key, uint64_t* outcome) {
  LedgerRecord* const record = ledger_.Find(members_->self(), key);
  if (record == nullptr) return false;
  const uint64_t granted = Load(record->granted);
  if (granted == 0) return false;
  *outcome = Load(record->outcome);
  RemoveWait(record, granted - 1);
  return true;
}

bool Parking::Cancel(uint64_t key, uint64_t* outcome) {
  LedgerRecord* const record = ledger_.Find(members_->self(), key);
  if (record == nullptr) return false;
  if (Load(record->granted) >= Load(record->count)) return Take(key, outcome);
  RemoveWait(record, Load(record->granted));
  return false;
}

void Parking::ReapRecord(LedgerRecord* record) {
  uint64_t left = std::min(Load(record->granted), Load(record->count));
  guard_->Set(&record->count, left);  // its other waits are over
  guard_->Set(&record->granted, left);
  guard_->Commit();
  while (left > 0) {
    LedgerRecord* recipient = nullptr;
    ledger_.ForEachInTurn([&](LedgerRecord* other) {
      const bool waits = Load(other->key) == Load(record->key) && WaitingOf(other) > 0;
      if (waits && members_->IsMember(Load(other->member))) recipient = other;
      return recipient == nullptr;
    });
    if (recipient == nullptr) break;
    const uint64_t share = std::min(WaitingOf(recipient), left);
    left -= share;
    guard_->Set(&recipient->granted, Load(recipient->granted) + share);
    guard_->Set(&recipient->outcome, Load(record->outcome));
    guard_->Set(&record->granted, left);
    guard_->Set(&record->count, left);
    guard_->Commit();
    WakeRecord(recipient);
  }
  ledger_.Free(guard_, record);
  guard_->Commit();
}

bool Parking::ReapDead(uint64_t excluded_key) {
  bool any = false;
  for (bool found = true; found;) {
    found = false;
    ledger_.ForEach([&](LedgerRecord* record) {
      const bool excluded = excluded_key != kNoKey && Load(record->key) == excluded_key;
      if (excluded || members_->IsMember(Load(record->member))) return true;
      ReapRecord(record);
      any = found = true;
      return false;
    });
  }
  return any;
}

}  // namespace procshare
