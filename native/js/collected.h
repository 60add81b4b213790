// Reclaims the memory of objects that were collected and whose finalizers have not run yet. Node runs finalizers only on the
// event loop. A loop that creates objects without returning to the event loop would use up descriptors and memory.
#pragma once

#include <napi.h>

namespace procshare {

// Reclaims the memory of all such objects. Does not touch anything that JavaScript can still reach: a buffer keeps its own
// reference to the mapping. True when a descriptor, a mapping or memory became free.
bool ReclaimCollected(napi_env env);

// Does the same on the creation of an object. The cost of a call does not grow with the number of objects.
void ReclaimCollectedIfDue(napi_env env);

// The size that is reported to V8 for an open descriptor: large enough that V8 collects before the process runs out of descriptors.
int64_t DescriptorWeight();

void ExportCollectedFunctions(Napi::Env env, Napi::Object exports);

}  // namespace procshare
