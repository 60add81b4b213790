// Segments for JavaScript: an External per segment, and functions that take it.
#pragma once

#include <napi.h>

#include "js/addon_state.h"
#include "js/external_buffer.h"
#include "shm/segment.h"

namespace procshare {

// A segment as one environment holds it. The External that JavaScript holds owns it, together with the objects in its cells:
// all may be collected at once, in any order, and the last one deletes it.
class SegmentBinding final : public Members {
 public:
  SegmentBinding(AddonState* of, Segment taken) : state(of), segment(std::move(taken)) {
    state->segment_bindings.insert(this);
  }
  ~SegmentBinding() { state->segment_bindings.erase(this); }

  uint64_t self() override { return segment.Join(); }
  bool IsMember(uint64_t member) const override { return segment.IsMember(member); }
  Members* owners() override { return segment.mutex_kind() == MutexKind::kMembers ? this : nullptr; }

  void Ref() { ++users; }
  void Unref() {
    if (--users == 0) delete this;
  }

  // Ends the hold and lets go of all memory that no buffer needs. Nothing but Finalize() may follow. False when that was done
  // before.
  bool Reclaim(napi_env env);

  // Ends the hold, as close() does: JavaScript still has the External, and perhaps the buffer.
  void Close(napi_env env);

  // Tells V8 what has changed since it was told last.
  void Report(napi_env env, int64_t bytes);

  const StateReference state;
  Segment segment;
  int users = 1;
  int objects = 0;             // those in its cells that have not ended
  WeakExternal external;       // to find the External again when the same segment is attached once more
  int64_t reported_bytes = 0;  // external memory that V8 was told about
  int64_t buffer_bytes = 0;    // of these, what is for the memory under the buffer
  ExternalBuffer buffer;
};

// Whether this environment may use the mutexes of the segment; otherwise ERR_NAMESPACE has been thrown.
bool MutexesUsableOrThrow(Napi::Env env, const SegmentBinding& segment_binding);

// The holder inside an External of ours, as Unwrap() in args.h gives it.
SegmentBinding* SegmentBindingOf(const Napi::Value& external);

void ExportSegmentFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
