// A T in memory that is mapped twice, so that one process sees it at two addresses, as two processes usually
// do.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <new>

#include "check.h"

namespace procshare::testing {

template <class T>
class TwoViews {
 public:
  TwoViews() {
    const int fd = memfd_create("two-views", MFD_CLOEXEC);
    CHECK(fd >= 0);
    CHECK_EQ(ftruncate(fd, sizeof(T)), 0);
    first_ = new (Map(fd)) T();
    second_ = static_cast<T*>(Map(fd));
    close(fd);
    CHECK(first_ != second_);
  }
  ~TwoViews() {
    munmap(static_cast<void*>(first_), sizeof(T));
    munmap(static_cast<void*>(second_), sizeof(T));
  }
  TwoViews(const TwoViews&) = delete;
  TwoViews& operator=(const TwoViews&) = delete;

  T* first() const { return first_; }
  T* second() const { return second_; }

 private:
  static void* Map(int fd) {
    void* const data = mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(data != MAP_FAILED);
    return data;
  }

  T* first_;
  T* second_;
};

}  // namespace procshare::testing
