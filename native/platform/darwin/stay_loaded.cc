// Keeps the addon in memory for good: a SharedArrayBuffer may outlive the worker that loaded the addon, and calls into it at
// its end. On Linux the linker is told so (`-z nodelete`); here there is no such flag.

#include <dlfcn.h>

namespace procshare {
namespace {

[[maybe_unused]] void* const kept = [] {
  static const char here = 0;
  Dl_info info;
  return dladdr(&here, &info) != 0 ? dlopen(info.dli_fname, RTLD_LAZY | RTLD_NODELETE) : nullptr;
}();

}  // namespace
}  // namespace procshare
