// Optional functions of the running program, by GetProcAddress.

#include "platform/symbol_lookup.h"

#include <windows.h>

namespace procshare {

void* FindProgramSymbol(const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(nullptr), name));
}

}  // namespace procshare
