// A JavaScript buffer over mapped memory, which stays mapped until the buffer is collected.
#pragma once

#include <napi.h>

#include <memory>

#include "platform/named_memory.h"

namespace procshare {

// Whether this runtime can make a SharedArrayBuffer over memory that is not its own.
bool HasExternalSharedBuffers();

// A SharedArrayBuffer over the first `byte_length` bytes where the runtime can make one, otherwise an ArrayBuffer.
// `*reported_bytes` becomes what V8 was told of external memory, to be taken back when the owner is collected.
// Throws ERR_EXTERNAL_BUFFERS where the runtime refuses memory from outside.
Napi::Value NewExternalBuffer(Napi::Env env, const std::shared_ptr<MemoryMapping>& mapping, size_t byte_length,
                              int64_t* reported_bytes);

}  // namespace procshare
