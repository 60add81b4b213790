#include <windows.h>

#include "platform/symbol_lookup.h"

namespace procshare {

void* FindProgramSymbol(const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(GetModuleHandleW(nullptr), name));
}

}  // namespace procshare
