// Keyed waits for JavaScript: conditions, and wait/notify on words.
#pragma once

#include <napi.h>

namespace procshare {

void ExportParkingFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
