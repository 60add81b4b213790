// A JavaScript buffer over mapped memory, which stays mapped until the buffer is collected or dropped.
#pragma once

#include <napi.h>

#include <memory>

#include "platform/named_memory.h"

namespace procshare {

// Whether this runtime can make a SharedArrayBuffer over memory that is not its own.
bool HasExternalSharedBuffers();

// The buffer of a segment binding.
class ExternalBuffer {
 public:
  // The mapping of a buffer. Owned by the finalizer of the buffer.
  struct MappingReference {
    std::shared_ptr<MemoryMapping> mapping;
    bool* finalized;                  // set when the finalizer runs while the buffer is being made
    ExternalBuffer* owner = nullptr;  // of an ArrayBuffer: has a pointer to this until the finalizer runs
  };

  ExternalBuffer() = default;
  ExternalBuffer(const ExternalBuffer&) = delete;
  ExternalBuffer& operator=(const ExternalBuffer&) = delete;
  ~ExternalBuffer() {
    if (mapping_reference_ != nullptr) mapping_reference_->owner = nullptr;
  }

  // A SharedArrayBuffer over the first `byte_length` bytes where the runtime can create one, otherwise an ArrayBuffer. Called
  // once. `*reported_bytes` becomes the external memory to report to V8 until the buffer is collected. Throws
  // ERR_EXTERNAL_BUFFERS where the runtime refuses memory from outside.
  Napi::Value Create(Napi::Env env, const std::shared_ptr<MemoryMapping>& mapping, size_t byte_length,
                     int64_t* reported_bytes);

  // Detaches an ArrayBuffer and unmaps its memory at once. Requires: the buffer is alive and no view of it is in use. Has no
  // effect on a SharedArrayBuffer.
  void Detach(Napi::Env env);

  bool created() const { return created_; }

  // Notes that the program has the buffer and may transfer its memory to another one. From then on the memory may be in use after
  // this buffer was collected.
  void Expose() { exposed_ = true; }

  // Unmaps the memory of an ArrayBuffer that was collected and whose finalizer has not run; true if it had some.
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
