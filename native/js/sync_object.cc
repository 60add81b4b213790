#include "js/sync_object.h"

#include <utility>

namespace procshare {
namespace {

constexpr napi_type_tag kSyncObjectTag = {0x27c4e19f5ab80d63, 0x91f6a03d8e72c45b};

void Finalize(napi_env env, void* data, void*) {
  SyncObject* const object = static_cast<SyncObject*>(data);
  object->external.Delete(env);
  object->Unbind();  // before any part of it is destroyed: waiting threads read it
  delete object;
}

SyncObject* AnyObjectOf(const Napi::Value& external) {
  return Unwrap<SyncObject>(external, kSyncObjectTag, "expected a synchronisation object");
}

// unbindObject(object): the environment has closed its last object of that cell. Afterwards all other functions throw ERR_CLOSED.
Napi::Value UnbindObject(const Napi::CallbackInfo& info) {
  SyncObject* const object = AnyObjectOf(info[0]);
  if (object != nullptr) object->Unbind();
  return {};
}

// objectWait(object, which): the id of one of its waits; see wait_functions.cc.
Napi::Value ObjectWait(const Napi::CallbackInfo& info) {
  SyncObject* const object = AnyObjectOf(info[0]);
  if (object == nullptr) return {};
  return Napi::Number::New(info.Env(), object->wait(Uint32Arg(info, 1)));
}

}  // namespace

SyncObject::SyncObject(const Napi::Value& segment, SyncKind kind)
    : state_(AddonState::Of(segment.Env())),
      segment_binding_(SegmentBindingOf(segment)),
      kind_(kind),
      mapping_(segment_binding_->segment.mapping()) {
  segment_binding_->Ref();
  ++segment_binding_->objects;
  state_->bindings.insert(this);
}

SyncObject::~SyncObject() {
  SyncObject::Unbind();
  segment_binding_->Unref();
}

bool SyncObject::Unbind() {
  if (mapping_ == nullptr) return false;
  for (const uint32_t id : std::exchange(waits_, {})) state_->waits().Remove(id);
  mapping_.reset();
  --segment_binding_->objects;
  state_->bindings.erase(this);
  return true;
}

uint32_t SyncObject::AddWait(WaitSource source) {
  waits_.push_back(state_->waits().Add(std::move(source)));
  return waits_.back();
}

SyncObject* SyncObjectOf(const Napi::Value& external, SyncKind kind) {
  SyncObject* const object = AnyObjectOf(external);
  Check(object == nullptr || object->kind() == kind, "expected a synchronisation object of another kind");
  return object;
}

Napi::Value WrapSyncObject(Napi::Env env, std::unique_ptr<SyncObject> object, bool sound) {
  if (!sound) {
    ThrowStatus(env, Status::Of(Outcome::kCorrupt));
    return {};
  }
  napi_value external;
  if (!Succeeded(env, napi_create_external(env, object.get(), Finalize, nullptr, &external), "no external")) return {};
  SyncObject* const made = object.release();
  if (!Succeeded(env, napi_type_tag_object(env, external, &kSyncObjectTag), "no type tag")) return {};
  made->external.Set(env, external);
  return {env, external};
}

void ExportSyncObjectFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("unbindObject", Napi::Function::New(env, UnbindObject, "unbindObject"));
  exports.Set("objectWait", Napi::Function::New(env, ObjectWait, "objectWait"));
}

}  // namespace procshare
