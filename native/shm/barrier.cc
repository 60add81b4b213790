#include "shm/barrier.h"

namespace procshare {
namespace {

// No barrier reaches this generation. JavaScript gets the generation of a wait, and has no greater exact integers.
constexpr uint64_t kMaxGeneration = (uint64_t{1} << 53) - 2;

uint64_t Load(const std::atomic<uint64_t>& word) { return word.load(std::memory_order_relaxed); }

}  // namespace

bool Barrier::Init(BarrierCell* cell, uint64_t parties, uint64_t records, MutexKind kind, uint64_t timeout_ns) {
  cell->parties.store(parties, std::memory_order_relaxed);
  cell->timeout_ns.store(timeout_ns, std::memory_order_relaxed);
  cell->ledger.capacity.store(records, std::memory_order_relaxed);
  return InitGuarded(&cell->guarded, kind);
}

Barrier::Barrier(BarrierCell* cell, size_t byte_length, Members* members)
    : cell_(cell),
      byte_length_(byte_length),
      capacity_(LedgerView::CapacityOf(&cell->ledger, byte_length - offsetof(BarrierCell, ledger))),
      parties_(Load(cell->parties)),
      members_(members) {}

bool Barrier::LooksSound() const {
  return capacity_ != UINT64_MAX && parties_ > 0 && GuardedLooksSound(&cell_->guarded, members_->owners());
}

// The critical section of the mutex. The constructor completes an interrupted end (B2); the destructor wakes waiters that are not
// in the ledger.
class Barrier::Transaction {
 public:
  explicit Transaction(Barrier* barrier, MutexWait mutex_wait = MutexWait::kUnlimited)
      : cell_(barrier->cell_),
        guard_(&cell_->guarded, barrier->byte_length_, barrier->members_->owners(), mutex_wait),
        ledger_(&cell_->ledger, barrier->capacity_),
        members_(barrier->members_),
        parking_(&guard_, ledger_, members_) {
    if (guard_.held()) FinishPhase();
  }
  ~Transaction() {
    guard_.Release();
    // Wakes only if the state has changed: waiters for the end of an action try by arriving, and would wake each other for ever.
    if (phase_changed_) WakeAnnounced(&cell_->guarded.wake);
  }

  bool held() const { return guard_.held(); }
  Parking& parking() { return parking_; }
  BarrierPhase phase() const { return static_cast<BarrierPhase>(Load(cell_->phase)); }
  bool open() const { return phase() == BarrierPhase::kFilling || phase() == BarrierPhase::kActing; }
  uint64_t generation() const { return Load(cell_->generation); }

  // The key whose dead members are not reaped: because of them the barrier will be broken (B3).
  uint64_t excluded_key() const { return open() ? generation() : Parking::kNoKey; }

  uint64_t arrived() const {
    uint64_t sum = 0;
    ledger_.ForEach([&](LedgerRecord* record) {
      if (Load(record->key) == generation()) sum += Load(record->count);
      return true;
    });
    return sum;
  }

  bool AnyDead() const {
    bool dead = false;
    ledger_.ForEach([&](LedgerRecord* record) {
      dead = Load(record->key) == generation() && !members_->IsMember(Load(record->member));
      return !dead;
    });
    return dead;
  }

  // Ends the generation by a trip, a break or a reset.
  void End(BarrierPhase how) {
    SetPhase(how);
    FinishPhase();
  }

  void SetPhase(BarrierPhase phase) {
    guard_.Set(&cell_->phase, static_cast<uint64_t>(phase));
    guard_.Commit();
    phase_changed_ = true;
  }

  void BreakIfAnyDied() {
    if (open() && AnyDead()) End(BarrierPhase::kBreaking);
  }

 private:
  // Grants the waits of a generation whose end was announced, and begins the next phase.
  void FinishPhase() {
    const BarrierPhase how = phase();
    const bool ends = how == BarrierPhase::kTripping || how == BarrierPhase::kBreaking || how == BarrierPhase::kResetting;
    if (!ends) return;
    const BarrierOutcome outcome = how == BarrierPhase::kTripping ? BarrierOutcome::kTripped : BarrierOutcome::kBroken;
    parking_.Unpark(generation(), UINT64_MAX, static_cast<uint64_t>(outcome));
    const bool broken = how == BarrierPhase::kBreaking;
    guard_.Set(&cell_->phase, static_cast<uint64_t>(broken ? BarrierPhase::kBroken : BarrierPhase::kFilling));
    if (!broken) guard_.Set(&cell_->generation, generation() + 1);
    guard_.Commit();
    phase_changed_ = true;
  }

  BarrierCell* const cell_;
  Guard guard_;
  LedgerView ledger_;
  Members* const members_;
  Parking parking_;
  bool phase_changed_ = false;
};

Barrier::Arrival Barrier::Arrive(bool acts) {
  Transaction transaction(this);
  if (!transaction.held()) return {BarrierOutcome::kCorrupt};
  transaction.BreakIfAnyDied();
  if (transaction.phase() == BarrierPhase::kBroken) return {BarrierOutcome::kBroken};
  if (transaction.phase() == BarrierPhase::kActing) return {BarrierOutcome::kBusy};
  const uint64_t generation = transaction.generation();
  if (generation > kMaxGeneration) return {BarrierOutcome::kCorrupt};
  const uint64_t index = transaction.arrived();
  const bool last = index + 1 >= parties_;
  if (last && !acts) {
    transaction.End(BarrierPhase::kTripping);
    return {BarrierOutcome::kTripped, index, generation};
  }
  LedgerRecord* const record = transaction.parking().Park(generation, transaction.excluded_key());
  if (record == nullptr) return {BarrierOutcome::kFull};
  if (last) transaction.SetPhase(BarrierPhase::kActing);
  return {last ? BarrierOutcome::kActs : BarrierOutcome::kWaits, index, generation, record};
}

BarrierOutcome Barrier::Take(uint64_t generation) {
  Transaction transaction(this);
  if (!transaction.held()) return BarrierOutcome::kCorrupt;
  uint64_t outcome;
  if (!transaction.parking().Take(generation, &outcome)) return BarrierOutcome::kWaits;
  return outcome == static_cast<uint64_t>(BarrierOutcome::kTripped) ? BarrierOutcome::kTripped : BarrierOutcome::kBroken;
}

BarrierOutcome Barrier::Finish(uint64_t generation) {
  {
    Transaction transaction(this);
    if (!transaction.held()) return BarrierOutcome::kCorrupt;
    const bool ours = transaction.phase() == BarrierPhase::kActing && transaction.generation() == generation;
    if (ours) transaction.End(BarrierPhase::kTripping);
  }
  return Take(generation);
}

BarrierOutcome Barrier::Cancel(uint64_t generation) {
  Transaction transaction(this);
  if (!transaction.held()) return BarrierOutcome::kCorrupt;
  // Breaks first, which ends this wait, too. In the opposite order, a party that is killed in between would be in no record. The
  // others would wait for it for ever.
  if (transaction.open() && transaction.generation() == generation) transaction.End(BarrierPhase::kBreaking);
  uint64_t outcome;
  const bool is_granted = transaction.parking().Take(generation, &outcome);
  const bool tripped = is_granted && outcome == static_cast<uint64_t>(BarrierOutcome::kTripped);
  return tripped ? BarrierOutcome::kTripped : BarrierOutcome::kBroken;
}

void Barrier::Abort() {
  Transaction transaction(this);
  if (transaction.held() && transaction.phase() != BarrierPhase::kBroken) transaction.End(BarrierPhase::kBreaking);
}

void Barrier::Reset() {
  Transaction transaction(this);
  if (transaction.held()) transaction.End(BarrierPhase::kResetting);
}

void Barrier::ReapDead() {
  Transaction transaction(this, MutexWait::kBrief);
  if (!transaction.held()) return;
  transaction.BreakIfAnyDied();
  (void)transaction.parking().ReapDead(transaction.excluded_key());
}

uint64_t Barrier::waiting() {
  Transaction transaction(this);
  return transaction.held() && transaction.phase() == BarrierPhase::kFilling ? transaction.arrived() : 0;
}

}  // namespace procshare
