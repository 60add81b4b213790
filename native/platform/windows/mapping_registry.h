// Which addresses of this process are which bytes of which memory: so that a word can be named to other processes, and looked
// at without the risk that it is unmapped meanwhile.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "platform/windows/parking_table.h"

namespace procshare {

void RegisterMapping(const uint8_t* data, size_t byte_length, uint64_t memory, Audience audience);
// Before the bytes are unmapped. Calls of Holds() for them have ended when this returns.
void UnregisterMapping(const uint8_t* data);

// The key of a word, and the table in which it is a key.
struct WordSite {
  std::shared_ptr<ParkingTable> table;  // null when there is none
  uint64_t key = 0;
};
WordSite SiteOf(const std::atomic<uint32_t>* word, bool create_table);

// Whether the word holds this number; false as well when it is not mapped.
bool Holds(const std::atomic<uint32_t>* word, uint32_t expected);

}  // namespace procshare
