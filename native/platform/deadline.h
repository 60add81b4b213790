// Deadline: an absolute point on the monotonic clock, and the only place where time is computed. Waits take a Deadline, so that an
// interrupted or spurious wake-up does not lengthen the wait.
#pragma once

#include <chrono>
#include <cstdint>

namespace procshare {

class Deadline {
 public:
  using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC on Linux: the clock that futexes and clocklock use

  static Deadline Never() { return Deadline(Clock::time_point::max()); }
  static Deadline AfterMs(double ms) {
    constexpr double kFarMs = 1e12;  // some thirty years: anything later counts as never, and would overflow
    if (ms >= kFarMs) return Never();
    if (ms < 0) ms = 0;
    return Deadline(Clock::now() + std::chrono::nanoseconds(static_cast<int64_t>(ms * 1e6)));
  }

  static Deadline Earlier(Deadline one, Deadline other) { return one.at_ < other.at_ ? one : other; }

  bool never() const { return at_ == Clock::time_point::max(); }
  bool passed() const { return !never() && Clock::now() >= at_; }
  int64_t since_epoch_ns() const {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(at_.time_since_epoch()).count();
  }
  int64_t remaining_ns() const {
    if (never()) return INT64_MAX;
    const auto left = std::chrono::duration_cast<std::chrono::nanoseconds>(at_ - Clock::now()).count();
    return left > 0 ? left : 0;
  }

 private:
  explicit Deadline(Clock::time_point at) : at_(at) {}
  Clock::time_point at_;
};

}  // namespace procshare
