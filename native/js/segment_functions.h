// Segments for JavaScript: an External per segment, and functions that take it.
#pragma once

#include <napi.h>

#include "js/addon_state.h"
#include "js/external_buffer.h"
#include "shm/segment.h"

namespace procshare {

// A segment as one environment uses it. Its External and the bindings of the objects in its cells share it. They may be collected
// together, in any order, and the last one deletes it.
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

  // Closes, and unmaps all memory that no buffer needs. Only Finalize() may follow. False when there was nothing to reclaim.
  bool Reclaim(napi_env env);

  // Closes the segment while JavaScript still has the External, and perhaps the buffer.
  void Close(napi_env env);

  // Reports external memory to V8.
  void Report(napi_env env, int64_t bytes);

  const StateReference state;
  Segment segment;
  int users = 1;
  int objects = 0;             // bindings of objects in its cells
  WeakExternal external;       // finds the External when the same segment is attached again
  int64_t reported_bytes = 0;  // external memory that was reported to V8
  int64_t buffer_bytes = 0;    // of these, the memory of the buffer
  ExternalBuffer buffer;
};

// Whether this environment may use the mutexes of the segment; otherwise ERR_NAMESPACE has been thrown.
bool MutexesUsableOrThrow(Napi::Env env, const SegmentBinding& segment_binding);

// The binding inside an External of a segment, as Unwrap() in args.h returns it.
SegmentBinding* SegmentBindingOf(const Napi::Value& external);

void ExportSegmentFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
