#include "js/collected.h"

#include <algorithm>

#include "js/addon_state.h"
#include "js/args.h"
#include "js/segment_functions.h"
#include "platform/named_memory.h"

namespace procshare {
namespace {

constexpr size_t kMinReclaimInterval = AddonState::kMinReclaimInterval;

// V8 begins a collection when external memory has grown by this since the last one.
constexpr int64_t kSoftLimitBytes = 64 * 1024 * 1024;
constexpr int64_t kMaxWeight = 256 * 1024;

// More than half of any heap: growing by this makes V8 collect everything within the call.
constexpr int64_t kPressureBytes = int64_t{1} << 42;

void ForceCollection(napi_env env) {
  int64_t total;
  napi_adjust_external_memory(env, kPressureBytes, &total);
  napi_adjust_external_memory(env, -kPressureBytes, &total);
}

// reclaimCollected(force): whether something became free; `force` has V8 collect first.
Napi::Value Reclaim(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (BooleanArg(info, 0)) ForceCollection(env);
  return Napi::Boolean::New(env, ReclaimCollected(env));
}

}  // namespace

int64_t DescriptorWeight() {
  static const int64_t weight = [] {
    const int64_t most = static_cast<int64_t>(std::min<uint64_t>(MaxOpenMemory(), 1 << 20));
    return std::clamp<int64_t>(kSoftLimitBytes * 4 / std::max<int64_t>(most, 1), 4096, kMaxWeight);
  }();
  return weight;
}

bool ReclaimCollected(napi_env env) {
  AddonState* const state = AddonState::Of(env);
  bool freed = false;
  // Objects come first, because waiting threads read their memory and ask their segments which members live.
  for (auto next = state->bindings.begin(); next != state->bindings.end();) {
    ObjectBinding* const binding = *next++;  // it leaves the set when it ends
    const Napi::HandleScope scope(env);
    if (binding->external.IsCollected(env)) freed = binding->Unbind() || freed;
  }
  for (auto next = state->segment_bindings.begin(); next != state->segment_bindings.end();) {
    SegmentBinding* const segment_binding = *next++;
    const Napi::HandleScope scope(env);
    if (segment_binding->objects == 0 && segment_binding->external.IsCollected(env))
      freed = segment_binding->Reclaim(env) || freed;
  }
  return freed;
}

void ReclaimCollectedIfDue(napi_env env) {
  AddonState* const state = AddonState::Of(env);
  if (++state->created_since_reclaim < state->reclaim_after) return;
  ReclaimCollected(env);
  if (state->open_segments.size() > MaxOpenMemory() / 2) {
    // The program needs descriptors for files and sockets, too. This happens at most once while the number of objects doubles.
    ForceCollection(env);
    ReclaimCollected(env);
  }
  const size_t open = std::min(state->open_segments.size(), MaxOpenMemory() / 4);
  state->created_since_reclaim = 0;
  state->reclaim_after =
      std::max({open, state->segment_bindings.size() / 4, state->bindings.size() / 4, kMinReclaimInterval});
}

void ExportCollectedFunctions(Napi::Env env, Napi::Object exports) {
  ExportAll(env, exports, {{"reclaimCollected", Reclaim}});
}

}  // namespace procshare
