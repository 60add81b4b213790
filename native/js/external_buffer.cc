#include "js/external_buffer.h"

#include <utility>

#include "js/js_error.h"
#include "platform/symbol_lookup.h"

namespace procshare {
namespace {

// node_api_create_external_sharedarraybuffer: Node.js 22.23, 24.21 and 26, Bun. Looked up and never linked, so that one
// binary loads everywhere. Its finalizer runs on any thread, without an environment.
using CreateSharedBuffer = napi_status (*)(napi_env, void* data, size_t byte_length,
                                           void (*finalize)(void* data, void* hint), void* hint, napi_value* result);

CreateSharedBuffer FindCreateSharedBuffer() {
  static const CreateSharedBuffer function =
      reinterpret_cast<CreateSharedBuffer>(FindProgramSymbol("node_api_create_external_sharedarraybuffer"));
  return function;
}

using MappingReference = ExternalBuffer::MappingReference;

void FinalizeBuffer(void*, void* hint) {
  MappingReference* const reference = static_cast<MappingReference*>(hint);
  if (reference->finalized != nullptr) *reference->finalized = true;
  if (reference->owner != nullptr) reference->owner->OnFinalized();
  delete reference;
}
void FinalizeBufferInEnvironment(napi_env, void* data, void* hint) { FinalizeBuffer(data, hint); }

}  // namespace

bool HasExternalSharedBuffers() { return FindCreateSharedBuffer() != nullptr; }

Napi::Value ExternalBuffer::Create(Napi::Env env, const std::shared_ptr<MemoryMapping>& mapping, size_t byte_length,
                                   int64_t* reported_bytes) {
  bool finalized = false;
  MappingReference* const reference = new MappingReference{mapping, &finalized};
  napi_value buffer = nullptr;
  napi_status status;
  if (const CreateSharedBuffer create = FindCreateSharedBuffer()) {
    status = create(env, mapping->data(), byte_length, FinalizeBuffer, reference, &buffer);
    if (status == napi_ok) {
      // V8 counts the bytes of an ArrayBuffer by itself, but not those of a SharedArrayBuffer. A mapping costs the system
      // some memory beyond its bytes, and there is a limit to how many a process may have.
      *reported_bytes = static_cast<int64_t>(mapping->byte_length() + MemoryPageBytes());
    }
  } else {
    status =
        napi_create_external_arraybuffer(env, mapping->data(), byte_length, FinalizeBufferInEnvironment, reference, &buffer);
    if (status == napi_ok && napi_create_reference(env, buffer, 0, &buffer_reference_) == napi_ok) {
      mapping_reference_ = reference;
      reference->owner = this;
    }
  }
  if (!finalized) reference->finalized = nullptr;
  created_ = status == napi_ok;
  if (created_) return {env, buffer};
  // After a failure the finalizer may have run (Node 20 does so for more than 4 GiB), or may still run. Only a runtime that has
  // refused outright has no reference to the keeper.
  if (!finalized && status == napi_no_external_buffers_allowed) delete reference;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) ThrowCode(env, status == napi_no_external_buffers_allowed ? "ERR_EXTERNAL_BUFFERS" : "ENOMEM");
  return {};
}

bool ExternalBuffer::Unmap(napi_env env) {
  if (buffer_reference_ == nullptr || mapping_reference_ == nullptr || exposed_) return false;
  napi_value buffer = nullptr;
  napi_get_reference_value(env, buffer_reference_, &buffer);
  if (buffer != nullptr) return false;
  return std::exchange(mapping_reference_->mapping, nullptr) != nullptr;
}

void ExternalBuffer::Detach(Napi::Env env) {
  if (buffer_reference_ == nullptr) return;
  napi_value buffer = nullptr;
  napi_get_reference_value(env, buffer_reference_, &buffer);
  if (buffer != nullptr) {
    // Detaching empties every view, so nothing reaches the memory any more. The finalizer frees keeper_: later in Node, during
    // the call in Deno. So the mapping is taken out before.
    std::shared_ptr<MemoryMapping> mapping = std::move(mapping_reference_->mapping);
    if (napi_detach_arraybuffer(env, buffer) != napi_ok) mapping_reference_->mapping = std::move(mapping);
  }
  napi_delete_reference(env, buffer_reference_);
  buffer_reference_ = nullptr;
}

}  // namespace procshare
