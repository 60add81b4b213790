// A JavaScript buffer over mapped memory, which stays mapped until the buffer is collected or dropped.
#pragma once

#include <napi.h>

#include <memory>

#include "platform/named_memory.h"

namespace procshare {

// Whether this runtime can make a SharedArrayBuffer over memory that is not its own.
bool HasExternalSharedBuffers();

// What a holder remembers of the buffer that it made.
class ExternalBuffer {
 public:
  // What a buffer keeps mapped. Belongs to the finalizer of the buffer.
  struct MappingReference {
    std::shared_ptr<MemoryMapping> mapping;
    bool* finalized;                  // where to note that the finalizer has run, while the buffer is being made
    ExternalBuffer* owner = nullptr;  // who must not look here afterwards; of an ArrayBuffer
  };

  ExternalBuffer() = default;
  ExternalBuffer(const ExternalBuffer&) = delete;
  ExternalBuffer& operator=(const ExternalBuffer&) = delete;
  ~ExternalBuffer() {
    if (mapping_reference_ != nullptr) mapping_reference_->owner = nullptr;
  }

  // A SharedArrayBuffer over the first `byte_length` bytes where the runtime can make one, otherwise an ArrayBuffer. To be
  // called once. `*reported_bytes` becomes what V8 is to be told of external memory until the buffer is collected. Throws ERR_EXTERNAL_BUFFERS where the runtime refuses memory from outside.
  Napi::Value Create(Napi::Env env, const std::shared_ptr<MemoryMapping>& mapping, size_t byte_length,
                     int64_t* reported_bytes);

  // Empties an ArrayBuffer and lets go of its memory at once; the caller knows that it is alive and that no view of it
  // will be used. Without effect on a SharedArrayBuffer.
  void Detach(Napi::Env env);

  bool created() const { return created_; }

  // The program has got the buffer: that it was collected does not mean any more that nobody has the memory.
  void Expose() { exposed_ = true; }

  // Lets go of the memory of an ArrayBuffer that was collected and whose finalizer is still to come; true if it had some.
  bool Unmap(napi_env env);

  // The finalizer has run.
  void OnFinalized() { mapping_reference_ = nullptr; }

 private:
  napi_ref buffer_reference_ = nullptr;            // weak
  MappingReference* mapping_reference_ = nullptr;  // of an ArrayBuffer; owned by its finalizer
  bool exposed_ = false;
  bool created_ = false;
};

}  // namespace procshare
