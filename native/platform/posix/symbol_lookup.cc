// Optional functions of the running program, by dlsym.

#include "platform/symbol_lookup.h"

#include <dlfcn.h>

namespace procshare {

void* FindProgramSymbol(const char* name) { return dlsym(RTLD_DEFAULT, name); }

}  // namespace procshare
