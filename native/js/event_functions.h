// Events for JavaScript.
#pragma once

#include <napi.h>

namespace procshare {

void ExportEventFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
