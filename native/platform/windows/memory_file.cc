#include "platform/windows/memory_file.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "platform/windows/memory_name.h"

namespace procshare {
namespace {

constexpr uint64_t kMagic = 0x0a1a6d656d505350;
constexpr uint64_t kTrailerBytes = 4096;
constexpr wchar_t kPrefix[] = L"m-";  // a file cannot be called "con" or "nul"
constexpr wchar_t kLiving[] = L".mem";
constexpr wchar_t kBuilding[] = L".new";
constexpr wchar_t kUnlinked[] = L".gone";

struct Trailer {
  uint64_t magic;
  uint64_t id;
  uint64_t byte_length;
  uint64_t name_bytes;
  char name[256];
};

// Each session has its own folder: kernel objects are separate for each session, and so the memory must be, too. Empty when there
// is no place for it.
const std::wstring& Folder() {
  static const std::wstring folder = [] {
    wchar_t base[MAX_PATH];
    const DWORD length = GetEnvironmentVariableW(L"LOCALAPPDATA", base, MAX_PATH);
    if (length == 0 || length >= MAX_PATH) return std::wstring();
    DWORD session = 0;
    ProcessIdToSessionId(GetCurrentProcessId(), &session);
    std::wstring path = std::wstring(base, length) + L"\\procshare";
    CreateDirectoryW(path.c_str(), SecurityOf(Audience::kUser));
    path += L"\\session-" + std::to_wstring(session);
    CreateDirectoryW(path.c_str(), SecurityOf(Audience::kUser));
    return path + L"\\";
  }();
  return folder;
}

std::wstring PathOf(const std::wstring& encoded) { return Folder() + kPrefix + encoded + kLiving; }

std::wstring PathWithId(const std::wstring& encoded, uint64_t id, const wchar_t* state) {
  const std::wstring object = ObjectName('s', id).get();
  return Folder() + kPrefix + encoded + object.substr(object.rfind(L'.')) + state;
}

OVERLAPPED At(uint64_t offset) {
  OVERLAPPED place = {};
  place.Offset = static_cast<DWORD>(offset);
  place.OffsetHigh = static_cast<DWORD>(offset >> 32);
  return place;
}

Handle OpenAt(const std::wstring& path, DWORD disposition, SECURITY_ATTRIBUTES* security) {
  constexpr DWORD kShareAll = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
  return Handle(CreateFileW(path.c_str(), GENERIC_READ | GENERIC_WRITE, kShareAll, security, disposition,
                            FILE_ATTRIBUTE_NORMAL | FILE_ATTRIBUTE_NOT_CONTENT_INDEXED, nullptr));
}

template <class Visit>
void ForEachFile(const wchar_t* suffix, Visit visit) {
  WIN32_FIND_DATAW found;
  if (Folder().empty()) return;
  const HANDLE search = FindFirstFileW((Folder() + kPrefix + L"*" + suffix).c_str(), &found);
  if (search == INVALID_HANDLE_VALUE) return;
  do {
    const std::wstring name = found.cFileName;
    const size_t before = wcslen(kPrefix), behind = wcslen(suffix);
    if (name.size() > before + behind && name.compare(name.size() - behind, behind, suffix) == 0) {
      visit(name.substr(before, name.size() - before - behind), Folder() + name);
    }
  } while (FindNextFileW(search, &found));
  FindClose(search);
}

}  // namespace

Result<MemoryFile> CreateMemoryFile(const std::wstring& encoded, const std::string& name, uint64_t id, uint64_t byte_length,
                                    Audience audience) {
  if (Folder().empty()) return Status::System(ENOSYS, "CreateFile");
  const std::wstring path = PathWithId(encoded, id, kBuilding);
  MemoryFile made;
  made.id = id;
  made.byte_length = byte_length;
  made.name = name;
  made.file = OpenAt(path, CREATE_NEW, SecurityOf(audience));
  if (!made.file.valid()) return FailureOf("CreateFile");
  Trailer trailer = {kMagic, id, byte_length, name.size(), {}};
  memcpy(trailer.name, name.data(), std::min(name.size(), sizeof trailer.name));
  OVERLAPPED place = At(byte_length + kTrailerBytes - sizeof trailer);
  DWORD written;
  LARGE_INTEGER size;
  size.QuadPart = static_cast<LONGLONG>(byte_length + kTrailerBytes);
  // The size is set first: that allocates all room that the bytes need.
  const bool sized = SetFilePointerEx(made.file.get(), size, nullptr, FILE_BEGIN) && SetEndOfFile(made.file.get());
  if (!sized || !WriteFile(made.file.get(), &trailer, sizeof trailer, &written, &place)) {
    const Status failed = FailureOf("SetEndOfFile");
    made.file.Reset();
    DeleteFileW(path.c_str());
    return failed;
  }
  return made;
}

Status PublishMemoryFile(const std::wstring& encoded, uint64_t id) {
  if (MoveFileExW(PathWithId(encoded, id, kBuilding).c_str(), PathOf(encoded).c_str(), 0)) return Status::Ok();
  return FailureOf("MoveFile");
}

void DropUnpublishedMemoryFile(const std::wstring& encoded, uint64_t id) {
  DeleteFileW(PathWithId(encoded, id, kBuilding).c_str());
}

Result<MemoryFile> OpenMemoryFile(const std::wstring& encoded) {
  if (Folder().empty()) return Status::System(ENOENT, "CreateFile");
  MemoryFile found;
  found.file = OpenAt(PathOf(encoded), OPEN_EXISTING, nullptr);
  if (!found.file.valid()) return FailureOf("CreateFile");
  Trailer trailer;
  LARGE_INTEGER size;
  DWORD count;
  const bool whole = GetFileSizeEx(found.file.get(), &size) && size.QuadPart > static_cast<LONGLONG>(kTrailerBytes);
  OVERLAPPED place = At(static_cast<uint64_t>(size.QuadPart) - sizeof trailer);
  if (!whole || !ReadFile(found.file.get(), &trailer, sizeof trailer, &count, &place) || count != sizeof trailer ||
      trailer.magic != kMagic || trailer.byte_length != static_cast<uint64_t>(size.QuadPart) - kTrailerBytes) {
    return Status::Of(Outcome::kNotMemory);
  }
  found.id = trailer.id;
  found.byte_length = trailer.byte_length;
  found.name.assign(trailer.name, std::min<size_t>(trailer.name_bytes, sizeof trailer.name));
  return found;
}

Status UnlinkMemoryFile(const std::wstring& encoded, uint64_t id) {
  const std::wstring gone = PathWithId(encoded, id, kUnlinked);
  if (!MoveFileExW(PathOf(encoded).c_str(), gone.c_str(), 0)) return FailureOf("MoveFile");
  DeleteFileW(gone.c_str());  // fails while it is mapped: see SweepMemoryFiles()
  return Status::Ok();
}

std::vector<std::wstring> EncodedNamesOfFiles() {
  std::vector<std::wstring> names;
  ForEachFile(kLiving, [&names](const std::wstring& stem, const std::wstring&) { names.push_back(stem); });
  return names;
}

void SweepMemoryFiles() {
  for (const wchar_t* suffix : {kBuilding, kUnlinked}) {
    ForEachFile(suffix, [](const std::wstring& stem, const std::wstring& path) {
      const size_t dot = stem.rfind(L'.');
      if (dot == std::wstring::npos) return;
      const uint64_t id = wcstoull(stem.substr(dot + 1).c_str(), nullptr, 16);
      const NameLock lock(stem.substr(0, dot));  // a builder has its section before it releases the lock
      if (!lock.held()) return;
      const Handle section(OpenFileMappingW(FILE_MAP_READ, FALSE, ObjectName('s', id).get()));
      if (!section.valid() && GetLastError() == ERROR_FILE_NOT_FOUND) DeleteFileW(path.c_str());
    });
  }
}

}  // namespace procshare
