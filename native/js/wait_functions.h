// Waiting, for JavaScript. The waits of objects of all kinds have ids, which these functions take.
#pragma once

#include <napi.h>

namespace procshare {

void ExportWaitFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
