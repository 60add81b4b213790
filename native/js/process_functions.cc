#include "js/process_functions.h"

#include "js/addon_state.h"
#include "js/args.h"
#include "platform/process_identity.h"

namespace procshare {
namespace {

// identify(threadId): the Node thread id of this environment, which locks store with the pid of their owner.
Napi::Value Identify(const Napi::CallbackInfo& info) {
  AddonState::Of(info.Env())->fast_path().owner = static_cast<uint64_t>(CurrentProcess().pid) << 32 | Uint32Arg(info, 0);
  return {};
}

// endWithParent(parentPid, graceMs): see platform/process_identity.h.
Napi::Value CallEndWithParent(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), EndWithParent(Uint32Arg(info, 0), Uint32Arg(info, 1)));
}

}  // namespace

void ExportProcessFunctions(Napi::Env env, Napi::Object exports) {
  exports.Set("identify", Napi::Function::New(env, Identify, "identify"));
  exports.Set("endWithParent", Napi::Function::New(env, CallEndWithParent, "endWithParent"));
}

}  // namespace procshare
