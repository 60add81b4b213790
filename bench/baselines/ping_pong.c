// Two processes write a word in turn. Each spins for some microseconds before it sleeps on the word (a shared futex).
//
//   ping_pong        each operation is a round trip
#include <errno.h>
#include <linux/futex.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "line_protocol.h"

struct word {
  _Alignas(64) _Atomic uint32_t value;
  _Atomic uint32_t sleepers;
};

struct shared {
  struct word ping;
  struct word pong;
};

static void say(struct word* word, uint32_t value) {
  atomic_store(&word->value, value);
  if (atomic_load(&word->sleepers) != 0) syscall(SYS_futex, &word->value, FUTEX_WAKE, 1, NULL, NULL, 0);
}

static void await(struct word* word, uint32_t value) {
  const int64_t end = monotonic_ns() + 30000;
  do {
    for (int i = 0; i < 16; ++i) {
      if (atomic_load(&word->value) == value) return;
      __builtin_ia32_pause();
    }
  } while (monotonic_ns() < end);
  atomic_fetch_add(&word->sleepers, 1);
  for (uint32_t seen; (seen = atomic_load(&word->value)) != value;) {
    syscall(SYS_futex, &word->value, FUTEX_WAIT, seen, NULL, NULL, 0);
  }
  atomic_fetch_sub(&word->sleepers, 1);
}

int main(void) {
  struct shared* shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  need(shared != MAP_FAILED, "mmap");
  const pid_t child = fork();
  need(child >= 0, "fork");
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (uint32_t n = 1;; ++n) {
      await(&shared->ping, n);
      say(&shared->pong, n);
    }
  }
  puts("ready");
  fflush(stdout);
  uint32_t n = 0;
  int64_t operations;
  while (next_request(&operations)) {
    const int64_t start = monotonic_ns();
    for (int64_t i = 0; i < operations; ++i) {
      say(&shared->ping, ++n);
      await(&shared->pong, n);
    }
    answer(start, monotonic_ns(), 0);
  }
  kill(child, SIGKILL);
  return 0;
}
