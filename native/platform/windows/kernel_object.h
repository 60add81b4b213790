// The base of the Windows files: handles, names of kernel objects, access to them, and errors of Windows as errno values.
//
// Every object that processes share is a named object of the session (`Local\procshare.<kind>.<which>`). The kernel removes it
// with the last handle to it, however the process with that handle ends. The kinds:
//
//   n  mutex    a name: held for the length of one operation on it      named_memory.cc
//   d  section  a name: which memory it means                           memory_name.h
//   s  section  the bytes of one piece of memory                        named_memory.cc
//   m  event    a member of it; exists for as long as it is one         named_memory.cc
//   p  section  the sleepers on its words                               parking_table.h
//   t  mutex    a thread: owned by it for as long as it lives           thread_token.h
//   e  event    what that thread sleeps on                              thread_token.h
#pragma once

#include <windows.h>

#include <cstdint>
#include <string>
#include <utility>

#include "platform/status.h"

namespace procshare {

class Handle {
 public:
  Handle() = default;
  // Takes the result of CreateX, OpenX or CreateFile.
  explicit Handle(HANDLE handle) : handle_(handle == INVALID_HANDLE_VALUE ? nullptr : handle) {}
  ~Handle() { Reset(); }
  Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      Reset();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }

  HANDLE get() const { return handle_; }
  bool valid() const { return handle_ != nullptr; }
  void Reset() {
    if (handle_ != nullptr) CloseHandle(std::exchange(handle_, nullptr));
  }

 private:
  HANDLE handle_ = nullptr;
};

// The bytes of a section, mapped.
class View {
 public:
  View() = default;
  explicit View(void* data) : data_(data) {}
  ~View() {
    if (data_ != nullptr) UnmapViewOfFile(data_);
  }
  View(View&& other) noexcept : data_(std::exchange(other.data_, nullptr)) {}
  View& operator=(View&& other) noexcept {
    std::swap(data_, other.data_);
    return *this;
  }

  bool valid() const { return data_ != nullptr; }
  template <class T>
  T* As() const {
    return static_cast<T*>(data_);
  }
  void* Release() { return std::exchange(data_, nullptr); }

 private:
  void* data_ = nullptr;
};

// Local\procshare.<kind>.<id>[.<number>]
class ObjectName {
 public:
  ObjectName(char kind, uint64_t id);
  ObjectName(char kind, uint64_t id, uint64_t number);
  const wchar_t* get() const { return text_; }

 private:
  wchar_t text_[64];
};
std::wstring ObjectNameOf(char kind, const std::wstring& which);

// Determines which users may use an object, besides its user and the system.
enum class Audience : uint8_t { kUser, kEveryone };

// Security attributes for a new object, whose owner is this user. Not to be freed. Every user may wait for mutexes and events,
// and signal them: their names are known only from memory to which the user has access.
SECURITY_ATTRIBUTES* SecurityOf(Audience audience);
SECURITY_ATTRIBUTES* SecurityOfMutexes();
SECURITY_ATTRIBUTES* SecurityOfEvents();

// Whether another user has created the object.
bool BelongsToAnother(HANDLE object);

// The number of handles to the object, in all processes; 0 when the system does not report it.
size_t CountHandles(HANDLE object);

int ErrnoOf(DWORD error);

// The status of the last error.
Status FailureOf(const char* call);

}  // namespace procshare
