#include "js/external_buffer.h"

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

using Share = std::shared_ptr<MemoryMapping>;

void ReleaseShare(void*, void* hint) { delete static_cast<Share*>(hint); }
void ReleaseShareInEnvironment(napi_env, void*, void* hint) { delete static_cast<Share*>(hint); }

}  // namespace

bool HasExternalSharedBuffers() { return FindCreateSharedBuffer() != nullptr; }

Napi::Value ExternalBuffer::Create(Napi::Env env, const Share& mapping, size_t byte_length, int64_t* reported_bytes) {
  Share* const share = new Share(mapping);
  napi_value buffer = nullptr;
  napi_status status;
  if (const CreateSharedBuffer create = FindCreateSharedBuffer()) {
    status = create(env, mapping->data(), byte_length, ReleaseShare, share, &buffer);
    if (status == napi_ok) {
      // V8 counts the bytes of an ArrayBuffer by itself, but not those of a SharedArrayBuffer. A mapping costs the system
      // some memory beyond its bytes, and there is a limit to how many a process may have.
      int64_t total;
      *reported_bytes = static_cast<int64_t>(mapping->byte_length() + MemoryPageBytes());
      napi_adjust_external_memory(env, *reported_bytes, &total);
    }
  } else {
    status = napi_create_external_arraybuffer(env, mapping->data(), byte_length, ReleaseShareInEnvironment, share,
                                              &buffer);
    if (status == napi_ok && napi_create_reference(env, buffer, 0, &reference_) == napi_ok) share_ = share;
  }
  if (status == napi_ok) return {env, buffer};
  delete share;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) ThrowCode(env, status == napi_no_external_buffers_allowed ? "ERR_EXTERNAL_BUFFERS" : "ENOMEM");
  return {};
}

void ExternalBuffer::Drop(Napi::Env env) {
  if (reference_ == nullptr) return;
  napi_value buffer = nullptr;
  napi_get_reference_value(env, reference_, &buffer);
  // Detaching cuts every view off, so nothing reaches the memory any more. The finalizer is still to come and frees share_.
  if (buffer != nullptr && napi_detach_arraybuffer(env, buffer) == napi_ok) share_->reset();
  napi_delete_reference(env, reference_);
  reference_ = nullptr;
}

}  // namespace procshare
