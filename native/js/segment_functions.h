// Segments for JavaScript: an External per segment, and functions that take it.
#pragma once

#include <napi.h>

#include "js/addon_state.h"
#include "js/external_buffer.h"
#include "shm/segment.h"

namespace procshare {

// A segment as one environment holds it. The External that JavaScript holds owns it, together with the objects in its cells:
// all may be collected at once, in any order, and the last one deletes it.
class SegmentHolder final : public Members {
 public:
  SegmentHolder(AddonState* of, Segment taken) : state(of), segment(std::move(taken)) {}

  uint64_t self() override { return segment.Join(); }
  bool IsMember(uint64_t member) const override { return segment.IsMember(member); }
  Members* owners() override { return segment.mutex_kind() == MutexKind::kMembers ? this : nullptr; }

  void Retain() { ++users; }
  void Release() {
    if (--users == 0) delete this;
  }

  const StateUse state;
  Segment segment;
  int users = 1;
  napi_ref external = nullptr;  // weak: to find the External again when the same segment is attached once more
  int64_t reported_bytes = 0;   // external memory that V8 was told about
  ExternalBuffer buffer;
};

// Whether this environment may use the mutexes of the segment; otherwise ERR_NAMESPACE has been thrown.
bool MutexesUsableOrThrow(Napi::Env env, const SegmentHolder& holder);

// The holder inside an External of ours, as Unwrap() in args.h gives it.
SegmentHolder* HolderOf(const Napi::Value& external);

void ExportSegmentFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
