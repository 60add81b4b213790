// LockBinding: one lock of a segment, as one environment uses it from JavaScript.
#pragma once

#include <napi.h>

#include <memory>

#include "js/addon_state.h"
#include "js/lock_waiter.h"
#include "shm/segment.h"
#include "shm/shared_lock.h"

namespace procshare {

class LockBinding {
 public:
  LockBinding(AddonState* state, const Segment& segment, LockCell* cell, Napi::Function on_wake);
  ~LockBinding();

  // The functions that JavaScript calls, and `self`, which keeps them valid.
  static Napi::Object Export(Napi::Env env, LockBinding* binding);

  // The functions of the fast path, on the lock that JavaScript has selected. See AddonState.
  static void ExportFast(Napi::Env env, Napi::Object exports);

  // On the event loop, after the waiter thread asked for it.
  void NotifyJavaScript();

  // The environment ends, or has closed its last handle: no thread stays, what it holds is handed on as abandoned, and the
  // memory is let go. Nothing but destruction may follow.
  void End();

 private:
  static napi_value TryAcquire(napi_env env, AddonState* state);
  static napi_value Release(napi_env env, AddonState* state);
  static Napi::Value Acquire(const Napi::CallbackInfo& info);
  static Napi::Value TryAcquireOrAwait(const Napi::CallbackInfo& info);
  static Napi::Value StopAwaiting(const Napi::CallbackInfo& info);
  static Napi::Value Abandon(const Napi::CallbackInfo& info);
  static Napi::Value EndFromJavaScript(const Napi::CallbackInfo& info);
  static Napi::Value State(const Napi::CallbackInfo& info);
  static Napi::Value Owner(const Napi::CallbackInfo& info);

  bool Took(MutexOutcome outcome) {
    held_ = held_ || outcome == MutexOutcome::kAcquired || outcome == MutexOutcome::kAbandoned;
    return held_;
  }
  void AbandonIfHeld();
  void SetAwaited(bool awaited);

  AddonState* const state_;
  std::shared_ptr<MemoryMapping> mapping_;  // keeps the cell in place
  SharedLock lock_;
  bool held_ = false;  // by this environment's thread
  const uint64_t id_;
  uint32_t index_;  // in AddonState::lock_table
  // Weak while nobody waits, or JavaScript and this would keep each other for ever; strong while somebody does, because a
  // pending promise alone keeps nothing.
  Napi::FunctionReference on_wake_;
  bool awaited_ = false;
  LockWaiter waiter_;
};

void ExportLockFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
