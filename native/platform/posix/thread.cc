// Threads with small stacks, by pthread.

#include "platform/thread.h"

#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>

namespace procshare {

bool SmallThread::Start(void (*run)(void*), void* argument) {
  // PTHREAD_STACK_MIN does not count thread-local storage, which glibc takes from the stack too.
  const size_t stack_bytes = std::max<size_t>(128 * 1024, static_cast<size_t>(sysconf(_SC_THREAD_STACK_MIN)));
  pthread_attr_t attributes;
  pthread_attr_init(&attributes);
  pthread_attr_setstacksize(&attributes, stack_bytes);
  run_ = run;
  argument_ = argument;
  // Signals are for the main thread: a handler must not run on this stack.
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  pthread_t thread;
  started_ = pthread_create(
                 &thread, &attributes,
                 [](void* self) -> void* {
                   static_cast<SmallThread*>(self)->run_(static_cast<SmallThread*>(self)->argument_);
                   return nullptr;
                 },
                 this) == 0;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  pthread_attr_destroy(&attributes);
  if (started_) handle_ = (uintptr_t)thread;
  return started_;
}

void SmallThread::Join() {
  if (!started_) return;
  pthread_join((pthread_t)handle_, nullptr);
  started_ = false;
}

}  // namespace procshare
