#include "shm/barrier.h"

namespace procshare {
namespace {

// No barrier gets there; and JavaScript, which is told the generation of a wait, has no greater numbers that are exact.
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

// The time under the mutex: what was left unfinished is finished first (B2), and those outside are woken at the end.
class Barrier::Session {
 public:
  explicit Session(Barrier* barrier, Patience patience = Patience::kUnlimited)
      : cell_(barrier->cell_),
        guard_(&cell_->guarded, barrier->byte_length_, barrier->members_->owners(), patience),
        ledger_(&cell_->ledger, barrier->capacity_),
        members_(barrier->members_),
        parking_(&guard_, ledger_, members_) {
    if (guard_.held()) Settle();
  }
  ~Session() {
    guard_.Release();
    // Only then: those who wait for the end of an action come here to look, and would keep waking each other.
    if (phase_changed_) WakeAnnounced(&cell_->guarded.wake);
  }

  bool held() const { return guard_.held(); }
  Parking& parking() { return parking_; }
  BarrierPhase phase() const { return static_cast<BarrierPhase>(Load(cell_->phase)); }
  bool open() const { return phase() == BarrierPhase::kFilling || phase() == BarrierPhase::kActing; }
  uint64_t generation() const { return Load(cell_->generation); }

  // Whose dead are not buried: they are why the barrier will be broken (B3).
  uint64_t spared_key() const { return open() ? generation() : Parking::kNoKey; }

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

  // Ends the generation in this way.
  void End(BarrierPhase how) {
    SetPhase(how);
    Settle();
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
  // Tells the waiters of a generation that is at its end, and begins what comes next.
  void Settle() {
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
  Session session(this);
  if (!session.held()) return {BarrierOutcome::kCorrupt};
  session.BreakIfAnyDied();
  if (session.phase() == BarrierPhase::kBroken) return {BarrierOutcome::kBroken};
  if (session.phase() == BarrierPhase::kActing) return {BarrierOutcome::kBusy};
  const uint64_t generation = session.generation();
  if (generation > kMaxGeneration) return {BarrierOutcome::kCorrupt};
  const uint64_t index = session.arrived();
  const bool last = index + 1 >= parties_;
  if (last && !acts) {
    session.End(BarrierPhase::kTripping);
    return {BarrierOutcome::kTripped, index, generation};
  }
  LedgerRecord* const record = session.parking().Park(generation, session.spared_key());
  if (record == nullptr) return {BarrierOutcome::kFull};
  if (last) session.SetPhase(BarrierPhase::kActing);
  return {last ? BarrierOutcome::kActs : BarrierOutcome::kWaits, index, generation, record};
}

BarrierOutcome Barrier::Take(uint64_t generation) {
  Session session(this);
  if (!session.held()) return BarrierOutcome::kCorrupt;
  uint64_t outcome;
  if (!session.parking().Take(generation, &outcome)) return BarrierOutcome::kWaits;
  return outcome == static_cast<uint64_t>(BarrierOutcome::kTripped) ? BarrierOutcome::kTripped : BarrierOutcome::kBroken;
}

BarrierOutcome Barrier::Finish(uint64_t generation) {
  {
    Session session(this);
    if (!session.held()) return BarrierOutcome::kCorrupt;
    const bool ours = session.phase() == BarrierPhase::kActing && session.generation() == generation;
    if (ours) session.End(BarrierPhase::kTripping);
  }
  return Take(generation);
}

BarrierOutcome Barrier::Leave(uint64_t generation) {
  Session session(this);
  if (!session.held()) return BarrierOutcome::kCorrupt;
  // Broken first, which ends our own wait, too. The other way round, one that is killed in between would be missed by
  // nobody, and the others would wait for it for ever.
  if (session.open() && session.generation() == generation) session.End(BarrierPhase::kBreaking);
  uint64_t outcome;
  const bool told = session.parking().Take(generation, &outcome);
  const bool tripped = told && outcome == static_cast<uint64_t>(BarrierOutcome::kTripped);
  return tripped ? BarrierOutcome::kTripped : BarrierOutcome::kBroken;
}

void Barrier::Abort() {
  Session session(this);
  if (session.held() && session.phase() != BarrierPhase::kBroken) session.End(BarrierPhase::kBreaking);
}

void Barrier::Reset() {
  Session session(this);
  if (session.held()) session.End(BarrierPhase::kResetting);
}

void Barrier::Tend() {
  Session session(this, Patience::kShort);
  if (!session.held()) return;
  session.BreakIfAnyDied();
  (void)session.parking().BuryTheDead(session.spared_key());
}

uint64_t Barrier::waiting() {
  Session session(this);
  return session.held() && session.phase() == BarrierPhase::kFilling ? session.arrived() : 0;
}

}  // namespace procshare
