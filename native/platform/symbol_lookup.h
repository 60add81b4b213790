// Finds a function that the running program may or may not have, by name. Null when it has not.
#pragma once

namespace procshare {

void* FindProgramSymbol(const char* name);

}  // namespace procshare
