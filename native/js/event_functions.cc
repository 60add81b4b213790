#include "js/event_functions.h"

#include "js/sync_object.h"
#include "shm/event.h"

namespace procshare {
namespace {

class EventObject final : public SyncObject {
 public:
  static constexpr SyncKind kKind = SyncKind::kEvent;
  static constexpr bool kHasMutex = false;

  EventObject(const Napi::Value& segment, EventCell* cell, size_t) : SyncObject(segment, kKind), event(cell) {
    AddWait({&event.wake()->word,
             &event.wake()->flags,
             [this](uint64_t ticket) { return event.Happened(static_cast<uint32_t>(ticket)); },
             {}});
  }
  bool LooksSound() const { return true; }

  Event event;
};

template <Napi::Value (*kBody)(const Napi::CallbackInfo&, EventObject&)>
constexpr auto On = OnSyncObject<EventObject, kBody>;

Napi::Value EventBytes(const Napi::CallbackInfo& info) { return Napi::Number::New(info.Env(), sizeof(EventCell)); }

// eventTicket(event): the state at the beginning of a wait: the argument of eventHappened and of the wait.
Napi::Value Ticket(const Napi::CallbackInfo& info, EventObject& object) {
  return Napi::Number::New(info.Env(), object.event.ticket());
}

// eventHappened(event, ticket): whether it is set, or has been since.
Napi::Value Happened(const Napi::CallbackInfo& info, EventObject& object) {
  return Napi::Boolean::New(info.Env(), object.event.Happened(Uint32Arg(info, 1)));
}

Napi::Value IsSet(const Napi::CallbackInfo& info, EventObject& object) {
  return Napi::Boolean::New(info.Env(), object.event.is_set());
}

Napi::Value Set(const Napi::CallbackInfo&, EventObject& object) {
  object.event.Set();
  return {};
}

Napi::Value Clear(const Napi::CallbackInfo&, EventObject& object) {
  object.event.Clear();
  return {};
}

}  // namespace

void ExportEventFunctions(Napi::Env env, Napi::Object exports) {
  ExportAll(env, exports,
            {
                {"eventBytes", EventBytes},
                {"bindEvent", BindSyncObject<EventObject, EventCell>},
                {"eventTicket", On<Ticket>},
                {"eventHappened", On<Happened>},
                {"eventIsSet", On<IsSet>},
                {"eventSet", On<Set>},
                {"eventClear", On<Clear>},
            });
}

}  // namespace procshare
