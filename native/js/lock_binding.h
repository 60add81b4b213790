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

  // What this environment holds is handed on as abandoned.
  void Abandon();

  // The next turn, for some milliseconds, is this environment's.
  void Reserve() {
    lock_.Reserve(state_->fast_path().owner);
    has_reserved_ = true;
  }
  void Unreserve() {
    if (has_reserved_) lock_.Unreserve(state_->fast_path().owner);
    has_reserved_ = false;
  }

  // Nobody waits here any more.
  void CancelReservation() override { Unreserve(); }

  // The next owner is told that the lock, which this environment holds, was abandoned.
  void MarkAbandoned() { lock_.MarkAbandoned(); }

  // The environment ends, or has closed its last handle: what it holds is handed on as abandoned, and the memory is let go.
  bool Unbind() override;

 private:
  MutexOutcome Note(MutexOutcome outcome);

  const StateReference state_;
  SegmentBinding* const segment_binding_;   // whose members own the mutex, perhaps
  std::shared_ptr<MemoryMapping> mapping_;  // keeps the cell in place
  SharedLock lock_;
  const uint32_t index_;  // in AddonState::lock_table()
  const uint32_t wait_;   // in AddonState::waits()
  bool has_reserved_ = false;
};

void ExportLockFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
