// LockBinding: one lock of a segment, as one environment uses it from JavaScript.
#pragma once

#include <napi.h>

#include <memory>

#include "js/addon_state.h"
#include "js/segment_functions.h"
#include "shm/shared_lock.h"

namespace procshare {

class LockBinding final : public ObjectBinding {
 public:
  LockBinding(SegmentBinding* segment_binding, LockCell* cell);
  ~LockBinding() override;

  bool unbound() const { return mapping_ == nullptr; }
  uint32_t index() const { return index_; }
  uint32_t wait() const { return wait_; }
  const SharedLock& lock() const { return lock_; }

  // Blocks the thread.
  MutexOutcome Acquire(Deadline deadline);

  // Releases the lock, if this environment owns it, as abandoned.
  void Abandon();

  // Reserves the lock for this environment; see SharedLock::Reserve().
  void Reserve() {
    lock_.Reserve(state_->fast_path().owner);
    has_reserved_ = true;
  }
  void Unreserve() {
    if (has_reserved_) lock_.Unreserve(state_->fast_path().owner);
    has_reserved_ = false;
  }

  // Ends the wait of this environment for the lock.
  void CancelReservation() override { Unreserve(); }

  // Requires: this environment owns the lock. The next acquisition returns "abandoned".
  void MarkAbandoned() { lock_.MarkAbandoned(); }

  // The environment ends, or has closed its last object: abandons the lock if it owns it, and unmaps.
  bool Unbind() override;

 private:
  MutexOutcome Note(MutexOutcome outcome);

  const StateReference state_;
  SegmentBinding* const segment_binding_;   // has the members that own the mutex, if owners are members
  std::shared_ptr<MemoryMapping> mapping_;  // keeps the cell in place
  SharedLock lock_;
  const uint32_t index_;  // in AddonState::lock_table()
  const uint32_t wait_;   // in AddonState::waits()
  bool has_reserved_ = false;
};

void ExportLockFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
