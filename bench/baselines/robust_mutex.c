// A robust, process-shared pthread mutex and a counter in named shared memory.
//
//   robust_mutex NAME lock     each operation locks and unlocks
//   robust_mutex NAME count    each operation adds one to the counter under the lock
//
// The first process creates the memory. "ready" is printed when it can be used.
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "line_protocol.h"

struct shared {
  pthread_mutex_t mutex;
  int32_t counter;
};

static void initialise(struct shared* shared) {
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutex_init(&shared->mutex, &attributes);
}

static inline void lock(struct shared* shared) {
  const int error = pthread_mutex_lock(&shared->mutex);
  if (__builtin_expect(error == 0, 1)) return;
  need(error == EOWNERDEAD && pthread_mutex_consistent(&shared->mutex) == 0, "pthread_mutex_lock");
}

int main(int argc, char** argv) {
  need(argc == 3, "arguments");
  const int counts = strcmp(argv[2], "count") == 0;
  int fd = shm_open(argv[1], O_RDWR | O_CREAT | O_EXCL, 0600);
  const int is_first = fd >= 0;
  if (!is_first) fd = shm_open(argv[1], O_RDWR, 0600);
  need(fd >= 0, "shm_open");
  if (is_first) need(ftruncate(fd, sizeof(struct shared)) == 0, "ftruncate");
  struct shared* shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  need(shared != MAP_FAILED, "mmap");
  if (is_first) initialise(shared);
  puts("ready");
  fflush(stdout);

  int64_t operations;
  while (next_request(&operations)) {
    const int64_t start = monotonic_ns();
    if (counts) {
      for (int64_t i = 0; i < operations; ++i) {
        lock(shared);
        ++shared->counter;
        pthread_mutex_unlock(&shared->mutex);
      }
    } else {
      for (int64_t i = 0; i < operations; ++i) {
        lock(shared);
        pthread_mutex_unlock(&shared->mutex);
      }
    }
    answer(start, monotonic_ns(), shared->counter);
  }
  if (is_first) shm_unlink(argv[1]);
  return 0;
}
