#include "shm/ledger.h"

#include "platform/deadline.h"

namespace procshare {

bool ClaimReaping(Ledger* ledger) {
  constexpr uint64_t kPeriodNs = 40'000'000;  // a little less than a heartbeat: a single waiter reaps at each of its own
  const auto now = static_cast<uint64_t>(Deadline::AfterMs(0).since_epoch_ns());
  uint64_t last = ledger->reaped_at.load(std::memory_order_relaxed);
  if (now - last < kPeriodNs) return false;  // unsigned: a time in the future, which is damaged, counts as long ago
  return ledger->reaped_at.compare_exchange_strong(last, now, std::memory_order_relaxed);
}

LedgerRecord* LedgerView::Find(uint64_t member, uint64_t key) const {
  LedgerRecord* found = nullptr;
  ForEach([&](LedgerRecord* record) {
    const bool match =
        record->member.load(std::memory_order_relaxed) == member && record->key.load(std::memory_order_relaxed) == key;
    if (match) found = record;
    return !match;
  });
  return found;
}

LedgerRecord* LedgerView::FindOrTake(Guard* guard, uint64_t member, uint64_t key) {
  LedgerRecord* const found = Find(member, key);
  if (found != nullptr) return found;
  const uint64_t count = used();
  uint64_t index = 0;
  while (index < count && at(index)->member.load(std::memory_order_relaxed) != 0) ++index;
  if (index == capacity_) return nullptr;
  LedgerRecord* const record = at(index);
  // Stored without the journal: the fields of a free record mean nothing, so there is nothing to undo.
  record->key.store(key, std::memory_order_relaxed);
  record->count.store(0, std::memory_order_relaxed);
  record->granted.store(0, std::memory_order_relaxed);
  record->outcome.store(0, std::memory_order_relaxed);
  if (index == count) guard->Set(&ledger_->used, count + 1);
  guard->Set(&record->member, member);
  return record;
}

void LedgerView::Free(Guard* guard, LedgerRecord* record) {
  guard->Set(&record->member, 0);
  uint64_t count = used();
  while (count > 0 && at(count - 1)->member.load(std::memory_order_relaxed) == 0) --count;
  if (count != ledger_->used.load(std::memory_order_relaxed)) guard->Set(&ledger_->used, count);
}

}  // namespace procshare
