#include "js/wait_functions.h"

#include <algorithm>

#include "js/addon_state.h"
#include "js/args.h"
#include "js/js_error.h"

namespace procshare {
namespace {

// How long one call blocks at most. Between two of them V8 gets to see that a worker is to be terminated, and the caller
// looks again. It is not polling: what is waited for ends the call at once.
constexpr double kSliceMs = 100;

Waits& WaitsOf(const Napi::CallbackInfo& info) { return AddonState::Of(info.Env())->waits(); }

// onWake(handler): how armed waits report; see AddonState.
Napi::Value OnWake(const Napi::CallbackInfo& info) {
  AddonState::Of(info.Env())->on_wake = Napi::Persistent(FunctionArg(info, 0));
  return {};
}

// armWait(id, argument): false when trying is worth while already; otherwise the handler of onWake is called once when it is.
Napi::Value ArmWait(const Napi::CallbackInfo& info) {
  const Result<bool> armed = WaitsOf(info).Arm(Uint32Arg(info, 0), SizeArg(info, 1));
  if (!OkOrThrow(info.Env(), armed.status())) return {};
  return Napi::Boolean::New(info.Env(), armed.value());
}

Napi::Value DisarmWait(const Napi::CallbackInfo& info) {
  WaitsOf(info).Disarm(Uint32Arg(info, 0));
  return {};
}

// isWaitReady(id, argument): whether trying is worth while.
Napi::Value LookWait(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), WaitsOf(info).IsReady(Uint32Arg(info, 0), SizeArg(info, 1)));
}

// spinWait(id, argument, forMs): the same, at any time of that, which is some microseconds.
Napi::Value WatchWait(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(),
                            WaitsOf(info).SpinUntilReady(Uint32Arg(info, 0), SizeArg(info, 1), NumberArg(info, 2)));
}

// sleepWait(id, argument, timeoutMs): blocks this thread until trying is worth while, for no longer than a slice.
Napi::Value SleepWait(const Napi::CallbackInfo& info) {
  WaitsOf(info).Sleep(Uint32Arg(info, 0), SizeArg(info, 1), std::min(NumberArg(info, 2), kSliceMs));
  return {};
}

// keepAlive(yes): whether pending waits keep the event loop, and so the process, alive.
Napi::Value KeepAlive(const Napi::CallbackInfo& info) {
  const napi_threadsafe_function wake = AddonState::Of(info.Env())->wake();
  if (BooleanArg(info, 0)) {
    napi_ref_threadsafe_function(info.Env(), wake);
  } else {
    napi_unref_threadsafe_function(info.Env(), wake);
  }
  return {};
}

}  // namespace

void ExportWaitFunctions(Napi::Env env, Napi::Object exports) {
  ExportAll(env, exports,
            {
                {"onWake", OnWake},
                {"armWait", ArmWait},
                {"disarmWait", DisarmWait},
                {"isWaitReady", LookWait},
                {"spinWait", WatchWait},
                {"sleepWait", SleepWait},
                {"keepAlive", KeepAlive},
            });
}

}  // namespace procshare
