#include "js/barrier_functions.h"

#include <unordered_map>

#include "js/sync_object.h"
#include "shm/barrier.h"

namespace procshare {
namespace {

class BarrierObject final : public SyncObject {
 public:
  static constexpr SyncKind kKind = SyncKind::kBarrier;
  static constexpr bool kHasMutex = true;

  // The first wait is for the end of an action that another party performs.
  BarrierObject(const Napi::Value& segment, BarrierCell* cell, size_t byte_length)
      : SyncObject(segment, kKind), barrier(cell, byte_length, members()) {
    WakeWord* const wake = barrier.wake();
    AddWait({&wake->word, &wake->flags, [this](uint64_t) { return barrier.phase() != BarrierPhase::kActing; },
             [this] { barrier.ReapDeadIfDue(); }});
  }
  bool LooksSound() const { return barrier.LooksSound(); }

  // The id of the wait that sleeps on the grant word of a record.
  uint32_t WaitOf(LedgerRecord* record) {
    const auto [known, added] = waits_of_records_.emplace(record, 0);
    if (added) {
      known->second = AddWait({&record->grant_word, nullptr,
                               [record](uint64_t) { return record->granted.load(std::memory_order_relaxed) > 0; },
                               [this] { barrier.ReapDeadIfDue(); }});
    }
    return known->second;
  }

  Barrier barrier;

 private:
  std::unordered_map<LedgerRecord*, uint32_t> waits_of_records_;
};

template <Napi::Value (*kBody)(const Napi::CallbackInfo&, BarrierObject&)>
constexpr auto On = OnSyncObject<BarrierObject, kBody>;

Napi::Value ToJs(const Napi::CallbackInfo& info, BarrierOutcome outcome) {
  return Napi::Number::New(info.Env(), static_cast<int>(outcome));
}

Napi::Value BarrierBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(Barrier::BytesFor(SizeArg(info, 0))));
}

// initBarrier(segment, offset, parties, records, timeoutNs)
Napi::Value InitBarrier(const Napi::CallbackInfo& info) {
  const uint64_t parties = SizeArg(info, 2), records = SizeArg(info, 3), timeout_ns = SizeArg(info, 4);
  MutexKind kind;
  BarrierCell* const cell = CellArg<BarrierCell>(info, Barrier::BytesFor(records), &kind);
  if (cell != nullptr) ThrowUnlessInitialised(info.Env(), Barrier::Init(cell, parties, records, kind, timeout_ns));
  return {};
}

// barrierArrive(barrier, acts): a BarrierOutcome; exchange words 0 to 2 become index, generation and the id of the wait.
Napi::Value Arrive(const Napi::CallbackInfo& info, BarrierObject& object) {
  const Barrier::Arrival arrival = object.barrier.Arrive(BooleanArg(info, 1));
  double* const words = object.state()->exchange_words();
  words[0] = static_cast<double>(arrival.index);
  words[1] = static_cast<double>(arrival.generation);
  words[2] = arrival.record == nullptr ? 0 : object.WaitOf(arrival.record);
  return ToJs(info, arrival.outcome);
}

// barrierTake(barrier, generation), barrierFinish, barrierCancel: a BarrierOutcome.
Napi::Value Take(const Napi::CallbackInfo& info, BarrierObject& object) {
  return ToJs(info, object.barrier.Take(SizeArg(info, 1)));
}

Napi::Value Finish(const Napi::CallbackInfo& info, BarrierObject& object) {
  return ToJs(info, object.barrier.Finish(SizeArg(info, 1)));
}

Napi::Value Cancel(const Napi::CallbackInfo& info, BarrierObject& object) {
  return ToJs(info, object.barrier.Cancel(SizeArg(info, 1)));
}

Napi::Value Abort(const Napi::CallbackInfo&, BarrierObject& object) {
  object.barrier.Abort();
  return {};
}

Napi::Value Reset(const Napi::CallbackInfo&, BarrierObject& object) {
  object.barrier.Reset();
  return {};
}

Napi::Value Parties(const Napi::CallbackInfo& info, BarrierObject& object) {
  return Napi::Number::New(info.Env(), static_cast<double>(object.barrier.parties()));
}

// barrierTimeoutNs(barrier): the timeout of waits that have no timeout of their own; 0: none.
Napi::Value TimeoutNs(const Napi::CallbackInfo& info, BarrierObject& object) {
  return Napi::Number::New(info.Env(), static_cast<double>(object.barrier.timeout_ns()));
}

Napi::Value Waiting(const Napi::CallbackInfo& info, BarrierObject& object) {
  return Napi::Number::New(info.Env(), static_cast<double>(object.barrier.waiting()));
}

Napi::Value IsBroken(const Napi::CallbackInfo& info, BarrierObject& object) {
  object.barrier.ReapDead();
  return Napi::Boolean::New(info.Env(), object.barrier.broken());
}

}  // namespace

void ExportBarrierFunctions(Napi::Env env, Napi::Object exports) {
  ExportAll(env, exports,
            {
                {"barrierBytes", BarrierBytes},
                {"initBarrier", InitBarrier},
                {"bindBarrier", BindSyncObject<BarrierObject, BarrierCell>},
                {"barrierArrive", On<Arrive>},
                {"barrierTake", On<Take>},
                {"barrierFinish", On<Finish>},
                {"barrierCancel", On<Cancel>},
                {"barrierAbort", On<Abort>},
                {"barrierReset", On<Reset>},
                {"barrierParties", On<Parties>},
                {"barrierTimeoutNs", On<TimeoutNs>},
                {"barrierWaiting", On<Waiting>},
                {"barrierIsBroken", On<IsBroken>},
            });
}

}  // namespace procshare
