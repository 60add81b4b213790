#include "js/semaphore_functions.h"

#include "js/sync_object.h"
#include "shm/semaphore.h"

namespace procshare {
namespace {

class SemaphoreObject final : public SyncObject {
 public:
  static constexpr SyncKind kKind = SyncKind::kSemaphore;
  static constexpr bool kHasMutex = true;

  SemaphoreObject(const Napi::Value& segment, SemaphoreCell* cell, size_t byte_length)
      : SyncObject(segment, kKind), semaphore(cell, byte_length, members()) {
    AddWait({&semaphore.wake()->word, &semaphore.wake()->flags,
             [this](uint64_t units) { return semaphore.value() >= units; }, [this] { semaphore.ReapDeadIfDue(); }});
  }
  bool LooksSound() const { return semaphore.LooksSound(); }

  Semaphore semaphore;
};

template <Napi::Value (*kBody)(const Napi::CallbackInfo&, SemaphoreObject&)>
constexpr auto On = OnSyncObject<SemaphoreObject, kBody>;

Napi::Value ToJs(const Napi::CallbackInfo& info, SemaphoreOutcome outcome) {
  return Napi::Number::New(info.Env(), static_cast<int>(outcome));
}

// semaphoreBytes(records): the size of a semaphore in the cells.
Napi::Value SemaphoreBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Semaphore::BytesFor(SizeArg(info, 0))));
}

// initSemaphore(segment, offset, value, limit, records): records is 0 for one that is not recoverable.
Napi::Value InitSemaphore(const Napi::CallbackInfo& info) {
  const uint64_t value = SizeArg(info, 2), limit = SizeArg(info, 3), records = SizeArg(info, 4);
  MutexKind kind;
  SemaphoreCell* const cell = CellArg<SemaphoreCell>(info, Semaphore::BytesFor(records), &kind);
  if (cell != nullptr) ThrowUnlessInitialised(info.Env(), Semaphore::Init(cell, value, limit, records, kind));
  return {};
}

// semaphoreTryAcquire(semaphore, units): a SemaphoreOutcome.
Napi::Value TryAcquire(const Napi::CallbackInfo& info, SemaphoreObject& object) {
  return ToJs(info, object.semaphore.TryAcquire(SizeArg(info, 1)));
}

// semaphoreRelease(semaphore, units): a SemaphoreOutcome.
Napi::Value Release(const Napi::CallbackInfo& info, SemaphoreObject& object) {
  return ToJs(info, object.semaphore.Release(SizeArg(info, 1)));
}

Napi::Value Value(const Napi::CallbackInfo& info, SemaphoreObject& object) {
  object.semaphore.ReapDead();
  return Napi::Number::New(info.Env(), static_cast<double>(object.semaphore.value()));
}

}  // namespace

void ExportSemaphoreFunctions(Napi::Env env, Napi::Object exports) {
  ExportAll(env, exports,
            {
                {"semaphoreBytes", SemaphoreBytes},
                {"initSemaphore", InitSemaphore},
                {"bindSemaphore", BindSyncObject<SemaphoreObject, SemaphoreCell>},
                {"semaphoreTryAcquire", On<TryAcquire>},
                {"semaphoreRelease", On<Release>},
                {"semaphoreValue", On<Value>},
            });
}

}  // namespace procshare
