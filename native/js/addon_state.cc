#include "js/addon_state.h"

#include "js/args.h"
#include "js/fast_slots.h"
#include "js/segment_functions.h"

namespace procshare {

AddonState* AddonState::Of(napi_env env) {
  void* data = nullptr;
  napi_get_instance_data(env, &data);
  return static_cast<AddonState*>(data);
}

void AddonState::Make(Napi::Env env) { env.SetInstanceData<AddonState, Finalize>(new AddonState(env)); }

AddonState::AddonState(Napi::Env env)
    : slot_(FastSlots<FastPath>::Take()),
      fast_path_(slot_ == kNoSlot ? own_fast_path_ : FastSlots<FastPath>::At(slot_)),
      lock_table_(&fast_path_),
      queue_table_(&fast_path_),
      waits_([this](uint32_t id) {
        napi_call_threadsafe_function(wake_, reinterpret_cast<void*>(static_cast<uintptr_t>(id)), napi_tsfn_nonblocking);
      }) {
  Napi::ArrayBuffer selection = Napi::ArrayBuffer::New(env, kSelectionWords * sizeof(uint32_t));
  if (!selection.IsEmpty()) {  // empty when the worker is terminated while it loads the addon
    fast_path_.selected = static_cast<uint32_t*>(selection.Data());
    selection_ = Napi::Persistent(selection);
  }
  Napi::ArrayBuffer exchange = Napi::ArrayBuffer::New(env, kExchangeWords * sizeof(double) + kExchangeBytes);
  if (!exchange.IsEmpty()) {
    exchange_data_ = exchange.Data();
    fast_path_.exchange = exchange_bytes();
    exchange_ = Napi::Persistent(exchange);
  }
  const napi_value name = Napi::String::New(env, "procshare");
  Check(
      napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, OnWake, &wake_) == napi_ok,
      "no thread-safe function");
  napi_unref_threadsafe_function(env, wake_);
  // Hooks run in reverse order. This one is added after the hook of the function, so the function still exists when this hook
  // stops the threads that use it.
  napi_add_env_cleanup_hook(env, OnEnvironmentEnd, this);
}

AddonState::~AddonState() {
  if (slot_ != kNoSlot) FastSlots<FastPath>::Return(slot_);
}

// Objects may use the state after this. The parts that belong to the environment are reset.
void AddonState::Finalize(Napi::Env, AddonState* state) {
  state->on_wake.Reset();
  state->selection_.Reset();
  state->exchange_.Reset();
  state->Unref();
}

void AddonState::DetachAll() {
  waits_.Stop();
  for (ObjectBinding* binding : bindings) binding->CancelReservation();
  for (const auto& [identity, segment_binding] : open_segments) segment_binding->segment.Detach();
}

// Runs at the end of a worker or of the main thread, on the thread itself. Abandons the locks that it owns: when the thread ends
// after its memory was unmapped, the kernel cannot do that.
void AddonState::OnEnvironmentEnd(void* data) {
  AddonState* const state = static_cast<AddonState*>(data);
  state->waits_.Stop();  // its threads ask the segments which members live
  while (!state->bindings.empty()) {
    ObjectBinding* const binding = *state->bindings.begin();
    binding->Unbind();
    state->bindings.erase(binding);
  }
  for (const auto& [identity, segment_binding] : state->open_segments) segment_binding->segment.Close();
  napi_release_threadsafe_function(state->wake_, napi_tsfn_abort);
}

void AddonState::OnWake(napi_env env, napi_value, void* context, void* data) {
  if (env == nullptr) return;  // the environment is ending
  AddonState* const state = static_cast<AddonState*>(context);
  const double id = static_cast<double>(reinterpret_cast<uintptr_t>(data));
  state->on_wake.Call({Napi::Number::New(env, id)});
}

}  // namespace procshare
