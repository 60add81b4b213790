// Opens and maps named shared memory, then unmaps and closes it.
//
//   open_map NAME bare   shm_open, mmap, munmap, close, with a known length
//   open_map NAME read   with an unknown length, as in a program that knows only the name: also fstat,
//                        and a read of one word, at which the system maps the page
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "line_protocol.h"

int main(int argc, char** argv) {
  need(argc == 3, "arguments");
  const char* const name = argv[1];
  const int reads = strcmp(argv[2], "read") == 0;
  puts("ready");
  fflush(stdout);

  int64_t operations;
  while (next_request(&operations)) {
    volatile int32_t sink = 0;
    const int64_t start = monotonic_ns();
    for (int64_t i = 0; i < operations; ++i) {
      const int fd = shm_open(name, O_RDWR | O_CLOEXEC, 0);
      need(fd >= 0, "shm_open");
      size_t length = 4096;
      if (reads) {
        struct stat info;
        need(fstat(fd, &info) == 0, "fstat");
        length = (size_t)info.st_size;
      }
      void* const memory = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
      need(memory != MAP_FAILED, "mmap");
      if (reads) sink = *(volatile int32_t*)memory;
      munmap(memory, length);
      close(fd);
    }
    const int64_t end = monotonic_ns();
    (void)sink;
    answer(start, end, 0);
  }
  return 0;
}
