// The entry point of the addon: creates its state for one environment, and has the table of its exports.
#include "js/addon_state.h"
#include "js/barrier_functions.h"
#include "js/collected.h"
#include "js/event_functions.h"
#include "js/external_buffer.h"
#include "js/interface.h"
#include "js/lock_binding.h"
#include "js/parking_functions.h"
#include "js/process_functions.h"
#include "js/queue_functions.h"
#include "js/segment_functions.h"
#include "js/semaphore_functions.h"
#include "js/sync_object.h"
#include "js/wait_functions.h"
#include "platform/robust_mutex.h"

namespace procshare {
namespace {

Napi::Object Layout(Napi::Env env) {
  Napi::Object layout = Napi::Object::New(env);
  layout.Set("version", kLayoutVersion);
  layout.Set("abi", RobustMutexAbi(DefaultMutexKind()));
  layout.Set("lockCellBytes", sizeof(LockCell));
  layout.Set("controlBlockBytes", sizeof(ControlBlock));
  layout.Set("maxDescriptionBytes", kMaxDescriptionBytes);
  layout.Set("maxNameBytes", kMaxNameBytes);
  layout.Set("exchangeWords", static_cast<double>(AddonState::kExchangeWords));
  layout.Set("exchangeBytes", static_cast<double>(AddonState::kExchangeBytes));
  layout.Set("longBytes", sizeof(long));
  layout.Set("wideCharBytes", sizeof(wchar_t));
  layout.Set("pageBytes", static_cast<double>(MemoryPageBytes()));
  return layout;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  AddonState::Make(env);
  exports.Set("interface", kNativeInterface);
  exports.Set("layout", Layout(env));
  exports.Set("hasSharedBuffers", HasExternalSharedBuffers());
  ExportSegmentFunctions(env, exports);
  ExportCollectedFunctions(env, exports);
  exports.Set("exchange", AddonState::Of(env)->exchange());
  ExportWaitFunctions(env, exports);
  ExportLockFunctions(env, exports);
  ExportSyncObjectFunctions(env, exports);
  ExportSemaphoreFunctions(env, exports);
  ExportEventFunctions(env, exports);
  ExportParkingFunctions(env, exports);
  ExportBarrierFunctions(env, exports);
  ExportQueueFunctions(env, exports);
  ExportProcessFunctions(env, exports);
  return exports;
}

}  // namespace
}  // namespace procshare

using procshare::Init;
NODE_API_MODULE(procshare, Init)
