// Child processes of a test, their messages to the parent, and memory that they share with it.
//
// A child never outlives its parent (not even a parent that failed a CHECK). Every wait for a child has a deadline.
#pragma once

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <new>
#include <utility>

#include "check.h"

namespace procshare::testing {

// One end of a connection between a parent and its child. A message is one character.
class Channel {
 public:
  explicit Channel(int fd) : fd_(fd) {}
  ~Channel() {
    if (fd_ >= 0) close(fd_);
  }
  Channel(Channel&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Channel& operator=(Channel&&) = delete;

  void Send(char message) const { CHECK_EQ(send(fd_, &message, 1, MSG_NOSIGNAL), 1); }

  static constexpr char kEnded = 0;  // the other process has ended
  static constexpr char kNothing = 1;

  char Receive(double patience_ms) const {
    const Deadline deadline = Deadline::AfterMs(patience_ms);
    for (;;) {
      pollfd item = {fd_, POLLIN, 0};
      const int ready = poll(&item, 1, static_cast<int>(deadline.remaining_ns() / 1'000'000));
      if (ready < 0 && errno == EINTR) continue;
      if (ready == 0) return kNothing;
      char message;
      const ssize_t count = read(fd_, &message, 1);
      if (count < 0 && errno == EINTR) continue;
      return count == 1 ? message : kEnded;
    }
  }
  void Expect(char message) const { CHECK_EQ(Receive(kPatienceMs), message); }

 private:
  int fd_;
};

// 'R' runs, 'S' sleeps until something happens, 'Z' has ended.
inline char ProcessState(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  FILE* const file = fopen(path.c_str(), "re");
  CHECK(file != nullptr);
  char state = 0;
  CHECK_EQ(fscanf(file, "%*d (%*[^)]) %c", &state), 1);
  fclose(file);
  return state;
}

class Child {
 public:
  using Body = std::function<void(const Channel& parent)>;

  explicit Child(const Body& body) : channel_(-1) {
    int ends[2];
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    const pid_t parent = getpid();
    fflush(nullptr);
    pid_ = fork();
    CHECK(pid_ >= 0);
    if (pid_ == 0) {
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      const pid_t parent_now = getppid();  // 0: the parent is outside of our pid namespace
      if (parent_now != parent && parent_now != 0) _exit(1);
      close(ends[0]);
      body(Channel(ends[1]));
      // Not exit(): the child must not run the exit handlers of the parent.
      _exit(0);
    }
    close(ends[1]);
    new (&channel_) Channel(ends[0]);
  }
  ~Child() { Kill(); }
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, 0)), channel_(std::move(other.channel_)) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  pid_t pid() const { return pid_; }
  void Send(char message) const { channel_.Send(message); }
  char Receive(double patience_ms) const { return channel_.Receive(patience_ms); }
  void Expect(char message) const { channel_.Expect(message); }

  // Expects the child to end by itself, with exit code 0.
  void ExpectEnd() {
    CHECK_EQ(channel_.Receive(kPatienceMs), Channel::kEnded);
    CHECK_EQ(Reap(), 0);
  }

  void Kill() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);
    (void)Reap();
  }

  // Waits for the end without a deadline, and returns the status of waitpid(2).
  int Reap() {
    int status = -1;
    while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
    return status;
  }

 private:
  pid_t pid_ = 0;
  Channel channel_;
};

// A T in memory that this process shares with all processes that it forks afterwards.
template <class T>
class SharedScratch {
 public:
  SharedScratch() {
    void* const data = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(data != MAP_FAILED);
    value_ = new (data) T();
  }
  ~SharedScratch() { munmap(static_cast<void*>(value_), sizeof(T)); }
  SharedScratch(const SharedScratch&) = delete;
  SharedScratch& operator=(const SharedScratch&) = delete;

  T* operator->() const { return value_; }
  T& operator*() const { return *value_; }

 private:
  T* value_;
};

// Lets `parties` processes pass a point at the same moment, to provoke races. They spin, because wake-ups would spread them over
// more time than the races take.
class Rendezvous {
 public:
  void Meet(uint32_t parties) {
    const uint32_t turn = arrived_.fetch_add(1, std::memory_order_acq_rel) / parties;
    const Deadline deadline = Deadline::AfterMs(kPatienceMs);
    while (arrived_.load(std::memory_order_acquire) < (turn + 1) * parties) {
      CHECK(!deadline.passed());
      sched_yield();
    }
  }

 private:
  std::atomic<uint32_t> arrived_{0};
};

}  // namespace procshare::testing
