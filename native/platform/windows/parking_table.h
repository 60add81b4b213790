// ParkingTable: the sleepers on the words of one piece of memory. The bytes are in a separate section, which the kernel creates
// zeroed and for exactly one creator, at the first sleep. futex.cc has the protocol.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "platform/windows/kernel_object.h"

namespace procshare {

class ParkingTable {
 public:
  // One sleeper and one of the words it sleeps on. Free: both zero. A key never stays in a place without a waiter.
  struct Place {
    std::atomic<uint64_t> waiter;  // id of a thread token
    std::atomic<uint64_t> key;     // which word; 0 before the sleep, and after a wake-up
  };

  // The table of a piece of memory. Null when it does not exist and is not to be created, or cannot be created.
  static std::shared_ptr<ParkingTable> Of(uint64_t memory, Audience audience, bool create);
  // The table of all words of this process that are in no such memory.
  static const std::shared_ptr<ParkingTable>& OfThisProcess();

  // A place for a thread that is about to sleep; null when all are taken.
  Place* Claim(uint64_t waiter);
  // From here on wakers see the place. A full fence must follow before the sleeper reads the word.
  static void Enter(Place* place, uint64_t key) { place->key.store(key, std::memory_order_seq_cst); }
  // Gives the place back. True when its sleeper was woken.
  static bool Leave(Place* place);

  // Wakes up to `count` sleepers of the word, and returns their number.
  int Wake(uint64_t key, int count);

 private:
  static constexpr uint32_t kPlaces = 1020;
  struct Bytes {
    std::atomic<uint32_t> used;  // no place from this one on was ever taken
    std::atomic<uint32_t> next;  // where the next wake begins, so that all places get their turn
    uint64_t reserved[7];
    Place places[kPlaces];
  };

  ParkingTable(View view, Handle section) : view_(std::move(view)), section_(std::move(section)) {}
  Bytes* bytes() const { return view_.As<Bytes>(); }
  uint32_t used() const;
  Place* Take(uint64_t waiter);
  void FreePlacesOfDeadThreads();

  View view_;
  Handle section_;  // keeps the name
};

}  // namespace procshare
