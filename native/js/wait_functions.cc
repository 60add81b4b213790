#include "js/wait_functions.h"

#include <algorithm>

#include "js/addon_state.h"
#include "js/args.h"
#include "js/js_error.h"

namespace procshare {
namespace {

// The longest time for which one call blocks. Between two calls V8 can terminate a worker, and the caller tries again. This is
// not polling: a wake-up ends the call at once.
constexpr double kSliceMs = 100;

Waits& WaitsOf(const Napi::CallbackInfo& info) { return AddonState::Of(info.Env())->waits(); }

// onWake(handler): the handler of armed waits; see AddonState.
Napi::Value OnWake(const Napi::CallbackInfo& info) {
  AddonState::Of(info.Env())->on_wake = Napi::Persistent(FunctionArg(info, 0));
  return {};
}

// armWait(id, argument): false when an attempt may succeed now; otherwise the handler of onWake is called once when it may.
Napi::Value ArmWait(const Napi::CallbackInfo& info) {
  const Result<bool> armed = WaitsOf(info).Arm(Uint32Arg(info, 0), SizeArg(info, 1));
  if (!OkOrThrow(info.Env(), armed.status())) return {};
  return Napi::Boolean::New(info.Env(), armed.value());
}

Napi::Value DisarmWait(const Napi::CallbackInfo& info) {
  WaitsOf(info).Disarm(Uint32Arg(info, 0));
  return {};
}

// isWaitReady(id, argument): whether an attempt may succeed.
Napi::Value LookWait(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(), WaitsOf(info).IsReady(Uint32Arg(info, 0), SizeArg(info, 1)));
}

// spinWait(id, argument, forMs): the same, but spins until an attempt may succeed. `forMs` is a limit of some microseconds.
Napi::Value WatchWait(const Napi::CallbackInfo& info) {
  return Napi::Boolean::New(info.Env(),
                            WaitsOf(info).SpinUntilReady(Uint32Arg(info, 0), SizeArg(info, 1), NumberArg(info, 2)));
}

// sleepWait(id, argument, timeoutMs): blocks this thread until an attempt may succeed, for at most kSliceMs.
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
