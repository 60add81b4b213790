// Maps addresses of this process to bytes of shared memory. So a word can be named to other processes, and read without the risk
// that it is unmapped meanwhile.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

#include "platform/windows/parking_table.h"

namespace procshare {

void RegisterMapping(const uint8_t* data, size_t byte_length, uint64_t memory, Audience audience);
// Called before the bytes are unmapped. Calls of Holds() for them have ended when this returns.
void UnregisterMapping(const uint8_t* data);

// The key of a word, and the table to which the key belongs.
struct WordSite {
  std::shared_ptr<ParkingTable> table;  // null when no table exists
  uint64_t key = 0;
};
WordSite SiteOf(const std::atomic<uint32_t>* word, bool create_table);

// Whether the word has this value; false also when it is not mapped.
bool Holds(const std::atomic<uint32_t>* word, uint32_t expected);

}  // namespace procshare
