// What the garbage collector has taken and whose finalizers have not run yet. Node runs finalizers on the event loop only: a loop
// that makes objects without a turn of it would use up descriptors and memory that nobody can reach any more.
#pragma once

#include <napi.h>

namespace procshare {

// Lets go of all that. Nothing that JavaScript can still reach is touched: a buffer keeps its mapping by itself. True when a
// descriptor, a mapping or memory became free.
bool ReclaimCollected(napi_env env);

// The same, at a cost that does not grow with the number of objects when it is called for each new one.
void ReclaimCollectedIfDue(napi_env env);

// What V8 is told that an open descriptor costs: so much that it collects before the process runs out of them.
int64_t DescriptorWeight();

void ExportCollectedFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
