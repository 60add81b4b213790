#include "platform/windows/memory_name.h"

#include <winternl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace procshare {
namespace {

constexpr DWORD kStoppedRemoverMs = 5000;  // the longest delay by a process that was stopped in an operation

// Enumerates a directory of kernel objects. The call is the same in every Windows NT, but in no header.
using OpenDirectory = LONG(NTAPI*)(PHANDLE, ACCESS_MASK, OBJECT_ATTRIBUTES*);
using QueryDirectory = LONG(NTAPI*)(HANDLE, void* buffer, ULONG byte_length, BOOLEAN one, BOOLEAN restart, ULONG* context,
                                    ULONG* returned);
constexpr ACCESS_MASK kDirectoryQuery = 1;
struct DirectoryItem {
  UNICODE_STRING name;
  UNICODE_STRING type;
};

template <class Function>
Function FindInNtdll(const char* name) {
  return reinterpret_cast<Function>(reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(L"ntdll.dll"), name)));
}

// The directory that `Local\` means.
std::wstring DirectoryOfSession() {
  DWORD session = 0;
  ProcessIdToSessionId(GetCurrentProcessId(), &session);
  return session == 0 ? L"\\BaseNamedObjects" : L"\\Sessions\\" + std::to_wstring(session) + L"\\BaseNamedObjects";
}

}  // namespace

std::wstring EncodedName(const std::string& name) {
  constexpr size_t kMaxCharacters = 150;  // MAX_PATH has to hold a folder as well
  constexpr size_t kKept = 100;
  constexpr wchar_t kDigits[] = L"0123456789abcdef";
  std::wstring text;
  uint64_t hashes[] = {0xcbf29ce484222325, 0x9ae16a3b2f90404f};
  for (const char character : name) {
    const auto byte = static_cast<unsigned char>(character);
    for (uint64_t& hash : hashes) hash = (hash ^ byte) * 0x100000001b3, hash ^= hash >> 29;
    const bool plain = (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte == '-' || byte == '_';
    if (plain) {
      text += static_cast<wchar_t>(byte);
    } else {
      text += {L'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  if (text.size() <= kMaxCharacters) return text;
  text.resize(kKept);
  text += L'~';
  for (const uint64_t hash : hashes) {
    for (int shift = 60; shift >= 0; shift -= 4) text += kDigits[hash >> shift & 15];
  }
  return text;
}

NameLock::NameLock(const std::wstring& encoded)
    : mutex_(CreateMutexW(SecurityOfMutexes(), FALSE, ObjectNameOf('n', encoded).c_str())) {
  if (!mutex_.valid() && GetLastError() == ERROR_ACCESS_DENIED) {
    mutex_ = Handle(OpenMutexW(SYNCHRONIZE | MUTEX_MODIFY_STATE, FALSE, ObjectNameOf('n', encoded).c_str()));
  }
  if (!mutex_.valid()) {
    failure_ = FailureOf("CreateMutex");
    return;
  }
  const DWORD outcome = WaitForSingleObject(mutex_.get(), kStoppedRemoverMs);
  held_ = outcome == WAIT_OBJECT_0 ||
          outcome == WAIT_ABANDONED;  // a process that died in an operation has left a consistent record
  if (!held_) failure_ = Status::Of(Outcome::kNotReady);
}

NameLock::~NameLock() {
  if (held_) ReleaseMutex(mutex_.get());
}

void NameRecord::Set(uint64_t id, uint64_t bytes, bool is_published, bool is_persistent, Audience audience) {
  memory.store(0, std::memory_order_release);
  byte_length.store(bytes, std::memory_order_relaxed);
  published.store(is_published, std::memory_order_relaxed);
  persistent.store(is_persistent, std::memory_order_relaxed);
  everyone.store(audience == Audience::kEveryone, std::memory_order_relaxed);
  memory.store(id, std::memory_order_release);
}

Result<NameEntry> NameEntry::Map(Handle section) {
  NameEntry entry;
  entry.section_ = std::move(section);
  entry.view_ = View(MapViewOfFile(entry.section_.get(), FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, sizeof(NameRecord)));
  if (!entry.view_.valid()) return FailureOf("MapViewOfFile");
  return entry;
}

Result<NameEntry> NameEntry::Open(const std::wstring& encoded) {
  Handle section(OpenFileMappingW(FILE_MAP_ALL_ACCESS, FALSE, ObjectNameOf('d', encoded).c_str()));
  if (!section.valid()) return FailureOf("OpenFileMapping");
  return Map(std::move(section));
}

Result<NameEntry> NameEntry::OpenOrCreate(const std::wstring& encoded, const std::string& name, Audience audience) {
  Handle section(CreateFileMappingW(INVALID_HANDLE_VALUE, SecurityOf(audience), PAGE_READWRITE, 0, sizeof(NameRecord),
                                    ObjectNameOf('d', encoded).c_str()));
  if (!section.valid()) return FailureOf("CreateFileMapping");
  Result<NameEntry> entry = Map(std::move(section));
  if (entry.ok()) {
    NameRecord* const record = entry.value().view_.As<NameRecord>();
    const size_t count = std::min(name.size(), sizeof record->name);
    memcpy(record->name, name.data(), count);
    record->name_bytes.store(static_cast<uint32_t>(count), std::memory_order_relaxed);
  }
  return entry;
}

Audience NameEntry::audience() const {
  return view_.As<NameRecord>()->everyone.load(std::memory_order_relaxed) != 0 ? Audience::kEveryone : Audience::kUser;
}

std::string NameEntry::name() const {
  const NameRecord* const record = view_.As<NameRecord>();
  return {record->name, std::min<size_t>(record->name_bytes.load(std::memory_order_relaxed), sizeof record->name)};
}

Handle NameEntry::OpenMemory(DWORD* error) const {
  const uint64_t id = view_.As<NameRecord>()->memory.load(std::memory_order_acquire);
  *error = ERROR_FILE_NOT_FOUND;
  if (id == 0) return Handle();
  Handle memory(OpenFileMappingW(FILE_MAP_ALL_ACCESS, FALSE, ObjectName('s', id).get()));
  if (!memory.valid()) *error = GetLastError();
  return memory;
}

std::vector<std::wstring> EncodedNamesInUse() {
  static const auto open = FindInNtdll<OpenDirectory>("NtOpenDirectoryObject");
  static const auto query = FindInNtdll<QueryDirectory>("NtQueryDirectoryObject");
  std::vector<std::wstring> names;
  if (open == nullptr || query == nullptr) return names;
  std::wstring path = DirectoryOfSession();
  UNICODE_STRING text = {static_cast<USHORT>(path.size() * sizeof(wchar_t)),
                         static_cast<USHORT>(path.size() * sizeof(wchar_t)), path.data()};
  OBJECT_ATTRIBUTES attributes;
  InitializeObjectAttributes(&attributes, &text, 0, nullptr, nullptr);
  HANDLE opened = nullptr;
  if (open(&opened, kDirectoryQuery, &attributes) < 0) return names;
  const Handle directory(opened);
  const std::wstring prefix = ObjectNameOf('d', L"").substr(wcslen(L"Local\\"));
  std::vector<DirectoryItem> items(4096);
  const ULONG byte_length = static_cast<ULONG>(items.size() * sizeof items[0]);
  // Reads many entries per call, up to an empty one; where the system (Wine) cannot do that, one per call. When the directory
  // changes meanwhile, the list may be incomplete.
  for (const BOOLEAN single : {FALSE, TRUE}) {
    ULONG context = 0, returned = 0;
    while (query(directory.get(), items.data(), byte_length, single, context == 0, &context, &returned) >= 0) {
      for (const DirectoryItem* item = items.data(); item->name.Buffer != nullptr; ++item) {
        const std::wstring name(item->name.Buffer, item->name.Length / sizeof(wchar_t));
        if (name.compare(0, prefix.size(), prefix) == 0) names.push_back(name.substr(prefix.size()));
        if (single) break;
      }
    }
    if (context != 0) break;
  }
  return names;
}

}  // namespace procshare
