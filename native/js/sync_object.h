// SyncObject: an object in the cells of a segment (a semaphore, a queue, ...), as one environment uses it from JavaScript.
//
// Its External owns it. It does not keep the External of the segment alive: the two would keep each other alive.
#pragma once

#include <napi.h>

#include <cerrno>
#include <memory>
#include <vector>

#include "js/addon_state.h"
#include "js/args.h"
#include "js/js_error.h"
#include "js/segment_functions.h"

namespace procshare {

enum class SyncKind : uint8_t { kSemaphore, kEvent, kParking, kBarrier, kQueue, kEnds };

class SyncObject : public ObjectBinding {
 public:
  SyncObject(const Napi::Value& segment, SyncKind kind);
  ~SyncObject() override;

  bool Unbind() override;

  SyncKind kind() const { return kind_; }
  const StateReference& state() const { return state_; }
  uint32_t wait(size_t which) const { return which < waits_.size() ? waits_[which] : 0; }
  bool unbound() const { return mapping_ == nullptr; }

 protected:
  Members* members() const { return segment_binding_; }
  const Segment& segment() const { return segment_binding_->segment; }

  // Adds a wait, which ends with the object, and returns its id.
  uint32_t AddWait(WaitSource source);

 private:
  const StateReference state_;
  SegmentBinding* const segment_binding_;
  const SyncKind kind_;
  std::shared_ptr<MemoryMapping> mapping_;  // keeps the cell in place
  std::vector<uint32_t> waits_;
};

// The cell at an offset of a segment that is not published yet, for init functions: initX(segment, offset, ...). `*kind` becomes
// the kind of the segment's mutexes. Called after all arguments were read. Null when an argument was wrong, or when the offset is
// no place in the segment; then an error has been thrown.
template <class Cell>
Cell* CellArg(const Napi::CallbackInfo& info, size_t byte_length, MutexKind* kind) {
  if (!ArgumentsOk(info)) return nullptr;
  SegmentBinding* const segment_binding = SegmentBindingOf(info[0]);
  if (segment_binding == nullptr) return nullptr;
  const CellRange range = segment_binding->segment.CellAt(OffsetArg(info, 1), byte_length, alignof(Cell));
  if (range.bytes == nullptr) {
    ThrowArgument(info.Env(), 1, "a place for the object");
    return nullptr;
  }
  *kind = segment_binding->segment.mutex_kind();
  return reinterpret_cast<Cell*>(range.bytes);
}

inline void ThrowUnlessInitialised(Napi::Env env, bool initialised) {
  if (!initialised) ThrowStatus(env, Status::System(ENOSYS, "pthread_mutex_init"));
}

// The object inside an External of this addon; null only in a worker that is being terminated.
SyncObject* SyncObjectOf(const Napi::Value& external, SyncKind kind);

// Wraps a binding in an External; throws ERR_CORRUPT when the cell is not sound.
Napi::Value WrapSyncObject(Napi::Env env, std::unique_ptr<SyncObject> object, bool sound);

// bindX(segment, offset): the binding of the object at that offset.
template <class Object, class Cell>
Napi::Value BindSyncObject(const Napi::CallbackInfo& info) {
  SegmentBinding* const segment_binding = SegmentBindingOf(info[0]);
  if (segment_binding == nullptr) return {};
  const CellRange range = segment_binding->segment.CellAt(OffsetArg(info, 1), sizeof(Cell), alignof(Cell));
  if (range.bytes == nullptr) {
    ThrowStatus(info.Env(), Status::Of(Outcome::kCorrupt));
    return {};
  }
  if (Object::kHasMutex && !MutexesUsableOrThrow(info.Env(), *segment_binding)) return {};
  auto object = std::make_unique<Object>(info[0], reinterpret_cast<Cell*>(range.bytes), range.byte_length);
  const bool sound = object->LooksSound();
  return WrapSyncObject(info.Env(), std::move(object), sound);
}

// A function whose first argument is an object of that kind. A getter or a callback of the program may close the object in the
// middle of a method. A call with an unbound object throws ERR_CLOSED.
template <class Object, Napi::Value (*kBody)(const Napi::CallbackInfo&, Object&)>
Napi::Value OnSyncObject(const Napi::CallbackInfo& info) {
  SyncObject* const object = SyncObjectOf(info[0], Object::kKind);
  if (object == nullptr) return {};
  if (!object->unbound()) return kBody(info, *static_cast<Object*>(object));
  ThrowCode(info.Env(), "ERR_CLOSED");
  return {};
}

// The functions that take any kind: unbindObject, objectWait.
void ExportSyncObjectFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
