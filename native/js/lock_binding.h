// LockBinding: one lock of a segment, as one environment uses it from JavaScript.
#pragma once

#include <napi.h>

#include <memory>

#include "js/addon_state.h"
#include "js/lock_waiter.h"
#include "platform/status.h"
#include "shm/segment.h"
#include "shm/shared_lock.h"

namespace procshare {

class LockBinding {
 public:
  LockBinding(AddonState* state, const Segment& segment, LockCell* cell);
  ~LockBinding();

  uint32_t index() const { return index_; }
  const SharedLock& lock() const { return lock_; }

  // Blocks the thread.
  MutexOutcome Acquire(Deadline deadline);

  // After kBusy the environment's on_wake is called once when trying again is worth while. EAGAIN when no
  // thread can be had.
  Result<MutexOutcome> TryAcquireOrAwait();
  void StopAwaiting() { waiter_.Disarm(); }

  // What this environment holds is handed on as abandoned.
  void Abandon();

  // The environment ends, or has closed its last handle: no thread stays, what it holds is handed on as
  // abandoned, and the memory is let go. Nothing but destruction may follow.
  void End();

 private:
  MutexOutcome Note(MutexOutcome outcome);

  AddonState* const state_;
  std::shared_ptr<MemoryMapping> mapping_;  // keeps the cell in place
  SharedLock lock_;
  const uint32_t index_;  // in AddonState::lock_table()
  LockWaiter waiter_;
};

void ExportLockFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
