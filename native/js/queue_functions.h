// Queues for JavaScript.
#pragma once

#include <napi.h>

namespace procshare {

void ExportQueueFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
