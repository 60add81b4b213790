// The bytes behind a descriptor of shm_open(3): operations that differ between the systems that have it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "platform/named_memory.h"
#include "platform/status.h"

namespace procshare {

// Gives the object that size, if it is smaller, with every byte backed (N5). Systems other than Linux allow this once for each
// object.
Status AllocateMemory(int fd, size_t byte_length);

Result<std::shared_ptr<MemoryMapping>> MapMemory(int fd, size_t byte_length);

// Copies bytes without touching unbacked ones. False beyond the end.
bool ReadMemory(int fd, uint64_t offset, void* into, size_t byte_length);

// The maximum length of the name of an object, without the slash.
size_t MaxObjectNameBytes();

// A folder that belongs to this user alone, for fallback/named_memory.cc; created if it does not exist.
Result<std::string> SidecarFolder();

}  // namespace procshare
