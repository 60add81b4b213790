// Barriers for JavaScript.
#pragma once

#include <napi.h>

namespace procshare {

void ExportBarrierFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
