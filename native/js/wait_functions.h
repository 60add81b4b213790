// Waiting, for JavaScript: of whatever kind the object is, its waits have ids, and these functions take them.
#pragma once

#include <napi.h>

namespace procshare {

void ExportWaitFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
