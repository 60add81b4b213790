// What one JavaScript environment (the main thread or a worker) owns. The only mutable state of the addon that is not in
// shared memory, but for the table of fast_slots.h.
#pragma once

#include <napi.h>

#include <cstdint>
#include <unordered_map>
#include <unordered_set>

namespace procshare {

class SegmentHolder;
class LockBinding;

class AddonState {
 public:
  static AddonState* Of(napi_env env);
  explicit AddonState(Napi::Env env);

  Napi::Env env() const { return env_; }

  std::unordered_set<SegmentHolder*> segments;

  // Locks by number, so that a wake-up on its way from a thread can outlive the lock that it is for.
  std::unordered_map<uint64_t, LockBinding*> locks;
  uint64_t next_lock_id = 1;

  // pid << 32 | Node thread id: what this environment writes into the locks it takes.
  uint64_t owner = 0;

  napi_threadsafe_function wake() const { return wake_; }

  // Ends the holds of all segments (names go if we were the last), leaving every mapping in place.
  void DropHolds();

 private:
  static void OnEnvironmentEnd(void* data);
  static void OnWake(napi_env env, napi_value callback, void* context, void* data);

  Napi::Env env_;
  napi_threadsafe_function wake_ = nullptr;  // how waiting threads reach this environment's event loop
};

}  // namespace procshare
