// Semaphores for JavaScript.
#pragma once

#include <napi.h>

namespace procshare {

void ExportSemaphoreFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
