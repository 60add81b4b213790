// What one JavaScript environment (the main thread or a worker) owns. The only mutable state of the addon that is not in
// shared memory, but for the table of fast_slots.h.
#pragma once

#include <napi.h>

#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace procshare {

class SegmentHolder;
class LockBinding;

class AddonState {
 public:
  static AddonState* Of(napi_env env);
  explicit AddonState(Napi::Env env);
  ~AddonState();

  int slot() const { return slot_; }

  std::unordered_set<SegmentHolder*> segments;

  // Locks by number, so that a wake-up on its way from a thread can outlive the lock that it is for.
  std::unordered_map<uint64_t, LockBinding*> locks;
  uint64_t next_lock_id = 1;

  // The same locks by index, for the functions of the fast path. JavaScript writes the index of the lock that it means into
  // `selected` and calls a function without arguments: one function object for all locks is a constant that V8 compiles
  // into a direct call, and reading a word costs less than unpacking an argument.
  std::vector<LockBinding*> lock_table;
  LockBinding* selected_lock() const { return lock_table[*selected_]; }
  Napi::Value selection() const { return selection_.Value(); }

  // pid << 32 | Node thread id: what this environment writes into the locks it takes.
  uint64_t owner = 0;

  napi_threadsafe_function wake() const { return wake_; }

  // Ends the holds of all segments (names go if we were the last), leaving every mapping in place.
  void DropHolds();

 private:
  static void OnEnvironmentEnd(void* data);
  static void OnWake(napi_env env, napi_value callback, void* context, void* data);

  const int slot_;
  uint32_t* selected_ = nullptr;
  Napi::Reference<Napi::ArrayBuffer> selection_;
  napi_threadsafe_function wake_ = nullptr;  // how waiting threads reach this environment's event loop
};

}  // namespace procshare
