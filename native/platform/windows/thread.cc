// Threads with small stacks, by _beginthreadex.

#include "platform/thread.h"

#include <process.h>
#include <windows.h>

namespace procshare {
namespace {

constexpr unsigned kStackBytes = 128 * 1024;

// The addon stays loaded. A SharedArrayBuffer may outlive the worker that loaded the addon, and its finalizer calls the addon.
// Each thread that has a token also calls the addon at its end.
const bool kept_loaded = [] {
  HMODULE self;
  return GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_PIN | GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS,
                            reinterpret_cast<LPCWSTR>(&kStackBytes), &self) != 0;
}();

}  // namespace

bool SmallThread::Start(void (*run)(void*), void* argument) {
  run_ = run;
  argument_ = argument;
  handle_ = _beginthreadex(
      nullptr, kStackBytes,
      [](void* self) -> unsigned {
        static_cast<SmallThread*>(self)->run_(static_cast<SmallThread*>(self)->argument_);
        return 0;
      },
      this, STACK_SIZE_PARAM_IS_A_RESERVATION, nullptr);
  started_ = handle_ != 0;
  return started_;
}

void SmallThread::Join() {
  if (!started_) return;
  WaitForSingleObject(reinterpret_cast<HANDLE>(handle_), INFINITE);
  CloseHandle(reinterpret_cast<HANDLE>(handle_));
  started_ = false;
}

}  // namespace procshare
