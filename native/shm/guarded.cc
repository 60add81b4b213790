#include "shm/guarded.h"

namespace procshare {
namespace {

constexpr int kSpins = 200;  // a transaction is shorter, unless its thread was preempted

MutexOutcome Take(GuardedCell* cell, Members* owners, MutexWait mutex_wait) {
  const MutexOutcome outcome = RobustMutexSpin(&cell->mutex, owners, kSpins);
  if (outcome != MutexOutcome::kBusy || mutex_wait == MutexWait::kBrief) return outcome;
  return RobustMutexAcquire(&cell->mutex, owners, Deadline::Never());
}

}  // namespace

bool InitGuarded(GuardedCell* cell, MutexKind kind) { return RobustMutexInit(&cell->mutex, kind); }

bool GuardedLooksSound(const GuardedCell* cell, const Members* owners) {
  return RobustMutexLooksSound(&cell->mutex, owners);
}

Guard::Guard(GuardedCell* cell, size_t byte_length, Members* owners, MutexWait mutex_wait) : cell_(cell), owners_(owners) {
  held_ = IsAcquired(Take(cell, owners, mutex_wait));
  // It does not matter whether the last owner died: only the journal tells what to undo.
  if (held_ && cell->journal_count.load(std::memory_order_relaxed) != 0 && !Undo(byte_length)) Release();
}

bool Guard::Undo(size_t byte_length) {
  const uint64_t count = cell_->journal_count.load(std::memory_order_relaxed);
  if (count > kJournalEntries) return false;
  for (uint64_t i = count; i-- > 0;) {
    const uint64_t offset = cell_->journal[i].offset.load(std::memory_order_relaxed);  // once: another process may change it
    const bool inside = offset >= sizeof(GuardedCell) && offset <= byte_length - sizeof(uint64_t);
    if (!inside || offset % sizeof(uint64_t) != 0) return false;
    reinterpret_cast<std::atomic<uint64_t>*>(reinterpret_cast<uint8_t*>(cell_) + offset)
        ->store(cell_->journal[i].old_value.load(std::memory_order_relaxed), std::memory_order_relaxed);
  }
  Commit();
  return true;
}

}  // namespace procshare
