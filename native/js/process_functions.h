// The functions about processes that JavaScript needs.
#pragma once

#include <napi.h>

namespace procshare {

void ExportProcessFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
