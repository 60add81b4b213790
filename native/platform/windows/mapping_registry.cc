#include "platform/windows/mapping_registry.h"

#include <map>

namespace procshare {
namespace {

struct Mapping {
  size_t byte_length;
  uint64_t memory;
  Audience audience;
  std::shared_ptr<ParkingTable> table;  // after the first sleep on a word of it
};

struct Registry {
  SRWLOCK lock = SRWLOCK_INIT;
  std::map<uintptr_t, Mapping> mappings;  // by address
};

// Never destroyed: buffers are collected until the very end.
Registry& TheRegistry() {
  static Registry* const registry = new Registry;
  return *registry;
}

class Shared {
 public:
  Shared() { AcquireSRWLockShared(&TheRegistry().lock); }
  ~Shared() { ReleaseSRWLockShared(&TheRegistry().lock); }
};

class Exclusive {
 public:
  Exclusive() { AcquireSRWLockExclusive(&TheRegistry().lock); }
  ~Exclusive() { ReleaseSRWLockExclusive(&TheRegistry().lock); }
};

// Requires the lock. Null for an address in no mapping.
Mapping* Find(uintptr_t address, uintptr_t* offset) {
  auto& mappings = TheRegistry().mappings;
  auto item = mappings.upper_bound(address);
  if (item == mappings.begin()) return nullptr;
  --item;
  *offset = address - item->first;
  return *offset < item->second.byte_length ? &item->second : nullptr;
}

}  // namespace

void RegisterMapping(const uint8_t* data, size_t byte_length, uint64_t memory, Audience audience) {
  const Exclusive lock;
  TheRegistry().mappings[reinterpret_cast<uintptr_t>(data)] = {byte_length, memory, audience, nullptr};
}

void UnregisterMapping(const uint8_t* data) {
  std::shared_ptr<ParkingTable> table;  // destroyed after the lock is released
  const Exclusive lock;
  const auto item = TheRegistry().mappings.find(reinterpret_cast<uintptr_t>(data));
  if (item == TheRegistry().mappings.end()) return;
  table = std::move(item->second.table);
  TheRegistry().mappings.erase(item);
}

WordSite SiteOf(const std::atomic<uint32_t>* word, bool create_table) {
  const uintptr_t address = reinterpret_cast<uintptr_t>(word);
  uintptr_t offset;
  {
    const Shared lock;
    const Mapping* const mapping = Find(address, &offset);
    if (mapping == nullptr) return {ParkingTable::OfThisProcess(), address};
    if (mapping->table != nullptr) return {mapping->table, offset + 1};
  }
  const Exclusive lock;
  Mapping* const mapping = Find(address, &offset);
  if (mapping == nullptr) return {};
  if (mapping->table == nullptr) mapping->table = ParkingTable::Of(mapping->memory, mapping->audience, create_table);
  return {mapping->table, offset + 1};
}

bool Holds(const std::atomic<uint32_t>* word, uint32_t expected) {
  {
    uintptr_t offset;
    const Shared lock;
    if (Find(reinterpret_cast<uintptr_t>(word), &offset) != nullptr) {
      return word->load(std::memory_order_seq_cst) == expected;
    }
  }
  // The word belongs to this process alone, or is not mapped any more. A plain read could end the process; these calls fail
  // instead. There are two, because in Wine one of them reads memory that was just unmapped.
  MEMORY_BASIC_INFORMATION info;
  if (VirtualQuery(word, &info, sizeof info) == 0 || info.State != MEM_COMMIT) return false;
  uint32_t found;
  SIZE_T byte_length;
  return ReadProcessMemory(GetCurrentProcess(), word, &found, sizeof found, &byte_length) && found == expected;
}

}  // namespace procshare
