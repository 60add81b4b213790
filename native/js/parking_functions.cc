#include "js/parking_functions.h"

#include <unordered_map>

#include "js/sync_object.h"
#include "shm/parking.h"

namespace procshare {
namespace {

// Waits for a key: of a condition, or for the word at an offset of the payload.
class ParkingObject final : public SyncObject {
 public:
  static constexpr SyncKind kKind = SyncKind::kParking;
  static constexpr bool kHasMutex = true;

  ParkingObject(const Napi::Value& segment, ParkingCell* cell, size_t byte_length)
      : SyncObject(segment, kKind),
        cell_(cell),
        byte_length_(byte_length),
        capacity_(LedgerView::CapacityOf(&cell->ledger, byte_length - offsetof(ParkingCell, ledger))) {}
  bool LooksSound() const { return capacity_ != UINT64_MAX && GuardedLooksSound(&cell_->guarded, members()->owners()); }

  bool IsUsed() const { return LedgerView(&cell_->ledger, capacity_).used() > 0; }

  // A transaction of the cell.
  class Transaction {
   public:
    explicit Transaction(ParkingObject* object, MutexWait mutex_wait = MutexWait::kUnlimited)
        : guard_(&object->cell_->guarded, object->byte_length_, object->members()->owners(), mutex_wait),
          parking_(&guard_, LedgerView(&object->cell_->ledger, object->capacity_), object->members()) {}
    bool held() const { return guard_.held(); }
    Parking* operator->() { return &parking_; }

   private:
    Guard guard_;
    Parking parking_;
  };

  // A word of the payload; null when there is none.
  const std::atomic<uint32_t>* WordAt(uint64_t offset) const {
    if (offset % 4 != 0 || offset + 4 > segment().payload_bytes()) return nullptr;
    return reinterpret_cast<const std::atomic<uint32_t>*>(segment().payload() + offset);
  }

  // The id of the wait that sleeps on the grant word of a record.
  uint32_t WaitOf(LedgerRecord* record) {
    const auto [known, added] = waits_of_records_.emplace(record, 0);
    if (added) {
      known->second = AddWait({&record->grant_word, nullptr,
                               [record](uint64_t) { return record->granted.load(std::memory_order_relaxed) > 0; },
                               [this] { ReapDead(); }});
    }
    return known->second;
  }

 private:
  void ReapDead() {
    if (!ClaimReaping(&cell_->ledger)) return;
    Transaction transaction(this, MutexWait::kBrief);
    if (transaction.held()) (void)transaction->ReapDead();
  }

  ParkingCell* const cell_;
  const size_t byte_length_;
  const uint64_t capacity_;
  std::unordered_map<LedgerRecord*, uint32_t> waits_of_records_;
};

template <Napi::Value (*kBody)(const Napi::CallbackInfo&, ParkingObject&)>
constexpr auto On = OnSyncObject<ParkingObject, kBody>;

constexpr int kFull = -1;
constexpr int kNotEqual = -2;
constexpr int kBroken = -3;

Napi::Value ParkingBytes(const Napi::CallbackInfo& info) {
  return Napi::Number::New(info.Env(), static_cast<double>(sizeof(ParkingCell) + LedgerView::BytesFor(SizeArg(info, 0))));
}

// initParking(segment, offset, records)
Napi::Value InitParking(const Napi::CallbackInfo& info) {
  const uint64_t records = SizeArg(info, 2);
  MutexKind kind;
  ParkingCell* const cell = CellArg<ParkingCell>(info, sizeof(ParkingCell) + LedgerView::BytesFor(records), &kind);
  if (cell == nullptr) return {};
  cell->ledger.capacity.store(records, std::memory_order_relaxed);
  ThrowUnlessInitialised(info.Env(), InitGuarded(&cell->guarded, kind));
  return {};
}

int ParkAt(ParkingObject* object, ParkingObject::Transaction* transaction, uint64_t key) {
  LedgerRecord* const record = (*transaction)->Park(key);
  return record == nullptr ? kFull : static_cast<int>(object->WaitOf(record));
}

// park(parking, key): begins a wait; the id of the wait to sleep on, or kFull, kBroken.
Napi::Value Park(const Napi::CallbackInfo& info, ParkingObject& object) {
  const uint64_t key = SizeArg(info, 1);
  if (!ArgumentsOk(info)) return {};
  ParkingObject::Transaction transaction(&object);
  return Napi::Number::New(info.Env(), transaction.held() ? ParkAt(&object, &transaction, key) : kBroken);
}

const std::atomic<uint32_t>* WordOrThrow(const Napi::CallbackInfo& info, const ParkingObject& object, uint64_t offset) {
  const std::atomic<uint32_t>* const word = object.WordAt(offset);
  if (word == nullptr) ThrowArgument(info.Env(), 1, "the offset of a word");
  return word;
}

// parkIfEqual(parking, byteOffset, expected): as park() for the key byteOffset, unless the word there has another value: then
// kNotEqual.
Napi::Value ParkIfEqual(const Napi::CallbackInfo& info, ParkingObject& object) {
  const uint64_t offset = SizeArg(info, 1);
  const std::atomic<uint32_t>* const word = WordOrThrow(info, object, offset);
  const uint32_t expected = static_cast<uint32_t>(Int32Arg(info, 2));
  if (!ArgumentsOk(info)) return {};
  ParkingObject::Transaction transaction(&object);
  if (!transaction.held()) return Napi::Number::New(info.Env(), kBroken);
  const int wait = ParkAt(&object, &transaction, offset);
  if (wait < 0) return Napi::Number::New(info.Env(), wait);
  // The check comes after the record is written. A notifier that changed the word before the check finds the record (see Unpark
  // below). A notifier that changes it later waits for the mutex.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (word->load(std::memory_order_seq_cst) == expected) return Napi::Number::New(info.Env(), wait);
  uint64_t outcome;
  (void)transaction->Cancel(offset, &outcome);
  return Napi::Number::New(info.Env(), kNotEqual);
}

// spinWord(parking, byteOffset, expected, timeoutMs): spins on a word for a few microseconds; whether it has changed.
Napi::Value SpinWord(const Napi::CallbackInfo& info, ParkingObject& object) {
  const std::atomic<uint32_t>* const word = WordOrThrow(info, object, SizeArg(info, 1));
  const uint32_t expected = static_cast<uint32_t>(Int32Arg(info, 2));
  const double timeout_ms = NumberArg(info, 3);
  if (!ArgumentsOk(info)) return {};
  const bool changed = SpinUntil([&] { return word->load(std::memory_order_acquire) != expected; }, timeout_ms);
  return Napi::Boolean::New(info.Env(), changed);
}

// parkTake(parking, key): whether one of this environment's waits was granted; it takes that grant.
Napi::Value Take(const Napi::CallbackInfo& info, ParkingObject& object) {
  const uint64_t key = SizeArg(info, 1);
  ParkingObject::Transaction transaction(&object);
  uint64_t outcome;
  return Napi::Boolean::New(info.Env(), transaction.held() && transaction->Take(key, &outcome));
}

// parkCancel(parking, key): cancels one of this environment's waits; true when all of them were granted and it took a grant
// instead.
Napi::Value Cancel(const Napi::CallbackInfo& info, ParkingObject& object) {
  const uint64_t key = SizeArg(info, 1);
  ParkingObject::Transaction transaction(&object);
  uint64_t outcome;
  return Napi::Boolean::New(info.Env(), transaction.held() && transaction->Cancel(key, &outcome));
}

// unpark(parking, key, count): grants up to `count` waits, and returns how many.
Napi::Value Unpark(const Napi::CallbackInfo& info, ParkingObject& object) {
  // The caller's change of the word precedes this check, and a waiter's record precedes its check of the word.
  std::atomic_thread_fence(std::memory_order_seq_cst);
  if (!object.IsUsed()) return Napi::Number::New(info.Env(), 0);
  const uint64_t key = SizeArg(info, 1), count = SizeArg(info, 2);
  ParkingObject::Transaction transaction(&object);
  const uint64_t woken = transaction.held() ? transaction->Unpark(key, count) : 0;
  return Napi::Number::New(info.Env(), static_cast<double>(woken));
}

}  // namespace

void ExportParkingFunctions(Napi::Env env, Napi::Object exports) {
  ExportAll(env, exports,
            {
                {"parkingBytes", ParkingBytes},
                {"initParking", InitParking},
                {"bindParking", BindSyncObject<ParkingObject, ParkingCell>},
                {"park", On<Park>},
                {"parkIfEqual", On<ParkIfEqual>},
                {"spinWord", On<SpinWord>},
                {"parkTake", On<Take>},
                {"parkCancel", On<Cancel>},
                {"unpark", On<Unpark>},
            });
}

}  // namespace procshare
