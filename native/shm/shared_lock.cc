#include "shm/shared_lock.h"

namespace procshare {
namespace {

// The number of checks of a held lock before a blocking acquirer sleeps. They take a few microseconds: about the length of a
// short critical section, and a tenth of the cost of a sleep and a wake-up.
constexpr int kSpins = 100;

// The time for which a blocking acquirer waits before it reserves the lock: a few time slices of the scheduler. Until then
// running threads may take the lock first, which makes a busy lock fast.
constexpr double kReserveAfterMs = 5;

// The time for which a reservation is valid: long enough for a waiting event loop that is not busy.
constexpr double kReservationMs = 10;
constexpr int64_t kReservationNs = static_cast<int64_t>(kReservationMs * 1e6);

int64_t Now() { return Deadline::AfterMs(0).since_epoch_ns(); }

// Whether a reservation that ends at that time is valid. A reservation that ends later than a new one would end is damaged.
bool IsReservationValid(uint64_t reserved_until) {
  const int64_t until = static_cast<int64_t>(reserved_until), now = Now();
  return now < until && until - now <= kReservationNs;
}

}  // namespace

MutexOutcome SharedLock::Acquire(uint64_t owner, Deadline deadline) {
  for (int i = 0; i < kSpins; ++i) {
    if (Peek() != MutexState::kHeld) {
      const MutexOutcome outcome = TryAcquire(owner);
      if (outcome != MutexOutcome::kBusy) return outcome;
    }
    SpinPause();
  }
  for (bool is_first_slice = true;; is_first_slice = false) {
    if (!is_first_slice) Reserve(owner);
    const Deadline slice = Deadline::Earlier(deadline, Deadline::AfterMs(kReserveAfterMs));
    const MutexOutcome outcome = FinishAcquire(RobustMutexAcquire(&cell_->mutex, owners_, slice), owner);
    if (outcome != MutexOutcome::kBusy) return outcome;
    if (deadline.passed()) {
      Unreserve(owner);
      return outcome;
    }
    if (IsReservedForOthers(owner)) WaitForReservation(owner, deadline);
  }
}

void SharedLock::Reserve(uint64_t owner) {
  const uint64_t reserved_by = cell_->reserved_for.load(std::memory_order_relaxed);
  const bool is_valid = reserved_by != 0 && IsReservationValid(cell_->reserved_until.load(std::memory_order_relaxed));
  if (is_valid && reserved_by != owner) return;
  // When two waiters reserve at once, the later store wins; the other one reserves again after its next slice.
  BeginReservation();
  cell_->reserved_for.store(owner, std::memory_order_relaxed);
  cell_->flags.fetch_or(kLockReserved, std::memory_order_release);  // pairs with the acquire in CheckFlags
}

// The time of a reservation does not pass while the lock is held: the release restarts it.
void SharedLock::BeginReservation() {
  cell_->reserved_until.store(static_cast<uint64_t>(Now() + kReservationNs), std::memory_order_relaxed);
}

void SharedLock::Unreserve(uint64_t owner) {
  cell_->reserved_for.compare_exchange_strong(owner, 0, std::memory_order_relaxed);
}

bool SharedLock::IsReservedForOthers(uint64_t owner) const {
  if ((cell_->flags.load(std::memory_order_acquire) & kLockReserved) == 0) return false;
  const uint64_t reserved_by = cell_->reserved_for.load(std::memory_order_relaxed);
  return reserved_by != 0 && reserved_by != owner &&
         IsReservationValid(cell_->reserved_until.load(std::memory_order_relaxed));
}

// Called after the mutex was taken. Whether this owner may keep it.
MutexOutcome SharedLock::CheckFlags(uint64_t owner) {
  if (IsReservedForOthers(owner)) {
    Unlock();  // does not restart the reservation: attempts would prolong that of a dead waiter
    return MutexOutcome::kBusy;
  }
  const uint32_t flags = cell_->flags.fetch_and(~(kLockReserved | kLockAbandoned), std::memory_order_acquire);
  if ((flags & kLockReserved) != 0) cell_->reserved_for.store(0, std::memory_order_relaxed);
  return (flags & kLockAbandoned) != 0 ? MutexOutcome::kAbandoned : MutexOutcome::kAcquired;
}

// Sleeps until the owner of the reservation has taken and released the lock, or until the reservation is void.
void SharedLock::WaitForReservation(uint64_t owner, Deadline deadline) {
  const uint32_t expected = AnnounceWaiter(&cell_->release_word, &cell_->flags);
  if (!IsReservedForOthers(owner)) return;
  (void)FutexWait(&cell_->release_word, expected, Deadline::Earlier(deadline, Deadline::AfterMs(kReservationMs)));
}

void SharedLock::ReleaseAbandoned() {
  MarkAbandoned();
  Release();
}

MutexOutcome SharedLock::TakeAbandoned(uint64_t owner) {
  // A reservation of this owner is used up; one of another owner stays.
  const bool ours = cell_->reserved_for.load(std::memory_order_relaxed) == owner;
  cell_->flags.fetch_and(~(ours ? kLockAbandoned | kLockReserved : kLockAbandoned),
                         std::memory_order_relaxed);  // under the mutex
  if (ours) cell_->reserved_for.store(0, std::memory_order_relaxed);
  return MutexOutcome::kAbandoned;
}

}  // namespace procshare
