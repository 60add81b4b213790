// Persistent memory: a file per name in %LOCALAPPDATA%\procshare\session-N. Its members map it as a section `s` like any other,
// by which they detect each other.
//
//   m-<name>.mem                the memory that the name means, also without members
//   m-<name>.<id>.new           is being built; goes with its builder
//   m-<name>.<id>.gone          was unlinked while mapped, when the system does not delete it
//
// The last page identifies the file; it is never mapped.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "platform/windows/kernel_object.h"

namespace procshare {

struct MemoryFile {
  Handle file;
  uint64_t id = 0;
  uint64_t byte_length = 0;
  std::string name;
};

// Require the lock of the name.
Result<MemoryFile> CreateMemoryFile(const std::wstring& encoded, const std::string& name, uint64_t id, uint64_t byte_length,
                                    Audience audience);
Status PublishMemoryFile(const std::wstring& encoded, uint64_t id);
void DropUnpublishedMemoryFile(const std::wstring& encoded, uint64_t id);
// ENOENT when there is no file; kNotMemory when procshare has not made it.
Result<MemoryFile> OpenMemoryFile(const std::wstring& encoded);
Status UnlinkMemoryFile(const std::wstring& encoded, uint64_t id);

// Names, encoded, that have a file.
std::vector<std::wstring> EncodedNamesOfFiles();
// Deletes files of dead builders and of unlinked memory. Takes the locks that it needs.
void SweepMemoryFiles();

}  // namespace procshare
