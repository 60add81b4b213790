#include "js/lock_binding.h"

#include <algorithm>

#include "js/args.h"
#include "js/fast_slots.h"
#include "js/js_error.h"
#include "js/segment_functions.h"

namespace procshare {
namespace {

// What the functions answer: undefined for "acquired", because making even a small number costs; see lib/native.ts.
napi_value ToAnswer(napi_env env, MutexOutcome outcome) {
  if (outcome == MutexOutcome::kAcquired) return nullptr;
  napi_value answer = nullptr;
  napi_create_int32(env, static_cast<int32_t>(outcome), &answer);
  return answer;
}

LockBinding* BindingOf(const Napi::CallbackInfo& info) { return static_cast<LockBinding*>(info.Data()); }

}  // namespace

LockBinding::LockBinding(AddonState* state, const Segment& segment, LockCell* cell, Napi::Function on_wake)
    : state_(state),
      mapping_(segment.mapping()),
      lock_(cell),
      id_(state->next_lock_id++),
      on_wake_(Napi::Weak(on_wake)),
      waiter_(lock_, [wake = state->wake(), id = id_] {
        napi_call_threadsafe_function(wake, reinterpret_cast<void*>(static_cast<uintptr_t>(id)), napi_tsfn_nonblocking);
      }) {
  state_->locks.emplace(id_, this);
  std::vector<LockBinding*>& table = state_->lock_table;
  const auto free = std::find(table.begin(), table.end(), nullptr);
  index_ = static_cast<uint32_t>(free - table.begin());
  if (free == table.end()) {
    table.push_back(this);
  } else {
    *free = this;
  }
}

LockBinding::~LockBinding() {
  End();
  state_->locks.erase(id_);
  state_->lock_table[index_] = nullptr;
}

void LockBinding::End() {
  waiter_.Stop();
  AbandonIfHeld();
  mapping_.reset();
}

void LockBinding::AbandonIfHeld() {
  if (!held_) return;
  held_ = false;
  lock_.ReleaseAbandoned();
}

void LockBinding::SetAwaited(bool awaited) {
  if (awaited == awaited_) return;
  awaited_ = awaited;
  if (awaited) {
    on_wake_.Ref();
  } else {
    on_wake_.Unref();
  }
}

void LockBinding::NotifyJavaScript() {
  if (awaited_) on_wake_.Call({});
}

napi_value LockBinding::TryAcquire(napi_env env, AddonState* state) {
  LockBinding* const binding = state->selected_lock();
  const MutexOutcome outcome = binding->lock_.TryAcquire(state->owner);
  if (__builtin_expect(outcome == MutexOutcome::kAcquired, 1)) {
    binding->held_ = true;
    return nullptr;
  }
  binding->Took(outcome);
  return ToAnswer(env, outcome);
}

napi_value LockBinding::Release(napi_env, AddonState* state) {
  LockBinding* const binding = state->selected_lock();
  binding->held_ = false;
  binding->lock_.Release();
  return nullptr;
}

// acquire(timeoutMs): blocks this thread.
Napi::Value LockBinding::Acquire(const Napi::CallbackInfo& info) {
  LockBinding* const binding = BindingOf(info);
  const MutexOutcome outcome =
      binding->lock_.Acquire(binding->state_->owner, Deadline::AfterMs(NumberArg(info, 0)));
  binding->Took(outcome);
  return {info.Env(), ToAnswer(info.Env(), outcome)};
}

// tryAcquireOrAwait(): after "busy", onWake is called once when trying again is worth while.
Napi::Value LockBinding::TryAcquireOrAwait(const Napi::CallbackInfo& info) {
  LockBinding* const binding = BindingOf(info);
  uint32_t expected;
  const MutexOutcome outcome = binding->lock_.TryAcquireOrAwait(binding->state_->owner, &expected);
  binding->Took(outcome);
  if (outcome == MutexOutcome::kBusy) {
    if (!binding->waiter_.Arm(expected)) {
      ThrowStatus(info.Env(), Status::System(EAGAIN, "pthread_create"));
      return {};
    }
    binding->SetAwaited(true);
  }
  return {info.Env(), ToAnswer(info.Env(), outcome)};
}

Napi::Value LockBinding::StopAwaiting(const Napi::CallbackInfo& info) {
  LockBinding* const binding = BindingOf(info);
  binding->waiter_.Disarm();
  binding->SetAwaited(false);
  return {};
}

// abandon(): what the end of this environment would do to the lock.
Napi::Value LockBinding::Abandon(const Napi::CallbackInfo& info) {
  BindingOf(info)->AbandonIfHeld();
  return {};
}

Napi::Value LockBinding::EndFromJavaScript(const Napi::CallbackInfo& info) {
  BindingOf(info)->End();
  return {};
}

// state(): 0 free, 1 held, 2 its owner died.
Napi::Value LockBinding::State(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<int>(BindingOf(info)->lock_.Peek()));
}

// owner(): [pid, threadId] of the last owner; for people to read.
Napi::Value LockBinding::Owner(const Napi::CallbackInfo& info) {
  const uint64_t owner = BindingOf(info)->lock_.owner();
  Napi::Array pair = Napi::Array::New(info.Env(), 2);
  pair.Set(0u, static_cast<double>(owner >> 32));
  pair.Set(1u, static_cast<double>(owner & UINT32_MAX));
  return pair;
}

Napi::Object LockBinding::Export(Napi::Env env, LockBinding* binding) {
  Napi::Object functions = Napi::Object::New(env);
  functions.Set("self", Napi::External<LockBinding>::New(env, binding, [](Napi::Env, LockBinding* old) { delete old; }));
  functions.Set("index", binding->index_);
  const auto add = [&](const char* name, Napi::Value (*function)(const Napi::CallbackInfo&)) {
    functions.Set(name, Napi::Function::New(env, function, name, binding));
  };
  add("acquire", Acquire);
  add("tryAcquireOrAwait", TryAcquireOrAwait);
  add("stopAwaiting", StopAwaiting);
  add("abandon", Abandon);
  add("end", EndFromJavaScript);
  add("state", State);
  add("owner", Owner);
  return functions;
}

void LockBinding::ExportFast(Napi::Env env, Napi::Object exports) {
  using Slots = FastSlots<AddonState>;
  AddonState* const state = AddonState::Of(env);
  const auto add = [&](const char* name, napi_callback callback) {
    napi_value function;
    const napi_status status = napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, state, &function);
    if (Succeeded(env, status, "no function")) exports.Set(name, function);
  };
  add("tryAcquireSelected", Slots::Callback<&LockBinding::TryAcquire>(state->slot()));
  add("releaseSelected", Slots::Callback<&LockBinding::Release>(state->slot()));
  exports.Set("selection", state->selection());
}

namespace {

// bindLock(segment, offset, onWake): the functions of one lock.
Napi::Value BindLock(const Napi::CallbackInfo& info) {
  const Segment& segment = HolderOf(info[0])->segment;
  LockCell* const cell = segment.LockAt(SizeArg(info, 1));
  if (cell == nullptr || !SharedLock(cell).LooksSound()) {
    ThrowStatus(info.Env(), Status::Of(Outcome::kCorrupt));
    return {};
  }
  return LockBinding::Export(info.Env(),
                             new LockBinding(AddonState::Of(info.Env()), segment, cell, FunctionArg(info, 2)));
}

// keepAlive(yes): whether pending waits keep the event loop, and so the process, alive.
Napi::Value KeepAlive(const Napi::CallbackInfo& info) {
  const napi_threadsafe_function wake = AddonState::Of(info.Env())->wake();
  if (BooleanArg(info, 0)) {
    napi_ref_threadsafe_function(info.Env(), wake);
  } else {
    napi_unref_threadsafe_function(info.Env(), wake);
  }
  return {};
}

}  // namespace

void ExportLockFunctions(Napi::Env env, Napi::Object exports) {
  LockBinding::ExportFast(env, exports);
  exports.Set("bindLock", Napi::Function::New(env, BindLock, "bindLock"));
  exports.Set("keepAlive", Napi::Function::New(env, KeepAlive, "keepAlive"));
}

}  // namespace procshare
