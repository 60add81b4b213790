#include "js/collected.h"

#include <algorithm>

#include "js/addon_state.h"
#include "js/args.h"
#include "js/segment_functions.h"
#include "platform/named_memory.h"

namespace procshare {
namespace {

constexpr size_t kMinHolders = AddonState::kMinBetweenLooks;

// V8 begins to collect when external memory has grown by this since the last time.
constexpr int64_t kSoftLimitBytes = 64 * 1024 * 1024;
constexpr int64_t kMaxWeight = 256 * 1024;

// More than half of any heap: growing by this makes V8 collect everything within the call.
constexpr int64_t kPressureBytes = int64_t{1} << 42;

void ProvokeCollection(napi_env env) {
  int64_t total;
  napi_adjust_external_memory(env, kPressureBytes, &total);
  napi_adjust_external_memory(env, -kPressureBytes, &total);
}

// letGoOfCollected(provoke): whether something became free; `provoke` has V8 collect first.
Napi::Value LetGo(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (BooleanArg(info, 0)) ProvokeCollection(env);
  return Napi::Boolean::New(env, LetGoOfCollected(env));
}

}  // namespace

int64_t DescriptorWeight() {
  static const int64_t weight = [] {
    const int64_t most = static_cast<int64_t>(std::min<uint64_t>(MaxOpenMemory(), 1 << 20));
    return std::clamp<int64_t>(kSoftLimitBytes * 4 / std::max<int64_t>(most, 1), 4096, kMaxWeight);
  }();
  return weight;
}

bool LetGoOfCollected(napi_env env) {
  AddonState* const state = AddonState::Of(env);
  bool freed = false;
  // Residents first: waiting threads look at their memory and ask their segments who lives.
  for (auto next = state->residents.begin(); next != state->residents.end();) {
    Resident* const resident = *next++;  // which leaves the set when it ends
    const Napi::HandleScope scope(env);
    if (resident->external.IsCollected(env)) freed = resident->End() || freed;
  }
  for (auto next = state->holders.begin(); next != state->holders.end();) {
    SegmentHolder* const holder = *next++;
    const Napi::HandleScope scope(env);
    if (holder->objects == 0 && holder->external.IsCollected(env)) freed = holder->LetGo(env) || freed;
  }
  return freed;
}

void LetGoOfCollectedNowAndThen(napi_env env) {
  AddonState* const state = AddonState::Of(env);
  if (++state->made_since_look < state->look_after) return;
  LetGoOfCollected(env);
  if (state->open_segments.size() > MaxOpenMemory() / 2) {
    // Descriptors are for files and sockets too. Not more often than once for as many new objects as there are.
    ProvokeCollection(env);
    LetGoOfCollected(env);
  }
  const size_t open = std::min(state->open_segments.size(), MaxOpenMemory() / 4);
  state->made_since_look = 0;
  state->look_after = std::max({open, state->holders.size() / 4, state->residents.size() / 4, kMinHolders});
}

void ExportCollectedFunctions(Napi::Env env, Napi::Object exports) {
  ExportAll(env, exports, {{"letGoOfCollected", LetGo}});
}

}  // namespace procshare
