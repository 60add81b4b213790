#include "js/queue_functions.h"

#include <memory>
#include <string>
#include <vector>

#include "js/fast_slots.h"
#include "js/sync_object.h"
#include "platform/compiler.h"
#include "shm/ends.h"
#include "shm/ring_queue.h"

namespace procshare {
namespace {

// The waits of a queue. Wait 0 is for items. Wait 1 is for room; its argument is units of the records << kCountBits | their
// number. Wait 2 is for no unfinished items; its argument is a ticket. In a pipe, waits 0 and 1 also end when the other end is
// closed.
class QueueObject final : public SyncObject {
 public:
  static constexpr SyncKind kKind = SyncKind::kQueue;
  static constexpr int kCountBits = 21;

  QueueObject(const Napi::Value& segment, QueueCell* cell, size_t byte_length)
      : SyncObject(segment, kKind),
        queue(cell, byte_length, members()->owners()),
        index(state()->queue_table().Add(&queue)) {}
  ~QueueObject() override { state()->queue_table().Remove(index); }

  bool Unbind() override {
    state()->queue_table().Clear(index);
    return SyncObject::Unbind();
  }

  void AddWaits() {
    const auto reap = [this] { ends->ReapDeadIfDue(); };
    const std::function<void()> on_heartbeat = ends == nullptr ? std::function<void()>() : reap;
    AddWait({&queue.wake_items()->word, &queue.wake_items()->flags,
             [this](uint64_t) { return queue.HasItems() || IsEndClosed(writer); }, on_heartbeat});
    AddWait({&queue.wake_room()->word, &queue.wake_room()->flags,
             [this](uint64_t needs) {
               return queue.HasRoom((needs >> kCountBits) * RingQueue::kUnit, needs & ((1 << kCountBits) - 1)) ||
                      IsEndClosed(1 - writer);
             },
             on_heartbeat});
    AddWait({&queue.wake_done()->word,
             &queue.wake_done()->flags,
             [this](uint64_t ticket) { return queue.IsDone(static_cast<uint32_t>(ticket)); },
             {}});
  }
  bool LooksSound() const { return queue.LooksSound() && (ends == nullptr || ends->LooksSound()); }
  bool IsEndClosed(uint64_t other) const { return ends != nullptr && !ends->IsOpen(other); }

  RingQueue queue;
  const uint32_t index;
  std::unique_ptr<Ends> ends;  // of the pipe of which the queue is one direction; null for other queues
  uint64_t writer = 0;         // the end that puts
};

class EndsObject final : public SyncObject {
 public:
  static constexpr SyncKind kKind = SyncKind::kEnds;
  static constexpr bool kHasMutex = true;
  EndsObject(const Napi::Value& segment, EndsCell* cell, size_t byte_length)
      : SyncObject(segment, kKind), ends(cell, byte_length, members()) {}
  bool LooksSound() const { return ends.LooksSound(); }
  Ends ends;
};

template <Napi::Value (*kBody)(const Napi::CallbackInfo&, QueueObject&)>
constexpr auto On = OnSyncObject<QueueObject, kBody>;
template <Napi::Value (*kBody)(const Napi::CallbackInfo&, EndsObject&)>
constexpr auto OnEnds = OnSyncObject<EndsObject, kBody>;

Napi::Value ToJs(const Napi::CallbackInfo& info, QueueOutcome outcome) {
  return Napi::Number::New(info.Env(), static_cast<int>(outcome));
}

// Words of the selection, for the functions of the fast path. [0] is the index of the queue. [1] is the number of bytes in the
// exchange, before and after the call. [2] is the number of records, before and after.
constexpr size_t kBytes = 1;
constexpr size_t kCount = 2;

// Returns undefined for kDone, because creating even a small number takes time.
napi_value ToAnswer(napi_env env, QueueOutcome outcome) {
  if (Likely(outcome == QueueOutcome::kDone)) return nullptr;
  napi_value answer = nullptr;
  napi_create_int32(env, static_cast<int32_t>(outcome), &answer);
  return answer;
}

PROCSHARE_COLD napi_value ThrowClosed(napi_env env) {
  ThrowCode(env, "ERR_CLOSED");
  return nullptr;
}

// putSelected(): puts the records that are in the exchange.
napi_value PutSelected(napi_env env, FastPath& path) {
  RingQueue* const queue = path.queues[path.selected[0]];
  if (Unlikely(queue == nullptr)) return ThrowClosed(env);
  const uint32_t byte_length = path.selected[kBytes];
  Check(byte_length <= AddonState::kExchangeBytes && byte_length % RingQueue::kUnit == 0, "not records in the exchange");
  return ToAnswer(env, queue->TryPut(path.exchange, byte_length, path.selected[kCount]));
}

// getSelected(): takes records into the exchange, up to that count and that many bytes.
napi_value GetSelected(napi_env env, FastPath& path) {
  RingQueue* const queue = path.queues[path.selected[0]];
  if (Unlikely(queue == nullptr)) return ThrowClosed(env);
  const uint32_t byte_length = path.selected[kBytes];
  Check(byte_length <= AddonState::kExchangeBytes, "too much for the exchange");
  const RingQueue::Taken taken = queue->TryGet(path.exchange, byte_length, path.selected[kCount]);
  path.selected[kBytes] = static_cast<uint32_t>(taken.byte_length);
  path.selected[kCount] = static_cast<uint32_t>(taken.count);
  return ToAnswer(env, taken.outcome);
}

// queueBytes(capacity)
Napi::Value QueueBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(RingQueue::BytesFor(SizeArg(info, 0))));
}

// initQueue(segment, offset, capacity, maxItems): capacity is a multiple of 8.
Napi::Value InitQueue(const Napi::CallbackInfo& info) {
  const uint64_t capacity = SizeArg(info, 2), max_items = SizeArg(info, 3);
  MutexKind kind;
  QueueCell* const cell = CellArg<QueueCell>(info, RingQueue::BytesFor(capacity), &kind);
  if (cell != nullptr) ThrowUnlessInitialised(info.Env(), RingQueue::Init(cell, capacity, max_items, kind));
  return {};
}

Napi::Value Bind(const Napi::CallbackInfo& info, bool of_pipe) {
  SegmentBinding* const segment_binding = SegmentBindingOf(info[0]);
  if (segment_binding == nullptr) return {};
  const CellRange range = segment_binding->segment.CellAt(OffsetArg(info, 1), sizeof(QueueCell), alignof(QueueCell));
  const CellRange ends =
      of_pipe ? segment_binding->segment.CellAt(OffsetArg(info, 2), sizeof(EndsCell), alignof(EndsCell)) : CellRange();
  if (range.bytes == nullptr || (of_pipe && ends.bytes == nullptr)) {
    ThrowStatus(info.Env(), Status::Of(Outcome::kCorrupt));
    return {};
  }
  if (!MutexesUsableOrThrow(info.Env(), *segment_binding)) return {};
  auto object = std::make_unique<QueueObject>(info[0], reinterpret_cast<QueueCell*>(range.bytes), range.byte_length);
  if (of_pipe) {
    object->ends = std::make_unique<Ends>(reinterpret_cast<EndsCell*>(ends.bytes), ends.byte_length, segment_binding);
    object->writer = SizeArg(info, 3);
    object->queue.SetEnds(object->ends.get(), 1 - object->writer);
  }
  object->AddWaits();
  const bool sound = object->LooksSound();
  return WrapSyncObject(info.Env(), std::move(object), sound);
}

// bindQueue(segment, offset)
Napi::Value BindQueue(const Napi::CallbackInfo& info) { return Bind(info, false); }

// bindPipeRing(segment, offset, endsOffset, writer): one direction of a pipe, with the end that puts.
Napi::Value BindPipeRing(const Napi::CallbackInfo& info) { return Bind(info, true); }

// queueIndex(queue): the index to select.
Napi::Value Index(const Napi::CallbackInfo& info, QueueObject& object) {
  return Napi::Number::New(info.Env(), object.index);
}

// queuePutItem(queue, flags, bytes): puts one record; a QueueOutcome.
Napi::Value PutItem(const Napi::CallbackInfo& info, QueueObject& object) {
  Check(info[2].IsTypedArray(), "expected bytes");
  Napi::Uint8Array bytes = info[2].As<Napi::Uint8Array>();
  const uint64_t header = SizeArg(info, 1) << 56 | bytes.ByteLength();
  return ToJs(info, object.queue.TryPutItem(header, bytes.Data()));
}

// queuePutRecords(queue, bytes, count): puts whole records; a QueueOutcome.
Napi::Value PutRecords(const Napi::CallbackInfo& info, QueueObject& object) {
  Check(info[1].IsTypedArray(), "expected bytes");
  Napi::Uint8Array bytes = info[1].As<Napi::Uint8Array>();
  return ToJs(info, object.queue.TryPut(bytes.Data(), bytes.ByteLength(), SizeArg(info, 2)));
}

// queueGetItem(queue, bytes): takes one item without its header; a QueueOutcome. Exchange words 0 and 1 become its length (for
// kTooSmall, of the first one) and its flags.
Napi::Value GetItem(const Napi::CallbackInfo& info, QueueObject& object) {
  Check(info[1].IsTypedArray(), "expected bytes");
  Napi::Uint8Array bytes = info[1].As<Napi::Uint8Array>();
  const RingQueue::Taken taken = object.queue.TryGetItem(bytes.Data(), bytes.ByteLength());
  double* const words = object.state()->exchange_words();
  words[0] = static_cast<double>(taken.byte_length);
  words[1] = static_cast<double>(taken.count);
  return ToJs(info, taken.outcome);
}

// queuePeek(queue, bytes): copies the first item without its header; a QueueOutcome. Exchange words 0 and 1 as of queueGetItem; words 2
// and 3 become the position of the item.
Napi::Value Peek(const Napi::CallbackInfo& info, QueueObject& object) {
  Check(info[1].IsTypedArray(), "expected bytes");
  Napi::Uint8Array bytes = info[1].As<Napi::Uint8Array>();
  uint64_t position = 0;
  const RingQueue::Taken taken = object.queue.Peek(bytes.Data(), bytes.ByteLength(), &position);
  double* const words = object.state()->exchange_words();
  words[0] = static_cast<double>(taken.byte_length);
  words[1] = static_cast<double>(taken.count);
  words[2] = static_cast<double>(position >> 32);
  words[3] = static_cast<double>(position & UINT32_MAX);
  return ToJs(info, taken.outcome);
}

// queueTakePeeked(queue, word 2, word 3): takes the item that queuePeek() has copied; a QueueOutcome.
Napi::Value TakePeeked(const Napi::CallbackInfo& info, QueueObject& object) {
  return ToJs(info, object.queue.TakePeeked(SizeArg(info, 1) << 32 | Uint32Arg(info, 2)));
}

// queueSpilled(queue): the bytes, as texts, of all items with kSpilledFlag; undefined when the bytes are no queue.
Napi::Value Spilled(const Napi::CallbackInfo& info, QueueObject& object) {
  std::vector<std::string> found;  // collected first, because no JavaScript may run while the mutexes are held
  if (object.queue.ForEachSpilled([&](std::string bytes) { found.push_back(std::move(bytes)); }) != QueueOutcome::kDone) {
    return info.Env().Undefined();
  }
  Napi::Array texts = Napi::Array::New(info.Env(), found.size());
  for (size_t i = 0; i < found.size(); ++i) texts.Set(static_cast<uint32_t>(i), found[i]);
  return texts;
}

Napi::Value Close(const Napi::CallbackInfo& info, QueueObject& object) { return ToJs(info, object.queue.Close()); }

Napi::Value WakeAll(const Napi::CallbackInfo&, QueueObject& object) {
  object.queue.WakeAll();
  return {};
}

// queueTaskDone(queue, count): a QueueOutcome.
Napi::Value TaskDone(const Napi::CallbackInfo& info, QueueObject& object) {
  return ToJs(info, object.queue.TaskDone(SizeArg(info, 1)));
}

// queueDoneTicket(queue): the ticket of a join, for queueIsDone and as the argument of the wait.
Napi::Value DoneTicket(const Napi::CallbackInfo& info, QueueObject& object) {
  return Napi::Number::New(info.Env(), object.queue.done_ticket());
}

Napi::Value IsDone(const Napi::CallbackInfo& info, QueueObject& object) {
  return Napi::Boolean::New(info.Env(), object.queue.IsDone(Uint32Arg(info, 1)));
}

// queueState(queue): exchange words 0 to 5 become items, free bytes, capacity, max items, unfinished items, and 1 if it is closed.
Napi::Value State(const Napi::CallbackInfo&, QueueObject& object) {
  double* const words = object.state()->exchange_words();
  words[0] = static_cast<double>(object.queue.items());
  words[1] = static_cast<double>(object.queue.free_bytes());
  words[2] = static_cast<double>(object.queue.capacity());
  words[3] = static_cast<double>(object.queue.max_items());
  words[4] = static_cast<double>(object.queue.unfinished());
  words[5] = object.queue.closed() ? 1 : 0;
  return {};
}

// queueIsEndClosed(queue, end, reapDead): true when no member has that end of the pipe open. `reapDead`: frees the records of
// dead members first, which takes a system call for each member.
Napi::Value IsEndClosed(const Napi::CallbackInfo& info, QueueObject& object) {
  const uint64_t end = SizeArg(info, 1);
  if (BooleanArg(info, 2) && object.ends != nullptr && !object.IsEndClosed(end)) object.ends->ReapDead();
  return Napi::Boolean::New(info.Env(), object.IsEndClosed(end));
}

// endsBytes(records)
Napi::Value EndsBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Ends::BytesFor(SizeArg(info, 0))));
}

// initEnds(segment, offset, records)
Napi::Value InitEnds(const Napi::CallbackInfo& info) {
  const uint64_t records = SizeArg(info, 2);
  MutexKind kind;
  EndsCell* const cell = CellArg<EndsCell>(info, Ends::BytesFor(records), &kind);
  if (cell != nullptr) ThrowUnlessInitialised(info.Env(), Ends::Init(cell, records, kind));
  return {};
}

// endsOpen(ends, end): counts one more object of this environment on an end; false when there is no room.
Napi::Value EndsOpen(const Napi::CallbackInfo& info, EndsObject& object) {
  return Napi::Boolean::New(info.Env(), object.ends.Open(SizeArg(info, 1)));
}

// endsClose(ends, end): counts one object less. The caller then wakes the waiters of both rings.
Napi::Value EndsClose(const Napi::CallbackInfo& info, EndsObject& object) {
  object.ends.Close(SizeArg(info, 1));
  return {};
}

}  // namespace

void ExportQueueFunctions(Napi::Env env, Napi::Object exports) {
  ExportAll(env, exports,
            {
                {"queueBytes", QueueBytes},
                {"initQueue", InitQueue},
                {"bindQueue", BindQueue},
                {"bindPipeRing", BindPipeRing},
                {"queueIndex", On<Index>},
                {"queuePutItem", On<PutItem>},
                {"queuePutRecords", On<PutRecords>},
                {"queueGetItem", On<GetItem>},
                {"queuePeek", On<Peek>},
                {"queueTakePeeked", On<TakePeeked>},
                {"queueSpilled", On<Spilled>},
                {"queueClose", On<Close>},
                {"queueWakeAll", On<WakeAll>},
                {"queueTaskDone", On<TaskDone>},
                {"queueDoneTicket", On<DoneTicket>},
                {"queueIsDone", On<IsDone>},
                {"queueState", On<State>},
                {"queueIsEndClosed", On<IsEndClosed>},
                {"endsBytes", EndsBytes},
                {"initEnds", InitEnds},
                {"bindEnds", BindSyncObject<EndsObject, EndsCell>},
                {"endsOpen", OnEnds<EndsOpen>},
                {"endsClose", OnEnds<EndsClose>},
            });

  using Slots = FastSlots<FastPath>;
  AddonState* const state = AddonState::Of(env);
  const auto add = [&](const char* name, napi_callback callback) {
    napi_value function;
    const napi_status status = napi_create_function(env, name, NAPI_AUTO_LENGTH, callback, &state->fast_path(), &function);
    if (Succeeded(env, status, "no function")) exports.Set(name, function);
  };
  add("putSelected", Slots::Callback<PutSelected>(state->slot()));
  add("getSelected", Slots::Callback<GetSelected>(state->slot()));
}

}  // namespace procshare
