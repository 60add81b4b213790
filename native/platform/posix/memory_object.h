// The bytes behind a descriptor of shm_open(3): what differs between systems that have it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "platform/named_memory.h"
#include "platform/status.h"

namespace procshare {

// Gives the object that size, if it is smaller, with every byte backed (N5). Once for each object on systems other than Linux.
Status AllocateMemory(int fd, size_t byte_length);

Result<std::shared_ptr<MemoryMapping>> MapMemory(int fd, size_t byte_length);

// Copies bytes without the danger of touching one that nothing backs. False beyond the end.
bool ReadMemory(int fd, uint64_t offset, void* into, size_t byte_length);

// How long the name of an object may be, without the slash.
size_t MaxObjectNameBytes();

// A folder that belongs to this user alone, for fallback/named_memory.cc; made if need be.
Result<std::string> SidecarFolder();

}  // namespace procshare
