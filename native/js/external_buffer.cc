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

using Keeper = ExternalBuffer::Keeper;

void Release(void*, void* hint) {
  Keeper* const keeper = static_cast<Keeper*>(hint);
  if (keeper->released != nullptr) *keeper->released = true;
  if (keeper->owner != nullptr) keeper->owner->Forget();
  delete keeper;
}
void ReleaseInEnvironment(napi_env, void* data, void* hint) { Release(data, hint); }

}  // namespace

bool HasExternalSharedBuffers() { return FindCreateSharedBuffer() != nullptr; }

Napi::Value ExternalBuffer::Create(Napi::Env env, const std::shared_ptr<MemoryMapping>& mapping, size_t byte_length,
                                   int64_t* reported_bytes) {
  bool released = false;
  Keeper* const keeper = new Keeper{mapping, &released};
  napi_value buffer = nullptr;
  napi_status status;
  if (const CreateSharedBuffer create = FindCreateSharedBuffer()) {
    status = create(env, mapping->data(), byte_length, Release, keeper, &buffer);
    if (status == napi_ok) {
      // V8 counts the bytes of an ArrayBuffer by itself, but not those of a SharedArrayBuffer. A mapping costs the system
      // some memory beyond its bytes, and there is a limit to how many a process may have.
      *reported_bytes = static_cast<int64_t>(mapping->byte_length() + MemoryPageBytes());
    }
  } else {
    status = napi_create_external_arraybuffer(env, mapping->data(), byte_length, ReleaseInEnvironment, keeper, &buffer);
    if (status == napi_ok && napi_create_reference(env, buffer, 0, &reference_) == napi_ok) {
      keeper_ = keeper;
      keeper->owner = this;
    }
  }
  if (!released) keeper->released = nullptr;
  made_ = status == napi_ok;
  if (made_) return {env, buffer};
  // After a failure the finalizer may have run (Node 20 does so for more than 4 GiB), or be still to come. Only a runtime
  // that has refused outright knows nothing of the keeper.
  if (!released && status == napi_no_external_buffers_allowed) delete keeper;
  bool pending = false;
  napi_is_exception_pending(env, &pending);
  if (!pending) ThrowCode(env, status == napi_no_external_buffers_allowed ? "ERR_EXTERNAL_BUFFERS" : "ENOMEM");
  return {};
}

bool ExternalBuffer::LetGo(napi_env env) {
  if (reference_ == nullptr || keeper_ == nullptr || exposed_) return false;
  napi_value buffer = nullptr;
  napi_get_reference_value(env, reference_, &buffer);
  if (buffer != nullptr) return false;
  return std::exchange(keeper_->mapping, nullptr) != nullptr;
}

void ExternalBuffer::Drop(Napi::Env env) {
  if (reference_ == nullptr) return;
  napi_value buffer = nullptr;
  napi_get_reference_value(env, reference_, &buffer);
  if (buffer != nullptr) {
    // Detaching cuts every view off, so nothing reaches the memory any more. The finalizer, which frees keeper_, is still to
    // come in Node, and comes during the call in Deno: the mapping is taken out before.
    std::shared_ptr<MemoryMapping> mapping = std::move(keeper_->mapping);
    if (napi_detach_arraybuffer(env, buffer) != napi_ok) keeper_->mapping = std::move(mapping);
  }
  napi_delete_reference(env, reference_);
  reference_ = nullptr;
}

}  // namespace procshare
