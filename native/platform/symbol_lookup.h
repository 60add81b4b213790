// Finds an optional function of the running program by name. Null when the program does not have it.
#pragma once

namespace procshare {

void* FindProgramSymbol(const char* name);

}  // namespace procshare
