// What JavaScript needs to know and do about processes.
#pragma once

#include <napi.h>

namespace procshare {

void ExportProcessFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
