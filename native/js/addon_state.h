// What one JavaScript environment (the main thread or a worker) owns. The only mutable state of the addon
// that is not in shared memory, but for the table of fast_slots.h.
#pragma once

#include <napi.h>

#include <cstdint>
#include <unordered_map>
#include <unordered_set>

#include "js/lock_table.h"
#include "js/weak_external.h"
#include "platform/named_memory.h"
#include "shm/waits.h"

namespace procshare {

class SegmentBinding;

// Something on a segment that must let go of it before its environment ends.
class ObjectBinding {
 public:
  virtual ~ObjectBinding() = default;
  WeakExternal external;  // what JavaScript has of it
  // Takes back what others would wait for in vain. Anything may follow.
  virtual void CancelReservation() {}
  // Nothing but destruction may follow. False when that was done before.
  virtual bool Unbind() = 0;
};

// Lives as long as its environment and everything of it that JavaScript can hold: Node finalizes the environment's data after
// all these, Bun before them.
class AddonState {
 public:
  static AddonState* Of(napi_env env);
  static void Make(Napi::Env env);

  void Ref() { ++users_; }
  void Unref() {
    if (--users_ == 0) delete this;
  }

  // Segments that are open, by what they mean: to find the one that is attached to once more.
  std::unordered_multimap<MemoryIdentity, SegmentBinding*, MemoryIdentityHash> open_segments;

  // Those that have something to let go of; see collected.h.
  std::unordered_set<SegmentBinding*> segment_bindings;
  std::unordered_set<ObjectBinding*> bindings;
  static constexpr size_t kMinReclaimInterval = 64;
  size_t created_since_reclaim = 0;  // holders
  size_t reclaim_after = kMinReclaimInterval;
  Waits& waits() { return waits_; }
  LockTable& lock_table() { return lock_table_; }
  QueueTable& queue_table() { return queue_table_; }
  int slot() const { return slot_; }
  FastPath& fast_path() { return fast_path_; }
  Napi::Value selection() const { return selection_.Value(); }

  // Called on the event loop with the id of a wait for which trying again is worth while.
  Napi::FunctionReference on_wake;
  // How waiting threads get there; the data is the id.
  napi_threadsafe_function wake() const { return wake_; }

  // Numbers and bytes that calls exchange with JavaScript without making values of them; see lib/native.ts.
  Napi::Value exchange() const { return exchange_.Value(); }
  double* exchange_words() const { return static_cast<double*>(exchange_data_); }
  uint8_t* exchange_bytes() const { return static_cast<uint8_t*>(exchange_data_) + kExchangeWords * sizeof(double); }
  static constexpr size_t kExchangeWords = 8;
  static constexpr size_t kExchangeBytes = 64 * 1024;

  // Takes back what others would wait for in vain, and stops keeping the names of all segments (they go if we were the last),
  // leaving every mapping in place. Nobody is woken any more. The process is about to end: until then it stays a member.
  void DetachAll();

 private:
  explicit AddonState(Napi::Env env);
  ~AddonState();

  static void Finalize(Napi::Env env, AddonState* state);
  static void OnEnvironmentEnd(void* data);
  static void OnWake(napi_env env, napi_value callback, void* context, void* data);

  int users_ = 1;
  const int slot_;
  FastPath own_fast_path_;  // of an environment for which there was no slot
  FastPath& fast_path_;
  LockTable lock_table_;
  QueueTable queue_table_;
  Napi::Reference<Napi::ArrayBuffer> selection_;
  Napi::Reference<Napi::ArrayBuffer> exchange_;
  void* exchange_data_ = nullptr;
  napi_threadsafe_function wake_ = nullptr;
  Waits waits_;
};

// The state, kept by something that uses it.
class StateReference {
 public:
  explicit StateReference(AddonState* state) : state_(state) { state_->Ref(); }
  ~StateReference() { state_->Unref(); }
  StateReference(const StateReference&) = delete;
  StateReference& operator=(const StateReference&) = delete;
  AddonState* operator->() const { return state_; }
  AddonState* get() const { return state_; }

 private:
  AddonState* const state_;
};

}  // namespace procshare
