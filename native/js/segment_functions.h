// Segments for JavaScript: an External per segment, and functions that take it.
#pragma once

#include <napi.h>

#include "js/addon_state.h"
#include "js/external_buffer.h"
#include "shm/segment.h"

namespace procshare {

// A segment as one environment holds it. The External that JavaScript holds owns it, together with the objects in its cells:
// all may be collected at once, in any order, and the last one deletes it.
class SegmentHolder {
 public:
  SegmentHolder(AddonState* of, Segment taken) : state(of), segment(std::move(taken)) {}

  void Release() {
    if (--owners == 0) delete this;
  }

  const StateUse state;
  Segment segment;
  int owners = 1;
  napi_ref external = nullptr;  // weak: to find the External again when the same segment is attached once more
  int64_t reported_bytes = 0;   // external memory that V8 was told about
  ExternalBuffer buffer;
};

// The holder inside an External of ours, as Unwrap() in args.h gives it.
SegmentHolder* HolderOf(const Napi::Value& external);

void ExportSegmentFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
