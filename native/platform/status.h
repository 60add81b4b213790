// Status and Result: how every native function reports failure. No exceptions, no errno left in the air.
//
// A Status is an outcome in our own terms plus, for kSystem, the errno-style number and the system call it came from.
// The platform layer normalises its system's numbers to errno values, the shm layer adds the outcomes about content,
// and native/js turns a Status into a JavaScript error, by number and never by text.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

namespace procshare {

enum class Outcome : uint8_t {
  kOk,
  kSystem,     // os_error and syscall say what failed
  kNotReady,   // its creator has been at work for longer than we are willing to wait
  kForeign,    // memory that procshare did not make
  kOtherUser,  // it belongs to another user and the caller did not allow that
  kNotMemory,  // the name is taken by something that is not a plain memory object
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
