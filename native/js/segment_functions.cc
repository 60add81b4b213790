#include "js/segment_functions.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <vector>

#include "js/addon_state.h"
#include "js/args.h"
#include "js/collected.h"
#include "js/external_buffer.h"
#include "js/js_error.h"

namespace procshare {
namespace {

constexpr napi_type_tag kSegmentTag = {0x8f3b1c5a9d2e4701, 0xa6c4e7f20b139d58};

constexpr uint32_t kModeMask = 0777;
constexpr uint32_t kPersist = 1 << 16;
constexpr uint32_t kAnyNamespace = 1 << 17;
constexpr uint32_t kAnyOwner = 1;
constexpr uint32_t kForeign = 2;

// Removes a binding from the table of open segments.
void RemoveFromTable(SegmentBinding* segment_binding) {
  auto& open = segment_binding->state->open_segments;
  const auto [first, last] = open.equal_range(segment_binding->segment.identity());
  const auto found =
      std::find_if(first, last, [segment_binding](const auto& entry) { return entry.second == segment_binding; });
  if (found != last) open.erase(found);
}

void Finalize(napi_env env, void* data, void*) {
  SegmentBinding* const segment_binding = static_cast<SegmentBinding*>(data);
  RemoveFromTable(segment_binding);
  segment_binding->Report(env, 0);
  segment_binding->external.Delete(env);
  segment_binding->Unref();
}

Napi::Value Wrap(Napi::Env env, Segment segment) {
  // Draws the number on the thread of the environment, because waiting threads ask for it, too.
  if (segment.mutex_kind() == MutexKind::kMembers && segment.MutexesUsable() && segment.Join() == 0) {
    ThrowStatus(env, Status::System(ENOLCK, "fcntl"));
    return {};
  }
  SegmentBinding* const segment_binding = new SegmentBinding(AddonState::Of(env), std::move(segment));
  napi_value external;
  if (!Succeeded(env, napi_create_external(env, segment_binding, Finalize, nullptr, &external), "no external")) {
    delete segment_binding;
    return {};
  }
  if (!Succeeded(env, napi_type_tag_object(env, external, &kSegmentTag), "no type tag")) return {};
  segment_binding->external.Set(env, external);
  segment_binding->state->open_segments.emplace(segment_binding->segment.identity(), segment_binding);
  segment_binding->Report(env, DescriptorWeight());
  ReclaimCollectedIfDue(env);
  return {env, external};
}

// createSegment(name, payloadBytes, cellsBytes, description, flags): a segment to which no other process can attach yet.
Napi::Value CreateSegment(const Napi::CallbackInfo& info) {
  const std::string description = StringArg(info, 3);
  const uint32_t flags = Uint32Arg(info, 4);
  SegmentSpec spec;
  spec.payload_bytes = SizeArg(info, 1);
  spec.cells_bytes = SizeArg(info, 2);
  spec.description = description;
  spec.mode = flags & kModeMask;
  spec.persistent = (flags & kPersist) != 0;
  spec.any_namespace = (flags & kAnyNamespace) != 0;
  const std::string name = StringArg(info, 0);
  if (!ArgumentsOk(info)) return {};
  Result<Segment> segment = Segment::Create(name, spec);
  if (!OkOrThrow(info.Env(), segment.status())) return {};
  return Wrap(info.Env(), std::move(segment.value()));
}

// attachSegment(name, flags, builderTimeoutMs): returns the same External as before when this environment is already attached. V8
// does not allow two buffers over one mapping, and a lock has one binding per environment.
Napi::Value AttachSegment(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const std::string name = StringArg(info, 0);
  const uint32_t flags = Uint32Arg(info, 1);
  const double builder_timeout_ms = NumberArg(info, 2);
  if (!ArgumentsOk(info)) return {};
  Result<Segment> segment = Segment::Attach(name, (flags & kAnyOwner) != 0, (flags & kForeign) != 0, builder_timeout_ms);
  if (!OkOrThrow(env, segment.status())) return {};
  const auto [first, last] = AddonState::Of(env)->open_segments.equal_range(segment.value().identity());
  for (auto item = first; item != last; ++item) {
    const napi_value external = item->second->external.Get(env);  // null for one whose finalizer has not run yet
    if (external != nullptr) return {env, external};
  }
  return Wrap(env, std::move(segment.value()));
}

// A function whose first argument is a segment.
template <Napi::Value (*kBody)(const Napi::CallbackInfo&, SegmentBinding&)>
Napi::Value OnSegment(const Napi::CallbackInfo& info) {
  SegmentBinding* const segment_binding = SegmentBindingOf(info[0]);
  return segment_binding == nullptr ? Napi::Value() : kBody(info, *segment_binding);
}

Napi::Value PublishSegment(const Napi::CallbackInfo& info, SegmentBinding& segment_binding) {
  OkOrThrow(info.Env(), segment_binding.segment.Publish());
  return {};
}

// closeSegment(segment): closes it; no other function accepts it afterwards. Unmaps the memory if no buffer and no object needs
// it.
Napi::Value CloseSegment(const Napi::CallbackInfo& info, SegmentBinding& segment_binding) {
  segment_binding.Close(info.Env());
  return {};
}

Napi::Value UnlinkSegment(const Napi::CallbackInfo& info, SegmentBinding& segment_binding) {
  OkOrThrow(info.Env(), segment_binding.segment.Unlink());
  return {};
}

Napi::Value SegmentPayloadBytes(const Napi::CallbackInfo& info, SegmentBinding& segment_binding) {
  return Napi::Number::New(info.Env(), static_cast<double>(segment_binding.segment.payload_bytes()));
}

Napi::Value SegmentDescription(const Napi::CallbackInfo& info, SegmentBinding& segment_binding) {
  return Napi::String::New(info.Env(), segment_binding.segment.description());
}

// The id as a hexadecimal text; an empty text for foreign memory.
Napi::Value SegmentId(const Napi::CallbackInfo& info, SegmentBinding& segment_binding) {
  const uint64_t id = segment_binding.segment.id();
  if (id == 0) return Napi::String::New(info.Env(), "");
  char text[17];
  snprintf(text, sizeof text, "%016llx", static_cast<unsigned long long>(id));
  return Napi::String::New(info.Env(), text);
}

// segmentMembers(segment): how many environments have the segment open.
Napi::Value SegmentMembers(const Napi::CallbackInfo& info, SegmentBinding& segment_binding) {
  return Napi::Number::New(info.Env(), static_cast<double>(segment_binding.segment.CountMembers()));
}

Napi::Value SegmentPersistent(const Napi::CallbackInfo& info, SegmentBinding& segment_binding) {
  return Napi::Boolean::New(info.Env(), segment_binding.segment.persistent());
}

Napi::Value SegmentAnyNamespace(const Napi::CallbackInfo& info, SegmentBinding& segment_binding) {
  return Napi::Boolean::New(info.Env(), segment_binding.segment.any_namespace());
}

// divideCells(segment, starts): where objects begin in the cells, as ascending offsets; see Segment.
Napi::Value DivideCells(const Napi::CallbackInfo& info, SegmentBinding& segment_binding) {
  Check(info[1].IsTypedArray(), "expected offsets");
  const Napi::Float64Array given = info[1].As<Napi::Float64Array>();
  std::vector<uint64_t> starts(given.ElementLength());
  for (size_t i = 0; i < starts.size(); ++i) starts[i] = ToOffset(given[i]);
  std::sort(starts.begin(), starts.end());
  segment_binding.segment.DivideCells(std::move(starts));
  return {};
}

// The payload as a SharedArrayBuffer or ArrayBuffer. Called once per External, and not for an empty payload.
Napi::Value SegmentBuffer(const Napi::CallbackInfo& info, SegmentBinding& segment_binding) {
  const Napi::Value buffer = segment_binding.buffer.Create(
      info.Env(), segment_binding.segment.mapping(), segment_binding.segment.payload_bytes(), &segment_binding.buffer_bytes);
  segment_binding.Report(info.Env(), segment_binding.reported_bytes + segment_binding.buffer_bytes);
  return buffer;
}

// detachBuffer(segment): unmaps the memory of an ArrayBuffer of which no view is in use; it becomes empty. The memory of a
// SharedArrayBuffer is unmapped when it is collected.
Napi::Value DetachBuffer(const Napi::CallbackInfo& info, SegmentBinding& segment_binding) {
  segment_binding.buffer.Detach(info.Env());
  return {};
}

// exposeBuffer(segment): notes that the program has the buffer, and may transfer its memory to another one.
Napi::Value ExposeBuffer(const Napi::CallbackInfo&, SegmentBinding& segment_binding) {
  segment_binding.buffer.Expose();
  return {};
}

// unlinkName(name, anyOwner)
Napi::Value UnlinkName(const Napi::CallbackInfo& info) {
  const std::string name = StringArg(info, 0);
  const bool any_owner = BooleanArg(info, 1);
  if (ArgumentsOk(info)) OkOrThrow(info.Env(), UnlinkMemory(name, any_owner));
  return {};
}

Napi::Value List(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  std::vector<SegmentEntry> entries;
  if (!OkOrThrow(env, ListSegments(&entries))) return {};
  Napi::Array list = Napi::Array::New(env, entries.size());
  for (size_t i = 0; i < entries.size(); ++i) {
    const SegmentEntry& entry = entries[i];
    Napi::Object item = Napi::Object::New(env);
    item.Set("name", entry.name);
    item.Set("byteLength", static_cast<double>(entry.byte_length));
    item.Set("attached", entry.attached);
    item.Set("persistent", entry.persistent);
    item.Set("creatorPid", entry.creator_pid);
    item.Set("createdAtMs", static_cast<double>(entry.created_at_ms));
    item.Set("description", entry.description);
    list.Set(static_cast<uint32_t>(i), item);
  }
  return list;
}

Napi::Value RemoveStale(const Napi::CallbackInfo& info) {
  const Result<size_t> removed = RemoveStaleSegments();
  if (!OkOrThrow(info.Env(), removed.status())) return {};
  return Napi::Number::New(info.Env(), static_cast<double>(removed.value()));
}

// freeBytes(): the number of bytes for which there is room; undefined when that is unknown.
Napi::Value FreeBytes(const Napi::CallbackInfo& info) {
  const std::optional<uint64_t> bytes = FreeMemoryBytes();
  return bytes ? Napi::Number::New(info.Env(), static_cast<double>(*bytes)) : Napi::Value();
}

Napi::Value DetachAll(const Napi::CallbackInfo& info) {
  AddonState::Of(info.Env())->DetachAll();
  return {};
}

}  // namespace

bool SegmentBinding::Reclaim(napi_env env) {
  const bool was_open = segment.open();
  Close(env);
  Report(env, 0);
  const bool had_memory = buffer.Unmap(env);
  state->segment_bindings.erase(this);
  return had_memory || was_open;
}

void SegmentBinding::Close(napi_env env) {
  RemoveFromTable(this);
  segment.CloseAndUnmap();
  Report(env, buffer_bytes);
  if (!buffer.created()) state->segment_bindings.erase(this);
}

void SegmentBinding::Report(napi_env env, int64_t bytes) {
  int64_t total;
  if (bytes != reported_bytes) napi_adjust_external_memory(env, bytes - reported_bytes, &total);
  reported_bytes = bytes;
}

SegmentBinding* SegmentBindingOf(const Napi::Value& external) {
  return Unwrap<SegmentBinding>(external, kSegmentTag, "expected a segment");
}

bool MutexesUsableOrThrow(Napi::Env env, const SegmentBinding& segment_binding) {
  return OkOrThrow(env, segment_binding.segment.MutexesUsable() ? Status::Ok() : Status::Of(Outcome::kNamespace));
}

void ExportSegmentFunctions(Napi::Env env, Napi::Object exports) {
  ExportAll(env, exports,
            {
                {"createSegment", CreateSegment},
                {"attachSegment", AttachSegment},
                {"publishSegment", OnSegment<PublishSegment>},
                {"divideCells", OnSegment<DivideCells>},
                {"closeSegment", OnSegment<CloseSegment>},
                {"unlinkSegment", OnSegment<UnlinkSegment>},
                {"segmentPayloadBytes", OnSegment<SegmentPayloadBytes>},
                {"segmentDescription", OnSegment<SegmentDescription>},
                {"segmentId", OnSegment<SegmentId>},
                {"segmentMembers", OnSegment<SegmentMembers>},
                {"segmentPersistent", OnSegment<SegmentPersistent>},
                {"segmentAnyNamespace", OnSegment<SegmentAnyNamespace>},
                {"segmentBuffer", OnSegment<SegmentBuffer>},
                {"detachBuffer", OnSegment<DetachBuffer>},
                {"exposeBuffer", OnSegment<ExposeBuffer>},
                {"unlinkName", UnlinkName},
                {"listSegments", List},
                {"removeStaleSegments", RemoveStale},
                {"detachAll", DetachAll},
                {"freeBytes", FreeBytes},
            });
}

}  // namespace procshare
