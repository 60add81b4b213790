// Named memory on Windows: sections of the page file, or of a file when they are persistent. Objects: kernel_object.h.
//
// The kernel counts the handles of section `s`, whose name is a random number, and removes it with the last handle. So temporary
// memory is never stale, and a member is a NamedMemory object that has this handle open. The record of a name (memory_name.h)
// tells what the name means. It is read and changed only under the lock of the name (N1, N4):
//
//   create   the record's memory exists, or a file: EEXIST. Otherwise: a new section, its number into the record
//   attach   the record's memory exists: hold it if it is published, else try again later. No record, but a file: section and
//            record are made of that. Neither: the plain name, which is what other programs' sections have
//   publish  the record is marked as published; of persistent memory, the file gets its name first
//   close    the handles are closed (N3): the record means nothing any more when that was the last one
//   unlink   the number is taken out of the record, and the file gets another name
//
// Only the builder has unpublished memory open, except for other processes under the lock. So while such memory exists its
// builder lives, and when the builder dies the memory is gone. An attacher never gets incomplete memory (N2).
//
// Sections of the page file are committed when they are created (N5), and files have their size.

#include "platform/named_memory.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include "platform/process_identity.h"
#include "platform/windows/mapping_registry.h"
#include "platform/windows/memory_file.h"
#include "platform/windows/memory_name.h"

namespace procshare {
namespace {

constexpr uint64_t kOurs = 1;     // MemoryIdentity::device: `object` is the number of the section
constexpr uint64_t kForeign = 2;  // `object` is a hash of the name, which is taken as long as we hold it

struct Attachment {
  Handle memory;
  NameEntry entry;
  Handle member;  // event `m`
  std::wstring encoded;
  bool building = false;
  bool foreign = false;
};

Attachment* AttachmentOf(intptr_t descriptor) { return reinterpret_cast<Attachment*>(descriptor); }

// Called between two attempts, so that another process can go on.
class Backoff {
 public:
  void Pause() {
    Sleep(next_ms_);
    if (next_ms_ < 8) next_ms_ = next_ms_ == 0 ? 1 : next_ms_ * 2;
  }

 private:
  DWORD next_ms_ = 0;
};

Audience AudienceOf(unsigned mode) { return (mode & 066) != 0 ? Audience::kEveryone : Audience::kUser; }

DWORD HighPart(uint64_t number) { return static_cast<DWORD>(number >> 32); }
DWORD LowPart(uint64_t number) { return static_cast<DWORD>(number); }

// The number of bytes that are mapped there. Only some pages of a section may be backed, so several queries are necessary.
size_t MappedBytes(const void* data, bool* sparse) {
  const uint8_t* const first = static_cast<const uint8_t*>(data);
  const uint8_t* end = first;
  MEMORY_BASIC_INFORMATION info;
  while (VirtualQuery(end, &info, sizeof info) != 0 && info.AllocationBase == data && info.State != MEM_FREE) {
    if (info.State == MEM_RESERVE) *sparse = true;
    end += info.RegionSize;
  }
  return static_cast<size_t>(end - first);
}

bool CopyMapped(const uint8_t* data, size_t mapped, uint64_t offset, void* into, size_t byte_length) {
  if (offset > mapped || byte_length > mapped - offset) return false;
  const uint8_t* const end = data + offset + byte_length;
  MEMORY_BASIC_INFORMATION info;  // pages of foreign memory may not be backed; those that are stay so
  for (const uint8_t* page = data + offset; page < end; page = static_cast<uint8_t*>(info.BaseAddress) + info.RegionSize) {
    if (VirtualQuery(page, &info, sizeof info) == 0 || info.State != MEM_COMMIT) return false;
  }
  memcpy(into, data + offset, byte_length);
  return true;
}

Result<std::shared_ptr<MemoryMapping>> Map(HANDLE section, uint64_t byte_length, uint64_t memory, Audience audience) {
  void* const data = MapViewOfFile(section, FILE_MAP_READ | FILE_MAP_WRITE, 0, 0, static_cast<size_t>(byte_length));
  if (data == nullptr) return FailureOf("MapViewOfFile");
  bool sparse;
  const size_t mapped = byte_length != 0 ? static_cast<size_t>(byte_length) : MappedBytes(data, &sparse);
  uint8_t* const bytes = static_cast<uint8_t*>(data);
  RegisterMapping(bytes, mapped, memory, audience);
  return std::make_shared<MemoryMapping>(bytes, mapped);
}

// The name as used by programs that take the names of the system unchanged; empty when it is not valid there.
std::wstring PlainName(const std::string& name) {
  wchar_t text[256];
  const int count =
      MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, name.data(), static_cast<int>(name.size()), text, 255);
  return {text, static_cast<size_t>(count)};
}

uint64_t ForeignId(const std::string& name) { return std::hash<std::string>()(name) | 1; }

Handle OpenForeign(const std::string& name) {
  const std::wstring plain = PlainName(name);
  if (plain.empty()) return Handle();
  return Handle(OpenFileMappingW(FILE_MAP_READ | FILE_MAP_WRITE | READ_CONTROL, FALSE, plain.c_str()));
}

// The memory of a file without members becomes a section again, and its name gets a record.
Status ReopenFile(const std::wstring& encoded, const std::string& name, NameEntry* entry, Handle* memory) {
  Result<MemoryFile> file = OpenMemoryFile(encoded);
  if (!file.ok()) return file.status();
  const uint64_t id = file.value().id, byte_length = file.value().byte_length;
  Result<NameEntry> made = NameEntry::OpenOrCreate(encoded, name, Audience::kUser);
  if (!made.ok()) return made.status();
  *entry = std::move(made.value());
  *memory = Handle(CreateFileMappingW(file.value().file.get(), SecurityOf(Audience::kUser), PAGE_READWRITE,
                                      HighPart(byte_length), LowPart(byte_length), ObjectName('s', id).get()));
  if (!memory->valid()) return FailureOf("CreateFileMapping");
  (*entry)->Set(id, byte_length, true, true, Audience::kUser);
  return Status::Ok();
}

}  // namespace

MemoryMapping::~MemoryMapping() {
  UnregisterMapping(data_);
  UnmapViewOfFile(data_);
}

Result<NamedMemory> NamedMemory::Create(const std::string& name, size_t byte_length, unsigned mode, bool persistent) {
  const std::wstring encoded = EncodedName(name);
  const Audience audience = AudienceOf(mode);
  const NameLock lock(encoded);
  if (!lock.held()) return lock.failure();
  Result<NameEntry> entry = NameEntry::OpenOrCreate(encoded, name, audience);
  if (!entry.ok()) {
    // The name belongs to another user, or to an object of another kind.
    return entry.status().Is(EACCES) || entry.status().Is(EINVAL) ? Status::System(EEXIST, "CreateFileMapping")
                                                                  : entry.status();
  }
  DWORD error;
  const bool alive = entry.value().OpenMemory(&error).valid() || error != ERROR_FILE_NOT_FOUND;
  const Result<MemoryFile> file = OpenMemoryFile(encoded);
  if (alive || file.ok() || !file.status().Is(ENOENT) || OpenForeign(name).valid()) {
    return Status::System(EEXIST, "CreateFileMapping");
  }

  const uint64_t id = RandomId();
  Handle backing;  // the page file
  if (persistent) {
    Result<MemoryFile> made = CreateMemoryFile(encoded, name, id, byte_length, audience);
    if (!made.ok()) return made.status();
    backing = std::move(made.value().file);
  }
  NamedMemory memory;
  memory.name_ = name;
  memory.temporary_ = true;
  memory.identity_ = {kOurs, id};
  Attachment* const attachment = new Attachment;
  memory.descriptor_ = reinterpret_cast<intptr_t>(attachment);  // from here on Close() undoes all of this
  attachment->encoded = encoded;
  attachment->entry = std::move(entry.value());
  attachment->building = persistent;
  attachment->memory =
      Handle(CreateFileMappingW(backing.valid() ? backing.get() : INVALID_HANDLE_VALUE, SecurityOf(audience), PAGE_READWRITE,
                                HighPart(byte_length), LowPart(byte_length), ObjectName('s', id).get()));
  if (!attachment->memory.valid()) return FailureOf("CreateFileMapping");
  Result<std::shared_ptr<MemoryMapping>> mapping = Map(attachment->memory.get(), byte_length, id, audience);
  if (!mapping.ok()) return mapping.status();
  memory.mapping_ = std::move(mapping.value());
  attachment->entry->Set(id, byte_length, false, persistent, audience);
  return memory;
}

Result<NamedMemory> NamedMemory::Attach(const std::string& name, bool any_owner, Deadline deadline) {
  const std::wstring encoded = EncodedName(name);
  for (Backoff backoff;; backoff.Pause()) {
    const NameLock lock(encoded);
    if (!lock.held()) return lock.failure();
    NamedMemory memory;
    memory.name_ = name;
    Attachment* const attachment = new Attachment;
    memory.descriptor_ = reinterpret_cast<intptr_t>(attachment);
    attachment->encoded = encoded;
    Result<NameEntry> entry = NameEntry::Open(encoded);
    DWORD error = ERROR_FILE_NOT_FOUND;
    if (entry.ok()) {
      attachment->entry = std::move(entry.value());
      attachment->memory = attachment->entry.OpenMemory(&error);
    } else if (!entry.status().Is(ENOENT)) {
      return entry.status();
    }
    if (!attachment->memory.valid()) {
      if (error != ERROR_FILE_NOT_FOUND) return Status::System(ErrnoOf(error), "OpenFileMapping");
      const Status awake = ReopenFile(encoded, name, &attachment->entry, &attachment->memory);
      if (!awake.ok() && !awake.Is(ENOENT)) return awake;
    }
    attachment->foreign = !attachment->memory.valid();
    if (attachment->foreign) {
      attachment->memory = OpenForeign(name);
      if (!attachment->memory.valid()) {
        const int number = ErrnoOf(GetLastError());
        return number == EINVAL ? Status::Of(Outcome::kNotMemory) : Status::System(number, "OpenFileMapping");
      }
    }
    if (!any_owner && BelongsToAnother(attachment->memory.get())) return Status::Of(Outcome::kOtherUser);
    if (!attachment->foreign && attachment->entry->published.load(std::memory_order_relaxed) == 0) {
      if (deadline.passed()) return Status::Of(Outcome::kNotReady);
      continue;
    }
    const uint64_t id = attachment->foreign ? ForeignId(name) : attachment->entry->memory.load(std::memory_order_relaxed);
    const uint64_t byte_length = attachment->foreign ? 0 : attachment->entry->byte_length.load(std::memory_order_relaxed);
    memory.temporary_ = !attachment->foreign && attachment->entry->persistent.load(std::memory_order_relaxed) == 0;
    memory.identity_ = {attachment->foreign ? kForeign : kOurs, id};
    Result<std::shared_ptr<MemoryMapping>> mapping =
        Map(attachment->memory.get(), byte_length, id, attachment->foreign ? Audience::kUser : attachment->entry.audience());
    if (!mapping.ok()) return mapping.status();
    memory.mapping_ = std::move(mapping.value());
    return memory;
  }
}

Status NamedMemory::MakePersistent() {
  temporary_ = false;  // Publish() gives the file its name
  return Status::Ok();
}

Status NamedMemory::Publish() {
  Attachment* const attachment = AttachmentOf(descriptor_);
  const NameLock lock(attachment->encoded);
  if (!lock.held()) return lock.failure();
  if (attachment->building && !temporary_) {
    const Status named = PublishMemoryFile(attachment->encoded, identity_.object);
    if (!named.ok()) return named;
    attachment->building = false;
  }
  if (attachment->entry->memory.load(std::memory_order_relaxed) == identity_.object) {
    attachment->entry->published.store(1, std::memory_order_relaxed);
  }
  return Status::Ok();
}

void NamedMemory::Detach() { Close(); }

bool NamedMemory::BecomeBuilder() { return false; }  // never called: there are no pid namespaces

void NamedMemory::Close() {
  if (descriptor_ < 0) return;
  Attachment* const attachment = AttachmentOf(std::exchange(descriptor_, -1));
  member_ = 0;
  const bool building = attachment->building;
  const std::wstring encoded = attachment->encoded;
  delete attachment;
  if (!building) return;
  mapping_.reset();
  const NameLock lock(encoded);
  DropUnpublishedMemoryFile(encoded, identity_.object);
}

Status NamedMemory::Unlink() {
  Attachment* const attachment = AttachmentOf(descriptor_);
  if (attachment->foreign) return Status::System(EPERM, "UnmapViewOfFile");  // the system cannot remove its name
  const NameLock lock(attachment->encoded);
  if (!lock.held()) return lock.failure();
  const uint64_t id = identity_.object;
  if (attachment->entry->memory.load(std::memory_order_relaxed) != id) return Status::System(ENOENT, "OpenFileMapping");
  if (!temporary_ && !attachment->building) {
    const Status unlinked = UnlinkMemoryFile(attachment->encoded, id);
    if (!unlinked.ok()) return unlinked;
  }
  attachment->entry->memory.store(0, std::memory_order_release);
  return Status::Ok();
}

uint64_t NamedMemory::Join() {
  if (member_ != 0 || descriptor_ < 0) return member_;
  const uint64_t number = RandomId();
  Handle member(CreateEventW(SecurityOfEvents(), TRUE, FALSE, ObjectName('m', identity_.object, number).get()));
  if (!member.valid() || GetLastError() == ERROR_ALREADY_EXISTS) return 0;
  AttachmentOf(descriptor_)->member = std::move(member);
  member_ = number;
  return number;
}

bool NamedMemory::IsMember(uint64_t member) const {
  if (member == member_ || descriptor_ < 0) return true;
  const Handle opened(OpenEventW(SYNCHRONIZE, FALSE, ObjectName('m', identity_.object, member).get()));
  return opened.valid() || GetLastError() != ERROR_FILE_NOT_FOUND;
}

size_t NamedMemory::CountMembers() const {
  return std::max<size_t>(CountHandles(AttachmentOf(descriptor_)->memory.get()), 1);
}

bool NamedMemory::Read(uint64_t offset, void* into, size_t byte_length) const {
  return CopyMapped(mapping_->data(), mapping_->byte_length(), offset, into, byte_length);
}

Status NamedMemory::Reserve() {
  bool sparse = false;
  MappedBytes(mapping_->data(), &sparse);
  if (!sparse) return Status::Ok();
  const bool backed = VirtualAlloc(mapping_->data(), mapping_->byte_length(), MEM_COMMIT, PAGE_READWRITE) != nullptr;
  return backed ? Status::Ok() : FailureOf("VirtualAlloc");
}

Status UnlinkMemory(const std::string& name, bool any_owner) {
  const std::wstring encoded = EncodedName(name);
  const NameLock lock(encoded);
  if (!lock.held()) return lock.failure();
  DWORD error = ERROR_FILE_NOT_FOUND;
  const Result<NameEntry> entry = NameEntry::Open(encoded);
  if (!entry.ok() && !entry.status().Is(ENOENT)) return entry.status();
  const Handle memory = entry.ok() ? entry.value().OpenMemory(&error) : Handle();
  if (memory.valid() && !any_owner && BelongsToAnother(memory.get())) return Status::Of(Outcome::kOtherUser);
  const Result<MemoryFile> file = OpenMemoryFile(encoded);
  if (!memory.valid() && !file.ok()) {
    return OpenForeign(name).valid() ? Status::System(EPERM, "OpenFileMapping") : Status::System(ENOENT, "OpenFileMapping");
  }
  if (file.ok()) {
    const Status unlinked = UnlinkMemoryFile(encoded, file.value().id);
    if (!unlinked.ok()) return unlinked;
  }
  if (memory.valid()) entry.value()->memory.store(0, std::memory_order_release);
  return Status::Ok();
}

Result<size_t> VisitMemory(const std::function<bool(const MemoryEntry&, const MemoryReader& read)>& visit) {
  SweepMemoryFiles();
  std::vector<std::wstring> names = EncodedNamesInUse();
  for (std::wstring& name : EncodedNamesOfFiles()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(std::move(name));
  }
  for (const std::wstring& encoded : names) {
    const NameLock lock(encoded);
    if (!lock.held()) continue;
    MemoryEntry item;
    DWORD error = ERROR_FILE_NOT_FOUND;
    const Result<NameEntry> entry = NameEntry::Open(encoded);
    Handle section = entry.ok() ? entry.value().OpenMemory(&error) : Handle();
    if (section.valid()) {
      if (BelongsToAnother(section.get())) continue;
      item.name = entry.value().name();
      item.byte_length = entry.value()->byte_length.load(std::memory_order_relaxed);
      item.temporary = entry.value()->persistent.load(std::memory_order_relaxed) == 0;
      item.in_use = true;
    } else {
      Result<MemoryFile> file = OpenMemoryFile(encoded);
      if (!file.ok()) continue;
      item.name = file.value().name;
      item.byte_length = file.value().byte_length;
      section = Handle(CreateFileMappingW(file.value().file.get(), nullptr, PAGE_READONLY, HighPart(item.byte_length),
                                          LowPart(item.byte_length), nullptr));
    }
    const View view(MapViewOfFile(section.get(), FILE_MAP_READ, 0, 0, static_cast<size_t>(item.byte_length)));
    const MemoryReader read = [&](uint64_t offset, void* into, size_t byte_length) {
      return view.valid() &&
             CopyMapped(view.As<uint8_t>(), static_cast<size_t>(item.byte_length), offset, into, byte_length);
    };
    (void)visit(item, read);  // nothing here is ever stale
  }
  return size_t{0};
}

size_t MaxOpenMemory() { return SIZE_MAX; }

std::optional<uint64_t> FreeMemoryBytes() { return std::nullopt; }

size_t MemoryPageBytes() {
  static const size_t bytes = [] {
    SYSTEM_INFO info;
    GetSystemInfo(&info);
    return static_cast<size_t>(info.dwPageSize);
  }();
  return bytes;
}

}  // namespace procshare
