// What one JavaScript environment (the main thread or a worker) owns. The only mutable state of the addon
// that is not in shared memory, but for the table of fast_slots.h.
#pragma once

#include <napi.h>

#include <cstdint>
#include <unordered_map>
#include <unordered_set>

#include "js/lock_table.h"
#include "platform/named_memory.h"

namespace procshare {

class SegmentHolder;
class LockBinding;

class AddonState {
 public:
  static AddonState* Of(napi_env env);
  explicit AddonState(Napi::Env env);
  ~AddonState();

  // Segments that are open, by what they mean: to find the one that is attached to once more.
  std::unordered_multimap<MemoryIdentity, SegmentHolder*, MemoryIdentityHash> open_segments;

  std::unordered_set<LockBinding*> locks;
  LockTable& lock_table() { return lock_table_; }
  int slot() const { return slot_; }
  FastPath& fast_path() { return fast_path_; }
  Napi::Value selection() const { return selection_.Value(); }

  // Called on the event loop with the index of a lock for which it is worth while to try again.
  Napi::FunctionReference on_wake;
  // How waiting threads get there; the data is the index.
  napi_threadsafe_function wake() const { return wake_; }

  // Ends the holds of all segments (names go if we were the last), leaving every mapping in place.
  void DropHolds();

 private:
  static void OnEnvironmentEnd(void* data);
  static void OnWake(napi_env env, napi_value callback, void* context, void* data);

  const int slot_;
  FastPath own_fast_path_;  // of an environment for which there was no slot
  FastPath& fast_path_;
  LockTable lock_table_;
  Napi::Reference<Napi::ArrayBuffer> selection_;
  napi_threadsafe_function wake_ = nullptr;
};

}  // namespace procshare
