// The sidecar: a small file that belongs to an object of shm_open(3) and defines what a name means. named_memory.cc has the
// protocol and explains S1 to S3.
//
//   0        1        8             16
//   | T or P | zeros  | byte length | the name |
#pragma once

#include <sys/stat.h>

#include <cstdint>
#include <string>

#include "platform/named_memory.h"
#include "platform/status.h"

namespace procshare {

constexpr char kTemporary = 'T';
constexpr char kPersistent = 'P';

struct Record {
  char state = kTemporary;
  char zeros[7] = {};
  uint64_t byte_length = 0;
  char name[256] = {};
};

// A sidecar under its name.
struct Sidecar {
  std::string path;
  MemoryIdentity identity;
  Record record;

  std::string name() const { return record.name; }
  bool temporary() const { return record.state == kTemporary; }
  bool HasItsName() const;
};

// The prefixes of the files in the folder: of sidecars with their names, and of drafts, which have none yet.
constexpr char kNamed[] = "n-";
constexpr char kUnnamed[] = "t-";

// FNV-1a.
uint64_t HashOf(const std::string& name);

// Creates the sidecar of a builder, locked (S1). EEXIST when the name has a sidecar.
Result<int> MakeSidecar(const std::string& name, size_t byte_length, Sidecar* sidecar);

Result<int> OpenSidecar(const std::string& path, Sidecar* sidecar);
Result<int> OpenSidecarOf(const std::string& name, Sidecar* sidecar);
bool ReadRecord(int fd, Record* record);

// The object of that name, with or without a sidecar.
std::string ObjectName(const std::string& name);
Result<int> OpenObject(const std::string& name, bool any_owner, struct stat* info);
bool HasObject(const std::string& name);

// Whether an object can be the one of the sidecar (S3).
bool CanBelongTo(const Record& record, const struct stat& object);

enum class Extent : uint8_t { kAll, kSidecarOnly };

// Removes the name if it still means the sidecar behind `fd`; false when it does not (N4).
bool RemoveName(int fd, const Sidecar& sidecar, Extent extent = Extent::kAll);

// Does the same for the name that the sidecar behind `fd` has or had.
bool RemoveNameOf(int fd, const std::string& name, const MemoryIdentity& identity);

}  // namespace procshare
