// The meaning of a name: a small section, and a mutex for reading and changing it. Members of any memory that was ever created
// under the name have the section open.
//
// So an unlinked name means nothing at once, although its memory stays in attached processes. It can mean other memory next. Its
// record counts only while the memory exists (section `s`). The memory ends with its last member, however that member ends.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <vector>

#include "platform/windows/kernel_object.h"

namespace procshare {

// The text of a name for objects and files. It has only characters that both allow, and distinguishes upper from lower case where
// the system does not. Long names end in a hash.
std::wstring EncodedName(const std::string& name);

// One operation on a name. The name is locked while this exists.
class NameLock {
 public:
  explicit NameLock(const std::wstring& encoded);
  ~NameLock();
  NameLock(const NameLock&) = delete;
  NameLock& operator=(const NameLock&) = delete;
  // False when another process was stopped in the middle of an operation, or when the system refuses; `failure` distinguishes the
  // two.
  bool held() const { return held_; }
  const Status& failure() const { return failure_; }

 private:
  Handle mutex_;
  bool held_ = false;
  Status failure_;
};

// Changes only under the lock. `memory` is stored last, and cleared first: after a kill in between, the name means nothing.
struct NameRecord {
  std::atomic<uint64_t> memory;  // id; 0 for none
  std::atomic<uint64_t> byte_length;
  std::atomic<uint32_t> published;   // 1: others may attach
  std::atomic<uint32_t> persistent;  // 1: there is a file
  std::atomic<uint32_t> everyone;    // 1: other users may use it, too
  std::atomic<uint32_t> name_bytes;
  char name[256];

  void Set(uint64_t id, uint64_t bytes, bool is_published, bool is_persistent, Audience audience);
};

class NameEntry {
 public:
  NameEntry() = default;
  static Result<NameEntry> Open(const std::wstring& encoded);
  static Result<NameEntry> OpenOrCreate(const std::wstring& encoded, const std::string& name, Audience audience);

  NameRecord* operator->() const { return view_.As<NameRecord>(); }
  HANDLE handle() const { return section_.get(); }
  Audience audience() const;
  std::string name() const;

  // The section of the memory that the name means; invalid when the name means none, or the memory is gone. `*error` has the
  // reason.
  Handle OpenMemory(DWORD* error) const;

 private:
  static Result<NameEntry> Map(Handle section);
  Handle section_;
  View view_;
};

// The names that mean memory in this session, encoded.
std::vector<std::wstring> EncodedNamesInUse();

}  // namespace procshare
