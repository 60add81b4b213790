// Status and Result: every native function reports failure by them. There are no exceptions, and errno is never read later.
//
// A Status is an outcome and, for kSystem, an errno-style number and the system call that it came from. The platform layer
// converts the numbers of its system to errno values. The shm layer adds the outcomes about content. native/js makes a JavaScript
// error of a Status, by number and never by text.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

namespace procshare {

enum class Outcome : uint8_t {
  kOk,
  kSystem,     // os_error and syscall have the details
  kNotReady,   // its builder has not published it before the deadline
  kForeign,    // memory that procshare did not make
  kOtherUser,  // it belongs to another user and the caller did not allow that
  kNotMemory,  // the name means something that is no plain memory object
  kLayout,     // made by a version with another segment layout
  kAbi,        // made by a process whose mutexes look different (other libc or word size)
  kNamespace,  // its mutexes belong to another pid namespace
  kCorrupt,    // truncated or overwritten
};

struct [[nodiscard]] Status {
  Outcome outcome = Outcome::kOk;
  int os_error = 0;
  const char* syscall = nullptr;

  bool ok() const { return outcome == Outcome::kOk; }
  bool Is(int error) const { return outcome == Outcome::kSystem && os_error == error; }

  static Status Ok() { return {}; }
  static Status Of(Outcome outcome) { return {outcome, 0, nullptr}; }
  static Status System(int error, const char* syscall) { return {Outcome::kSystem, error, syscall}; }
};

template <class T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}          // NOLINT: implicit on purpose, `return value;`
  Result(Status status) : status_(std::move(status)) {}  // NOLINT: implicit on purpose, `return status;`

  bool ok() const { return value_.has_value(); }
  const Status& status() const { return status_; }
  T& value() { return *value_; }
  const T& value() const { return *value_; }

 private:
  Status status_;
  std::optional<T> value_;
};

}  // namespace procshare
