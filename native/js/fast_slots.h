// Native functions that find the state of their environment without a call of Node-API.
//
// A Node-API callback gets its data pointer from napi_get_cb_info. Two of these calls take a fifth of the time of an uncontended
// lock and unlock. So the first kFastSlots environments of a process get functions of their own, compiled per slot. These find
// their object at a constant address in a table. Later environments get ordinary functions with a data pointer.
// docs/platforms/performance.md has the measurement.
#pragma once

#include <napi.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <utility>

#include "platform/compiler.h"

namespace procshare {

constexpr int kFastSlots = 64;
constexpr int kNoSlot = -1;

// `Object` is the type of the objects in the slots. `Body` is the callback: napi_value Body(napi_env, Object&).
template <class Object>
class FastSlots {
 public:
  // All environments of the process share the table; a slot belongs to one of them at a time.
  static int Take() {
    uint64_t used = used_.load(std::memory_order_relaxed);
    while (used != UINT64_MAX) {
      const int slot = TrailingZeros(~used);
      if (used_.compare_exchange_weak(used, used | uint64_t{1} << slot, std::memory_order_acquire)) return slot;
    }
    return kNoSlot;
  }

  static Object& At(int slot) { return objects_[slot]; }

  static void Return(int slot) {
    objects_[slot] = {};
    used_.fetch_and(~(uint64_t{1} << slot), std::memory_order_release);  // pairs with the acquire in Take
  }

  // The callback for `slot`; for kNoSlot the one that expects a pointer to its object as data.
  template <napi_value (*Body)(napi_env, Object&)>
  static napi_callback Callback(int slot) {
    static constexpr auto callbacks = Instances<Body>(std::make_integer_sequence<int, kFastSlots>());
    return slot == kNoSlot ? ByData<Body> : callbacks[static_cast<size_t>(slot)];
  }

 private:
  // Flattened: with the body inlined, the address of the object is a constant, which saves registers.
  template <napi_value (*Body)(napi_env, Object&), int kSlot>
  PROCSHARE_FLATTEN static napi_value BySlot(napi_env env, napi_callback_info) {
    return Body(env, objects_[kSlot]);
  }

  template <napi_value (*Body)(napi_env, Object&)>
  static napi_value ByData(napi_env env, napi_callback_info info) {
    void* data;
    napi_get_cb_info(env, info, nullptr, nullptr, nullptr, &data);
    return Body(env, *static_cast<Object*>(data));
  }

  template <napi_value (*Body)(napi_env, Object&), int... kSlots>
  static constexpr std::array<napi_callback, kFastSlots> Instances(std::integer_sequence<int, kSlots...>) {
    return {BySlot<Body, kSlots>...};
  }

  static inline std::atomic<uint64_t> used_{0};
  static inline Object objects_[kFastSlots] = {};
};

}  // namespace procshare
