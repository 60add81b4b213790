// A child process that runs under ptrace, so that a test can end it at any instruction or system call it
// chooses.
#pragma once

#include <elf.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdint>
#include <functional>
#include <unordered_map>
#include <vector>

#include "check.h"
#include "child_process.h"

namespace procshare::testing {

// Keeps this process and what it forks meanwhile on one processor: a step is two context switches, and
// switching within one processor is several times faster than waking another.
class OneProcessor {
 public:
  OneProcessor() {
    CHECK_EQ(sched_getaffinity(0, sizeof before_, &before_), 0);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<size_t>(sched_getcpu()), &one);
    CHECK_EQ(sched_setaffinity(0, sizeof one, &one), 0);
  }
  ~OneProcessor() { sched_setaffinity(0, sizeof before_, &before_); }
  OneProcessor(const OneProcessor&) = delete;
  OneProcessor& operator=(const OneProcessor&) = delete;

 private:
  cpu_set_t before_;
};

// The instructions of a child, recorded by one run of single steps, so that later runs reach each of them by a breakpoint: two stops
// instead of thousands. Children of one process that begin alike take the same path, as long as nothing that they read differs.
class Path {
 public:
  explicit Path(uintptr_t start) { Add(start); }

  void Add(uintptr_t address) {
    addresses_.push_back(address);
    visits_.push_back(addresses_.size() == 1 ? 0 : ++count_[address]);
  }
  int steps() const { return static_cast<int>(addresses_.size()) - 1; }
  uintptr_t address(int step) const { return addresses_[static_cast<size_t>(step)]; }
  // The number of steps up to this one that have led to its address.
  int visits(int step) const { return visits_[static_cast<size_t>(step)]; }

 private:
  std::vector<uintptr_t> addresses_;
  std::vector<int> visits_;
  std::unordered_map<uintptr_t, int> count_;
};

class TracedChild {
 public:
  // The child is stopped before `body` until the test moves it. It must not use anything that fork() leaves unusable.
  explicit TracedChild(const std::function<void()>& body) {
    fflush(nullptr);
    pid_ = fork();
    CHECK(pid_ >= 0);
    if (pid_ == 0) {
      ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
      raise(SIGSTOP);
      body();
      _exit(0);
    }
    CHECK(Await());
    constexpr long kOptions = PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL;
    CHECK_EQ(ptrace(PTRACE_SETOPTIONS, pid_, nullptr, kOptions), 0);
  }
  ~TracedChild() { Kill(); }
  TracedChild(const TracedChild&) = delete;
  TracedChild& operator=(const TracedChild&) = delete;

  pid_t pid() const { return pid_; }

  // Each moves the child on and returns false when it has ended instead.
  bool StepInstruction() { return Move(PTRACE_SINGLESTEP); }
  bool RunToSystemCallBoundary() { return Move(PTRACE_SYSCALL); }  // entry and exit of each call in turn

  // The address of its next instruction.
  uintptr_t Address() const { return static_cast<uintptr_t>(Registers().*kCounter); }

  // Has the effect of as many single steps on a child that takes this path. A child that takes another path stops at its end, or
  // at the same instruction.
  void RunToStep(const Path& path, int step) {
    const uintptr_t target = path.address(step);
    for (int visits = path.visits(step); visits > 0; --visits) {
      // A breakpoint would stop it where it is. One step of a repeated instruction may be a visit by itself.
      if (Address() == target) CHECK(StepInstruction());
      if (Address() != target && !RunToBreakpoint(target)) return;
    }
  }

  // Runs the child to the entry of its next system call of that number.
  bool RunToSystemCall(long number) {
    while (RunToSystemCallBoundary()) {
      if (SystemCall() == number) return true;
    }
    return false;
  }

  // Runs the child to the end of its body, which must be a success.
  void RunToEnd() {
    while (RunToSystemCallBoundary()) {
    }
  }

  bool RunToHalt() { return Move(PTRACE_CONT); }

  // For the body of the child: stops it here. Few instructions lie between this and what follows in the body.
  static void Halt() { syscall(SYS_tkill, syscall(SYS_gettid), SIGSTOP); }

  // RunToSystemCallBoundary() in two halves, for a call in which the child sleeps until the test does
  // something.
  void StartToSystemCallBoundary() { CHECK_EQ(ptrace(PTRACE_SYSCALL, pid_, nullptr, nullptr), 0); }
  void FinishToSystemCallBoundary() { CHECK(Await()); }

  // Stops tracing the child for good. Only AwaitSleep(), Kill() and Bury() may follow.
  void RunFreely() { CHECK_EQ(ptrace(PTRACE_DETACH, pid_, nullptr, nullptr), 0); }

  // True when the child sleeps in the kernel, false when it has ended instead.
  bool AwaitSleep(double patience_ms) const {
    const Deadline deadline = Deadline::AfterMs(patience_ms);
    for (;;) {
      const char state = ProcessState(pid_);
      if (state == 'S') return true;
      if (state == 'Z') return false;
      CHECK(!deadline.passed());
      sched_yield();
    }
  }

  // The number of the system call that a child at a boundary is in.
  long SystemCall() const {
    __ptrace_syscall_info info = {};
    CHECK(ptrace(PTRACE_GET_SYSCALL_INFO, pid_, sizeof info, &info) > 0);
    return info.op == PTRACE_SYSCALL_INFO_ENTRY ? static_cast<long>(info.entry.nr) : -1;
  }

  // SIGKILL; when this returns, the kernel has released everything that the child held.
  void Kill() {
    if (pid_ == 0) return;
    Shoot();
    ReapRecord();
  }

  // The two halves of Kill(), for tests that look at what happens in between.
  void Shoot() { kill(pid_, SIGKILL); }
  void ReapRecord() {
    int status;
    while (waitpid(pid_, &status, __WALL) == pid_ && !WIFEXITED(status) && !WIFSIGNALED(status)) {
    }
    pid_ = 0;
  }

 private:
#if defined(__x86_64__)
  static constexpr uint64_t kBreakpoint = 0xcc;
  static constexpr uint64_t kBreakpointMask = 0xff;
  static constexpr uintptr_t kBreakpointBytes = 1;  // the counter is behind it when it stops
  static constexpr auto kCounter = &user_regs_struct::rip;
#elif defined(__aarch64__)
  static constexpr uint64_t kBreakpoint = 0xd4200000;
  static constexpr uint64_t kBreakpointMask = 0xffffffff;
  static constexpr uintptr_t kBreakpointBytes = 0;
  static constexpr auto kCounter = &user_regs_struct::pc;
#endif

  user_regs_struct Registers() const {
    user_regs_struct registers;
    iovec all{&registers, sizeof registers};
    CHECK_EQ(ptrace(PTRACE_GETREGSET, pid_, NT_PRSTATUS, &all), 0);
    return registers;
  }

  // True when the child is about to execute the instruction there, false when it has halted or ended before.
  bool RunToBreakpoint(uintptr_t target) {
    void* const address = reinterpret_cast<void*>(target);
    errno = 0;
    const long code = ptrace(PTRACE_PEEKTEXT, pid_, address, nullptr);
    CHECK_EQ(errno, 0);
    const long stop = static_cast<long>((static_cast<uint64_t>(code) & ~kBreakpointMask) | kBreakpoint);
    CHECK_EQ(ptrace(PTRACE_POKETEXT, pid_, address, stop), 0);
    if (!Move(PTRACE_CONT)) return false;
    CHECK_EQ(ptrace(PTRACE_POKETEXT, pid_, address, code), 0);
    user_regs_struct registers = Registers();
    if (registers.*kCounter != target + kBreakpointBytes) return false;
    registers.*kCounter = target;
    iovec all{&registers, sizeof registers};
    CHECK_EQ(ptrace(PTRACE_SETREGSET, pid_, NT_PRSTATUS, &all), 0);
    return true;
  }

  bool Move(decltype(PTRACE_CONT) request) {
    CHECK_EQ(ptrace(request, pid_, nullptr, nullptr), 0);
    return Await();
  }

  // True when the child has stopped, false when it has ended by itself, which must be with success.
  bool Await() {
    int status = 0;
    while (waitpid(pid_, &status, __WALL) < 0) CHECK_EQ(errno, EINTR);
    if (WIFSTOPPED(status)) {
      const int signal = WSTOPSIG(status) & 0x7f;
      CHECK(signal == SIGTRAP || signal == SIGSTOP);
      return true;
    }
    pid_ = 0;
    CHECK_EQ(status, 0);
    return false;
  }

  pid_t pid_ = 0;
};

}  // namespace procshare::testing
