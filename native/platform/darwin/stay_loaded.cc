// Keeps the addon in memory for good: a SharedArrayBuffer may outlive the worker that loaded the addon, and its finalizer calls
// the addon. On Linux a flag of the linker does this (`-z nodelete`); macOS has no such flag.

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
