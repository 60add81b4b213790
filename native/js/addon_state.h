// The state of one JavaScript environment: the main thread or a worker. Except for the table of fast_slots.h, the addon has no other
// mutable state outside of shared memory.
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

// An object in the cells of a segment, as one environment uses it.
class ObjectBinding {
 public:
  virtual ~ObjectBinding() = default;
  WeakExternal external;  // through which JavaScript refers to it
  // Cancels a reservation, for which other processes would wait without need. The object stays usable.
  virtual void CancelReservation() {}
  // Ends the use of the object; only destruction may follow. False when it was unbound before.
  virtual bool Unbind() = 0;
};

// Lives as long as its environment and all objects of it that JavaScript can reach: Node finalizes the data of the environment after
// these objects, Bun before them.
class AddonState {
 public:
  static AddonState* Of(napi_env env);
  static void Make(Napi::Env env);

  void Ref() { ++users_; }
  void Unref() {
    if (--users_ == 0) delete this;
  }

  // Open segments by identity: finds a segment that is attached again.
  std::unordered_multimap<MemoryIdentity, SegmentBinding*, MemoryIdentityHash> open_segments;

  // All bindings that may have something to reclaim; see collected.h.
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

  // Called on the event loop with the id of a wait for which an attempt may succeed.
  Napi::FunctionReference on_wake;
  // Called by waiting threads; the data is the id.
  napi_threadsafe_function wake() const { return wake_; }

  // Numbers and bytes that calls exchange with JavaScript without creating values; see lib/native.ts.
  Napi::Value exchange() const { return exchange_.Value(); }
  double* exchange_words() const { return static_cast<double*>(exchange_data_); }
  uint8_t* exchange_bytes() const { return static_cast<uint8_t*>(exchange_data_) + kExchangeWords * sizeof(double); }
  static constexpr size_t kExchangeWords = 8;
  static constexpr size_t kExchangeBytes = 64 * 1024;

  // Cancels all reservations, and stops keeping the names of all segments, which are removed if this was the last member.
  // Mappings stay, and no wait ends any more. For a process that is about to end; it stays a member until then.
  void DetachAll();

 private:
  explicit AddonState(Napi::Env env);
  ~AddonState();

  static void Finalize(Napi::Env env, AddonState* state);
  static void OnEnvironmentEnd(void* data);
  static void OnWake(napi_env env, napi_value callback, void* context, void* data);

  int users_ = 1;
  const int slot_;
  FastPath own_fast_path_;  // of an environment without a slot
  FastPath& fast_path_;
  LockTable lock_table_;
  QueueTable queue_table_;
  Napi::Reference<Napi::ArrayBuffer> selection_;
  Napi::Reference<Napi::ArrayBuffer> exchange_;
  void* exchange_data_ = nullptr;
  napi_threadsafe_function wake_ = nullptr;
  Waits waits_;
};

// A reference that keeps the state.
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
