#include "platform/windows/parking_table.h"

#include <algorithm>

#include "platform/windows/thread_token.h"

namespace procshare {
namespace {

constexpr uint64_t kNoThread = 1;  // no id: the place of a dead thread is being cleared

}  // namespace

std::shared_ptr<ParkingTable> ParkingTable::Of(uint64_t memory, Audience audience, bool create) {
  const ObjectName name('p', memory);
  Handle section(
      create ? CreateFileMappingW(INVALID_HANDLE_VALUE, SecurityOf(audience), PAGE_READWRITE, 0, sizeof(Bytes), name.get())
             : OpenFileMappingW(FILE_MAP_READ | FILE_MAP_WRITE, FALSE, name.get()));
  if (!section.valid()) return nullptr;
  View view(MapViewOfFile(section.get(), FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, sizeof(Bytes)));
  if (!view.valid()) return nullptr;
  return std::shared_ptr<ParkingTable>(new ParkingTable(std::move(view), std::move(section)));
}

const std::shared_ptr<ParkingTable>& ParkingTable::OfThisProcess() {
  // Never destroyed: threads may sleep until the very end.
  static const auto* const table = [] {
    Handle section(CreateFileMappingW(INVALID_HANDLE_VALUE, nullptr, PAGE_READWRITE, 0, sizeof(Bytes), nullptr));
    View view(section.valid() ? MapViewOfFile(section.get(), FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, sizeof(Bytes)) : nullptr);
    ParkingTable* const made = view.valid() ? new ParkingTable(std::move(view), std::move(section)) : nullptr;
    return new std::shared_ptr<ParkingTable>(made);
  }();
  return *table;
}

uint32_t ParkingTable::used() const {
  return std::min(bytes()->used.load(std::memory_order_seq_cst), kPlaces);  // another process may have damaged it
}

ParkingTable::Place* ParkingTable::Take(uint64_t waiter) {
  for (uint32_t i = 0; i < kPlaces; ++i) {
    Place* const place = &bytes()->places[i];
    uint64_t nobody = 0;
    if (place->waiter.load(std::memory_order_relaxed) != 0) continue;
    if (!place->waiter.compare_exchange_strong(nobody, waiter, std::memory_order_acq_rel)) continue;
    uint32_t used = bytes()->used.load(std::memory_order_relaxed);
    while (used < i + 1 && !bytes()->used.compare_exchange_weak(used, i + 1, std::memory_order_seq_cst)) {
    }
    return place;
  }
  return nullptr;
}

ParkingTable::Place* ParkingTable::Claim(uint64_t waiter) {
  Place* const place = Take(waiter);
  if (place != nullptr) return place;
  FreePlacesOfDeadThreads();
  return Take(waiter);
}

bool ParkingTable::Leave(Place* place) {
  const bool woken = place->key.exchange(0, std::memory_order_acq_rel) == 0;
  place->waiter.store(0, std::memory_order_release);
  return woken;
}

int ParkingTable::Wake(uint64_t key, int count) {
  const uint32_t used = this->used();
  if (used == 0) return 0;
  const uint32_t first = bytes()->next.load(std::memory_order_relaxed) % used;
  int woken = 0;
  for (uint32_t i = 0; i < used && woken < count; ++i) {
    const uint32_t index = (first + i) % used;
    Place* const place = &bytes()->places[index];
    uint64_t expected = key;
    if (place->key.load(std::memory_order_relaxed) != key) continue;
    if (!place->key.compare_exchange_strong(expected, 0, std::memory_order_seq_cst)) continue;
    bytes()->next.store(index + 1, std::memory_order_relaxed);
    // Read after the exchange. The sleeper of this place has either left by itself, and reports a wake-up, or still sleeps.
    uint64_t waiter = place->waiter.load(std::memory_order_acquire);
    if (waiter == 0 || WakeThread(waiter)) {
      ++woken;
    } else {
      place->waiter.compare_exchange_strong(waiter, 0, std::memory_order_acq_rel);  // died asleep
    }
  }
  return woken;
}

// Frees the places of threads that died asleep, or just before their sleep.
void ParkingTable::FreePlacesOfDeadThreads() {
  for (uint32_t i = 0; i < kPlaces; ++i) {
    Place* const place = &bytes()->places[i];
    uint64_t waiter = place->waiter.load(std::memory_order_acquire);
    if (waiter == 0 || waiter == kNoThread || !HasEnded(waiter)) continue;
    // The key is cleared first. No other thread may take the place before that.
    if (!place->waiter.compare_exchange_strong(waiter, kNoThread, std::memory_order_acq_rel)) continue;
    place->key.store(0, std::memory_order_relaxed);
    place->waiter.store(0, std::memory_order_release);
  }
}

}  // namespace procshare
