#include "js/queue_functions.h"

#include "js/sync_object.h"
#include "shm/ring_queue.h"

namespace procshare {
namespace {

// Its waits: 0 for items, 1 for room (the argument: bytes of the records << kCountBits | how many), 2 for the unfinished items to
// come down to none (the argument: a ticket).
class QueueObject final : public SyncObject {
 public:
  static constexpr SyncKind kKind = SyncKind::kQueue;
  static constexpr int kCountBits = 12;

  QueueObject(const Napi::Value& segment, QueueCell* cell, size_t byte_length)
      : SyncObject(segment, kKind), queue(cell, byte_length) {
    AddWait({&queue.wake_items()->word, &queue.wake_items()->flags, [this](uint64_t) { return queue.HasItems(); },
             [this] { queue.Tend(); }});
    AddWait({&queue.wake_room()->word, &queue.wake_room()->flags,
             [this](uint64_t needs) { return queue.HasRoom(needs >> kCountBits, needs & ((1 << kCountBits) - 1)); },
             [this] { queue.Tend(); }});
    AddWait({&queue.wake_done()->word, &queue.wake_done()->flags,
             [this](uint64_t ticket) { return queue.LooksDone(ticket); }, [this] { queue.Tend(); }});
  }
  bool LooksSound() const { return queue.LooksSound(); }

  RingQueue queue;
};

template <Napi::Value (*kBody)(const Napi::CallbackInfo&, QueueObject&)>
constexpr auto On = OnSyncObject<QueueObject, kBody>;

Napi::Value ToJs(const Napi::CallbackInfo& info, QueueOutcome outcome) {
  return Napi::Number::New(info.Env(), static_cast<int>(outcome));
}

// queueBytes(capacity)
Napi::Value QueueBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(RingQueue::BytesFor(SizeArg(info, 0))));
}

// initQueue(segment, offset, capacity, maxItems): capacity is a multiple of 8.
Napi::Value InitQueue(const Napi::CallbackInfo& info) {
  const uint64_t capacity = SizeArg(info, 2);
  QueueCell* const cell = CellArg<QueueCell>(info, RingQueue::BytesFor(capacity));
  if (cell != nullptr) ThrowUnlessInitialised(info.Env(), RingQueue::Init(cell, capacity, SizeArg(info, 3)));
  return {};
}

// queuePut(queue, byteLength, count): puts the records that stand in the exchange; a QueueOutcome.
Napi::Value Put(const Napi::CallbackInfo& info, QueueObject& object) {
  const uint64_t byte_length = SizeArg(info, 1);
  Check(byte_length <= AddonState::kExchangeBytes, "too much for the exchange");
  return ToJs(info, object.queue.TryPut(object.state()->exchange_bytes(), byte_length, SizeArg(info, 2)));
}

// queuePutItem(queue, flags, bytes): puts one record; a QueueOutcome.
Napi::Value PutItem(const Napi::CallbackInfo& info, QueueObject& object) {
  Check(info[2].IsTypedArray(), "expected bytes");
  Napi::Uint8Array bytes = info[2].As<Napi::Uint8Array>();
  const uint64_t header = SizeArg(info, 1) << 56 | bytes.ByteLength();
  return ToJs(info, object.queue.TryPutItem(header, bytes.Data()));
}

// Exchange words 0 and 1 become the length of the records in bytes (for kTooSmall, of the first one) and their number.
Napi::Value Answer(const Napi::CallbackInfo& info, const QueueObject& object, const RingQueue::Taken& taken) {
  double* const words = object.state()->exchange_words();
  words[0] = static_cast<double>(taken.byte_length);
  words[1] = static_cast<double>(taken.count);
  return ToJs(info, taken.outcome);
}

// queueGet(queue, count): takes up to so many records into the exchange; a QueueOutcome.
Napi::Value Get(const Napi::CallbackInfo& info, QueueObject& object) {
  return Answer(info, object,
                object.queue.TryGet(object.state()->exchange_bytes(), AddonState::kExchangeBytes, SizeArg(info, 1)));
}

// queueGetInto(queue, bytes): takes one record; a QueueOutcome.
Napi::Value GetInto(const Napi::CallbackInfo& info, QueueObject& object) {
  Check(info[1].IsTypedArray(), "expected bytes");
  Napi::Uint8Array bytes = info[1].As<Napi::Uint8Array>();
  return Answer(info, object, object.queue.TryGet(bytes.Data(), bytes.ByteLength(), 1));
}

Napi::Value Close(const Napi::CallbackInfo& info, QueueObject& object) { return ToJs(info, object.queue.Close()); }

// queueTaskDone(queue, count): a QueueOutcome.
Napi::Value TaskDone(const Napi::CallbackInfo& info, QueueObject& object) {
  return ToJs(info, object.queue.TaskDone(SizeArg(info, 1)));
}

// queueDoneTicket(queue): what a join begins with, and gives to queueIsDone and to the wait as its argument.
Napi::Value DoneTicket(const Napi::CallbackInfo& info, QueueObject& object) {
  return Napi::Number::New(info.Env(), static_cast<double>(object.queue.done_ticket()));
}

Napi::Value IsDone(const Napi::CallbackInfo& info, QueueObject& object) {
  return Napi::Boolean::New(info.Env(), object.queue.IsDone(SizeArg(info, 1)));
}

// queueState(queue): exchange words 0 to 4 become items, capacity, most items, unfinished items, and 1 if it is closed.
Napi::Value State(const Napi::CallbackInfo&, QueueObject& object) {
  double* const words = object.state()->exchange_words();
  words[0] = static_cast<double>(object.queue.items());
  words[1] = static_cast<double>(object.queue.capacity());
  words[2] = static_cast<double>(object.queue.max_items());
  words[3] = static_cast<double>(object.queue.unfinished());
  words[4] = object.queue.closed() ? 1 : 0;
  return {};
}

}  // namespace

void ExportQueueFunctions(Napi::Env env, Napi::Object exports) {
  const struct {
    const char* name;
    Napi::Value (*function)(const Napi::CallbackInfo&);
  } functions[] = {
      {"queueBytes", QueueBytes},
      {"initQueue", InitQueue},
      {"bindQueue", BindSyncObject<QueueObject, QueueCell>},
      {"queuePut", On<Put>},
      {"queuePutItem", On<PutItem>},
      {"queueGet", On<Get>},
      {"queueGetInto", On<GetInto>},
      {"queueClose", On<Close>},
      {"queueTaskDone", On<TaskDone>},
      {"queueDoneTicket", On<DoneTicket>},
      {"queueIsDone", On<IsDone>},
      {"queueState", On<State>},
  };
  for (const auto& item : functions) exports.Set(item.name, Napi::Function::New(env, item.function, item.name));
}

}  // namespace procshare
