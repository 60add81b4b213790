#include "platform/windows/kernel_object.h"

#include <aclapi.h>
#include <sddl.h>

#include <cerrno>
#include <cwchar>
#include <vector>

namespace procshare {
namespace {

// The result of GetTokenInformation, in memory that is never freed.
template <class T>
const T* TokenInformation(TOKEN_INFORMATION_CLASS which) {
  HANDLE token;
  if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) return nullptr;
  const Handle closes(token);
  DWORD byte_length = 0;
  GetTokenInformation(token, which, nullptr, 0, &byte_length);
  void* const bytes = LocalAlloc(LMEM_FIXED, byte_length);
  if (bytes == nullptr || !GetTokenInformation(token, which, bytes, byte_length, &byte_length)) return nullptr;
  return static_cast<const T*>(bytes);
}

PSID CurrentUser() {
  static const TOKEN_USER* const user = TokenInformation<TOKEN_USER>(TokenUser);
  return user == nullptr ? nullptr : user->User.Sid;
}

// The owner of objects that other programs of this user create: the administrators, for an elevated program.
PSID DefaultOwner() {
  static const TOKEN_OWNER* const owner = TokenInformation<TOKEN_OWNER>(TokenOwner);
  return owner == nullptr ? nullptr : owner->Owner;
}

// Protected (P): nothing is inherited. Without protection, the default of the process would be enough.
SECURITY_ATTRIBUTES MakeSecurity(DWORD strangers_access) {
  SECURITY_ATTRIBUTES security = {sizeof security, nullptr, FALSE};
  LPWSTR user = nullptr;
  if (CurrentUser() == nullptr || !ConvertSidToStringSidW(CurrentUser(), &user)) return security;
  std::wstring text = std::wstring(L"O:") + user + L"D:P(A;;GA;;;" + user + L")(A;;GA;;;SY)";
  LocalFree(user);
  if (strangers_access != 0) {
    wchar_t rights[32];
    swprintf(rights, 32, L"(A;;0x%lx;;;WD)", static_cast<unsigned long>(strangers_access));
    text += rights;
  }
  ConvertStringSecurityDescriptorToSecurityDescriptorW(text.c_str(), SDDL_REVISION_1, &security.lpSecurityDescriptor,
                                                       nullptr);
  return security;
}

}  // namespace

ObjectName::ObjectName(char kind, uint64_t id) {
  swprintf(text_, 64, L"Local\\procshare.%c.%016llx", kind, static_cast<unsigned long long>(id));
}

ObjectName::ObjectName(char kind, uint64_t id, uint64_t number) {
  swprintf(text_, 64, L"Local\\procshare.%c.%016llx.%016llx", kind, static_cast<unsigned long long>(id),
           static_cast<unsigned long long>(number));
}

std::wstring ObjectNameOf(char kind, const std::wstring& which) {
  return std::wstring(L"Local\\procshare.") + static_cast<wchar_t>(kind) + L"." + which;
}

SECURITY_ATTRIBUTES* SecurityOf(Audience audience) {
  static SECURITY_ATTRIBUTES user = MakeSecurity(0);
  static SECURITY_ATTRIBUTES everyone = MakeSecurity(GENERIC_ALL);
  return audience == Audience::kUser ? &user : &everyone;
}

SECURITY_ATTRIBUTES* SecurityOfMutexes() {
  static SECURITY_ATTRIBUTES security = MakeSecurity(SYNCHRONIZE | MUTEX_MODIFY_STATE);
  return &security;
}

SECURITY_ATTRIBUTES* SecurityOfEvents() {
  static SECURITY_ATTRIBUTES security = MakeSecurity(SYNCHRONIZE | EVENT_MODIFY_STATE);
  return &security;
}

bool BelongsToAnother(HANDLE object) {
  PSID owner = nullptr;
  PSECURITY_DESCRIPTOR descriptor = nullptr;
  if (GetSecurityInfo(object, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &owner, nullptr, nullptr, nullptr,
                      &descriptor) != ERROR_SUCCESS) {
    return false;  // accessible, but the owner is unknown
  }
  const auto is = [owner](PSID sid) { return sid != nullptr && EqualSid(owner, sid); };
  const bool ours = owner == nullptr || is(CurrentUser()) || is(DefaultOwner());  // Wine has objects without an owner
  LocalFree(descriptor);
  return !ours;
}

size_t CountHandles(HANDLE object) {
  struct BasicInformation {  // PUBLIC_OBJECT_BASIC_INFORMATION of winternl.h
    ULONG attributes;
    ACCESS_MASK granted_access;
    ULONG handle_count;
    ULONG pointer_count;
    ULONG reserved[10];
  };
  using Query = LONG(NTAPI*)(HANDLE, int, void*, ULONG, ULONG*);
  const HMODULE library = GetModuleHandleW(L"ntdll.dll");
  if (library == nullptr) return 0;
  const Query query = reinterpret_cast<Query>(reinterpret_cast<void*>(GetProcAddress(library, "NtQueryObject")));
  BasicInformation information = {};
  if (query == nullptr || query(object, 0, &information, sizeof information, nullptr) < 0) return 0;
  return information.handle_count;
}

int ErrnoOf(DWORD error) {
  switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND: return ENOENT;
    case ERROR_ALREADY_EXISTS:
    case ERROR_FILE_EXISTS: return EEXIST;
    case ERROR_ACCESS_DENIED:
    case ERROR_SHARING_VIOLATION: return EACCES;
    case ERROR_PRIVILEGE_NOT_HELD: return EPERM;
    case ERROR_COMMITMENT_LIMIT:  // the page file is full
    case ERROR_COMMITMENT_MINIMUM:
    case ERROR_DISK_FULL:
    case ERROR_HANDLE_DISK_FULL: return ENOSPC;
    case ERROR_FILE_TOO_LARGE: return EFBIG;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
    case ERROR_NO_SYSTEM_RESOURCES:
    case ERROR_WORKING_SET_QUOTA:
    case ERROR_NOT_ENOUGH_QUOTA: return ENOMEM;
    case ERROR_TOO_MANY_OPEN_FILES: return EMFILE;
    case ERROR_FILENAME_EXCED_RANGE: return ENAMETOOLONG;
    case ERROR_WRITE_PROTECT: return EROFS;
    case ERROR_NOT_SUPPORTED:
    case ERROR_CALL_NOT_IMPLEMENTED: return ENOSYS;
    case ERROR_INVALID_HANDLE:  // the name is that of an object of another kind
    case ERROR_INVALID_NAME:
    case ERROR_INVALID_PARAMETER: return EINVAL;
    default: return EIO;
  }
}

Status FailureOf(const char* call) { return Status::System(ErrnoOf(GetLastError()), call); }

}  // namespace procshare
