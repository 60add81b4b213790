#include "js/lock_binding.h"

#include <algorithm>
#include <cerrno>

#include "js/args.h"
#include "js/fast_slots.h"
#include "js/js_error.h"
#include "js/segment_functions.h"
#include "js/sync_object.h"
#include "platform/compiler.h"

namespace procshare {

LockBinding::LockBinding(SegmentBinding* segment_binding, LockCell* cell)
    : state_(segment_binding->state.get()),
      segment_binding_(segment_binding),
      mapping_(segment_binding->segment.mapping()),
      lock_(cell, segment_binding->owners()),
      index_(state_->lock_table().Add(cell, segment_binding->owners())),
      wait_(state_->waits().Add({lock_.release_word(),
                                 lock_.flags(),
                                 [lock = lock_, owner = state_->fast_path().owner](uint64_t) {
                                   return lock.Peek() != MutexState::kHeld && !lock.IsReservedForOthers(owner);
                                 },
                                 {}})) {
  segment_binding_->Ref();
  ++segment_binding_->objects;
  state_->bindings.insert(this);
}

LockBinding::~LockBinding() {
  Unbind();
  state_->lock_table().Remove(index_);
  segment_binding_->Unref();
}

bool LockBinding::Unbind() {
  if (mapping_ == nullptr) return false;
  state_->waits().Remove(wait_);
  Unreserve();
  Abandon();
  mapping_.reset();
  --segment_binding_->objects;
  state_->bindings.erase(this);
  return true;
}

void LockBinding::Abandon() {
  bool& held = state_->lock_table()[index_].held;
  if (!held) return;
  held = false;
  lock_.ReleaseAbandoned();
}

MutexOutcome LockBinding::Note(MutexOutcome outcome) {
  if (IsAcquired(outcome)) state_->lock_table()[index_].held = true;
  return outcome;
}

MutexOutcome LockBinding::Acquire(Deadline deadline) { return Note(lock_.Acquire(state_->fast_path().owner, deadline)); }

namespace {

constexpr napi_type_tag kLockTag = {0x5d1c94e8a27b4f03, 0xb70e35f1c8d6924a};

// The longest time for which one call blocks. Between two calls V8 can terminate a worker. This is not polling: a release, or the
// death of the owner, ends the call at once.
constexpr double kSliceMs = 100;

// The result of the functions: undefined for "acquired", because creating even a small number takes time. See lib/native.ts.
napi_value ToAnswer(napi_env env, MutexOutcome outcome) {
  if (outcome == MutexOutcome::kAcquired) return nullptr;
  napi_value answer = nullptr;
  napi_create_int32(env, static_cast<int32_t>(outcome), &answer);
  return answer;
}

// The calling thread already owns the lock, through another copy of the package, and would wait for itself. The number follows those of
// MutexOutcome; see lib/native.ts.
napi_value ToDeadlock(napi_env env) {
  constexpr int32_t kDeadlock = 4;
  napi_value answer = nullptr;
  napi_create_int32(env, kDeadlock, &answer);
  return answer;
}

// Continues an acquisition whose first attempt failed. This is a separate function, so that the fast path saves no registers.
PROCSHARE_COLD napi_value Finish(napi_env env, FastPath& path, MutexOutcome outcome, bool waits) {
  SharedLock lock(path.cell, path.owners);
  if (outcome == MutexOutcome::kBusy && waits) {
    if (lock.IsHeldByThisThread()) return ToDeadlock(env);
    outcome = lock.Acquire(path.owner, Deadline::AfterMs(kSliceMs));
  }
  if (IsAcquired(outcome)) path.lock->held = true;
  return ToAnswer(env, outcome);
}

template <bool kWaits>
napi_value AcquireSelected(napi_env env, FastPath& path) {
  path.Select();
  const MutexOutcome outcome = SharedLock(path.cell, path.owners).TryAcquire(path.owner);
  if (Unlikely(outcome != MutexOutcome::kAcquired)) return Finish(env, path, outcome, kWaits);
  path.lock->held = true;
  return nullptr;
}

napi_value ReleaseSelected(napi_env, FastPath& path) {
  path.Select();
  path.lock->held = false;
  SharedLock(path.cell, path.owners).Release();
  return nullptr;
}

// The functions of the fast path, on the lock that JavaScript has selected.
void ExportFastPath(Napi::Env env, Napi::Object exports) {
  using Slots = FastSlots<FastPath>;
  AddonState* const state = AddonState::Of(env);
  const auto add = [&](const char* name, napi_callback callback) {
    napi_value function;
    const napi_status status = napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, &state->fast_path(), &function);
    if (Succeeded(env, status, "no function")) exports.Set(name, function);
  };
  add("tryAcquireSelected", Slots::Callback<AcquireSelected<false>>(state->slot()));
  add("acquireSelected", Slots::Callback<AcquireSelected<true>>(state->slot()));
  add("releaseSelected", Slots::Callback<ReleaseSelected>(state->slot()));
  exports.Set("selection", state->selection());
}

// Null in a worker that is being terminated, and when ERR_CLOSED was thrown because the lock is unbound.
LockBinding* LockOf(const Napi::CallbackInfo& info) {
  LockBinding* const lock = Unwrap<LockBinding>(info[0], kLockTag, "expected a lock");
  if (lock == nullptr || !lock->unbound()) return lock;
  ThrowCode(info.Env(), "ERR_CLOSED");
  return nullptr;
}

// A function whose first argument is a lock.
template <Napi::Value (*kBody)(const Napi::CallbackInfo&, LockBinding&)>
Napi::Value OnLock(const Napi::CallbackInfo& info) {
  LockBinding* const lock = LockOf(info);
  return lock == nullptr ? Napi::Value() : kBody(info, *lock);
}

void Finalize(napi_env env, void* data, void*) {
  LockBinding* const binding = static_cast<LockBinding*>(data);
  binding->external.Delete(env);
  delete binding;
}

// initLock(segment, offset): creates a free lock in the cells of a segment that is not published yet.
Napi::Value InitLock(const Napi::CallbackInfo& info) {
  MutexKind kind;
  LockCell* const cell = CellArg<LockCell>(info, sizeof(LockCell), &kind);
  if (cell != nullptr) ThrowUnlessInitialised(info.Env(), SharedLock(cell, nullptr).Init(kind));
  return {};
}

// bindLock(segment, offset): the binding of a lock of the segment, for the functions below.
Napi::Value BindLock(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  SegmentBinding* const segment_binding = SegmentBindingOf(info[0]);
  if (segment_binding == nullptr) return {};
  const Segment& segment = segment_binding->segment;
  LockCell* const cell =
      reinterpret_cast<LockCell*>(segment.CellAt(OffsetArg(info, 1), sizeof(LockCell), alignof(LockCell)).bytes);
  if (cell == nullptr) {
    ThrowStatus(env, Status::Of(Outcome::kCorrupt));
    return {};
  }
  if (!MutexesUsableOrThrow(env, *segment_binding)) return {};
  if (!SharedLock(cell, segment_binding->owners()).LooksSound()) {
    ThrowStatus(env, Status::Of(Outcome::kCorrupt));
    return {};
  }
  LockBinding* const binding = new LockBinding(segment_binding, cell);
  napi_value external;
  if (!Succeeded(env, napi_create_external(env, binding, Finalize, nullptr, &external), "no external")) {
    delete binding;
    return {};
  }
  if (!Succeeded(env, napi_type_tag_object(env, external, &kLockTag), "no type tag")) return {};
  binding->external.Set(env, external);
  return {env, external};
}

// lockIndex(lock): the index to select for the functions of the fast path.
Napi::Value LockIndex(const Napi::CallbackInfo& info, LockBinding& lock) {
  return Napi::Number::New(info.Env(), lock.index());
}

// acquireLock(lock, timeoutMs): blocks this thread, for no longer than a slice.
Napi::Value AcquireLock(const Napi::CallbackInfo& info) {
  const Deadline deadline = Deadline::AfterMs(std::min(NumberArg(info, 1), kSliceMs));
  LockBinding* const lock = LockOf(info);
  if (lock == nullptr) return {info.Env(), ToAnswer(info.Env(), MutexOutcome::kBusy)};
  if (lock->lock().IsHeldByThisThread()) return {info.Env(), ToDeadlock(info.Env())};
  return {info.Env(), ToAnswer(info.Env(), lock->Acquire(deadline))};
}

// lockWait(lock): the id of the wait for it; see wait_functions.cc.
Napi::Value LockWait(const Napi::CallbackInfo& info, LockBinding& lock) {
  return Napi::Number::New(info.Env(), lock.wait());
}

// abandonLock(lock): releases the lock as the end of this environment would: the next acquisition returns "abandoned".
Napi::Value AbandonLock(const Napi::CallbackInfo&, LockBinding& lock) {
  lock.Abandon();
  return {};
}

// markAbandoned(lock): this thread owns the lock; the next acquisition returns "abandoned".
Napi::Value MarkAbandoned(const Napi::CallbackInfo&, LockBinding& lock) {
  lock.MarkAbandoned();
  return {};
}

// reserveLock(lock): reserves the lock for this environment; see SharedLock::Reserve().
Napi::Value ReserveLock(const Napi::CallbackInfo&, LockBinding& lock) {
  lock.Reserve();
  return {};
}

Napi::Value UnreserveLock(const Napi::CallbackInfo&, LockBinding& lock) {
  lock.Unreserve();
  return {};
}

// unbindLock(lock): the environment has closed its last object of the lock. Afterwards all other functions throw ERR_CLOSED.
Napi::Value UnbindLock(const Napi::CallbackInfo& info) {
  LockBinding* const lock = Unwrap<LockBinding>(info[0], kLockTag, "expected a lock");
  if (lock != nullptr) lock->Unbind();
  return {};
}

// lockState(lock): 0 free, 1 held, 2 its owner died.
Napi::Value LockState(const Napi::CallbackInfo& info, LockBinding& lock) {
  return Napi::Number::New(info.Env(), static_cast<int>(lock.lock().Peek()));
}

// lockOwner(lock): [pid, threadId] of the last owner; informational.
Napi::Value LockOwner(const Napi::CallbackInfo& info, LockBinding& lock) {
  const uint64_t owner = lock.lock().owner();
  Napi::Array pair = Napi::Array::New(info.Env(), 2);
  pair.Set(0u, static_cast<double>(owner >> 32));
  pair.Set(1u, static_cast<double>(owner & UINT32_MAX));
  return pair;
}

}  // namespace

void ExportLockFunctions(Napi::Env env, Napi::Object exports) {
  ExportAll(env, exports,
            {
                {"initLock", InitLock},
                {"bindLock", BindLock},
                {"lockIndex", OnLock<LockIndex>},
                {"acquireLock", AcquireLock},
                {"lockWait", OnLock<LockWait>},
                {"abandonLock", OnLock<AbandonLock>},
                {"markAbandoned", OnLock<MarkAbandoned>},
                {"reserveLock", OnLock<ReserveLock>},
                {"unreserveLock", OnLock<UnreserveLock>},
                {"unbindLock", UnbindLock},
                {"lockState", OnLock<LockState>},
                {"lockOwner", OnLock<LockOwner>},
            });
  ExportFastPath(env, exports);
}

}  // namespace procshare
