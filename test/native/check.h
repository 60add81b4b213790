// The harness. A program is a list of cases. Each case is a function that aborts the program at its first false CHECK.
//
//   TEST    {"sentence about behaviour", Function} in the list that main() hands to RunTests
//   CHECK   prints file:line and the expression; CHECK_EQ also both values
//   Skip    `return Skip("reason");` where a case is meaningless; the reason is printed
//
// A failure in a forked child aborts the child; then the process that waits for it fails, too.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <random>
#include <string>
#include <thread>
#include <type_traits>

#include "fallback_exceptions.h"
#include "host.h"
#include "platform/deadline.h"
#include "platform/process_identity.h"
#include "sanitizers.h"

namespace procshare::testing {

template <class T>
std::string Show(const T& value) {
  if constexpr (std::is_same_v<T, bool>) {
    return value ? "true" : "false";
  } else if constexpr (std::is_enum_v<T>) {
    return std::to_string(static_cast<int64_t>(value));
  } else if constexpr (std::is_arithmetic_v<T>) {
    return std::to_string(value);
  } else if constexpr (std::is_pointer_v<T> && !std::is_convertible_v<T, std::string>) {
    return value == nullptr ? "null" : "a pointer";
  } else {
    return "\"" + std::string(value) + "\"";
  }
}

template <class A, class B>
bool Equal(const A& a, const B& b) {
  if constexpr (std::is_integral_v<A> && std::is_integral_v<B>) {
    // Numbers of different signedness are compared by value, as the reader of a test expects.
    if constexpr (std::is_signed_v<A> && !std::is_signed_v<B>) {
      if (a < 0) return false;
    } else if constexpr (std::is_signed_v<B> && !std::is_signed_v<A>) {
      if (b < 0) return false;
    }
    return static_cast<std::common_type_t<A, B>>(a) == static_cast<std::common_type_t<A, B>>(b);
  } else {
    return a == b;
  }
}

// Text that a failure prints besides the expression: the round, the instruction, the byte.
inline std::string& Context() {
  static std::string context;
  return context;
}

[[noreturn]] inline void Fail(const char* file, int line, const std::string& what) {
  const std::string& context = Context();
  fprintf(stderr, "%s:%d: CHECK failed in process %u: %s%s%s\n", file, line, CurrentProcess().pid, what.c_str(),
          context.empty() ? "" : "\n  at ", context.c_str());
  fflush(stderr);
  abort();
}

template <class A, class B>
void CheckEqual(const A& actual, const B& expected, const char* text, const char* file, int line) {
  if (Equal(actual, expected)) return;
  Fail(file, line, std::string(text) + "\n  is       " + Show(actual) + "\n  expected " + Show(expected));
}

#define CHECK(condition) ((condition) ? (void)0 : ::procshare::testing::Fail(__FILE__, __LINE__, #condition))
#define CHECK_EQ(actual, expected) \
  ::procshare::testing::CheckEqual((actual), (expected), #actual " == " #expected, __FILE__, __LINE__)

class Stopwatch {
 public:
  double ms() const { return std::chrono::duration<double, std::milli>(Deadline::Clock::now() - start_).count(); }

 private:
  Deadline::Clock::time_point start_ = Deadline::Clock::now();
};

// Holds many measured operations to a limit. A busy machine may stall any single operation, so one in a hundred may be late, but
// none by more than `kGraceMs`. A protocol that waits for a dead process is late each time.
class Promptness {
 public:
  explicit Promptness(double limit_ms) : limit_ms_(limit_ms) {}
  ~Promptness() {
    if (late_ * 100 > total_ + 99) {
      Fail(__FILE__, __LINE__,
           std::to_string(late_) + " of " + std::to_string(total_) + " took over " + std::to_string(limit_ms_) +
               " ms, the worst " + std::to_string(worst_) + " ms");
    }
  }
  Promptness(const Promptness&) = delete;
  Promptness& operator=(const Promptness&) = delete;

  void Note(double ms) {
    ++total_;
    if (ms > worst_) worst_ = ms;
    if (ms > limit_ms_) ++late_;
    if (ms > limit_ms_ + kGraceMs) Fail(__FILE__, __LINE__, "took " + std::to_string(ms) + " ms");
  }

 private:
  static constexpr double kGraceMs = 700;
  double limit_ms_;
  double worst_ = 0;
  int total_ = 0;
  int late_ = 0;
};

// The prefix of the names of this program, in every process that it forks.
inline const std::string& NamePrefix() {
  static const std::string prefix = "procshare-test-" + std::to_string(CurrentProcess().pid) + "-";
  return prefix;
}
inline std::string TestName(const std::string& tail) { return NamePrefix() + tail; }

// One name of this program that still exists, or an empty text.
inline std::string LeftOver() { return NameInUse(NamePrefix()); }

constexpr double kPatienceMs = 20'000;  // for events that should take a moment; the test fails after it

// Waits until a condition is true, in this process or in others.
template <class Predicate>
void Eventually(const Predicate& predicate) {
  const Deadline deadline = Deadline::AfterMs(kPatienceMs);
  while (!predicate()) {
    CHECK(!deadline.passed());
    std::this_thread::yield();
  }
}

// For tests that make random choices. A failure prints it. With it in the environment, the choices are repeated.
inline uint32_t Seed() {
  const char* const given = getenv("PROCSHARE_TEST_SEED");
  const uint32_t seed = given != nullptr ? static_cast<uint32_t>(strtoul(given, nullptr, 10)) : std::random_device()();
  printf("     seed %u\n", seed);
  return seed;
}

struct Test {
  const char* name;
  void (*run)();
};

inline const char*& SkipReason() {
  static const char* reason = nullptr;
  return reason;
}
inline void Skip(const char* reason) { SkipReason() = reason; }

// `argv[1]`, if there is one, picks the cases whose names contain it.
template <size_t kCount>
int RunTests(int argc, char** argv, const Test (&tests)[kCount]) {
  constexpr unsigned kProgramSeconds = kFallbacks ? 300 : 120;  // a hang ends here, together with the children
  LimitProgram(kProgramSeconds);
  setvbuf(stdout, nullptr, _IOLBF, 0);
  (void)NamePrefix();  // before the first fork
  for (const Test& test : tests) {
    if (argc > 1 && strstr(test.name, argv[1]) == nullptr) continue;
    const Stopwatch watch;
    SkipReason() = nullptr;
    Context().clear();
    if (const char* const reason = ExceptionOf(test.name)) {
      printf("SKIP %s: %s\n", test.name, reason);
      continue;
    }
    test.run();
    Context().clear();
    if (SkipReason() != nullptr) {
      printf("SKIP %s: %s\n", test.name, SkipReason());
      continue;
    }
    CHECK_EQ(LeftOver(), "");
    printf("ok   %s (%.0f ms)\n", test.name, watch.ms());
  }
  return 0;
}

}  // namespace procshare::testing
