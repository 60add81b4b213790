// A weak reference to an External. The garbage collector clears it; the finalizer of the External runs on the event loop, which may be
// much later, or never.
#pragma once

#include <napi.h>

#include "js/args.h"

namespace procshare {

class WeakExternal {
 public:
  void Set(napi_env env, napi_value external) {
    Check(napi_create_reference(env, external, 0, &reference_) == napi_ok, "no reference");
  }

  // Null when the External was collected, or was never set.
  napi_value Get(napi_env env) const {
    napi_value external = nullptr;
    if (reference_ != nullptr) napi_get_reference_value(env, reference_, &external);
    return external;
  }

  // Needs a handle scope.
  bool IsCollected(napi_env env) const { return reference_ != nullptr && Get(env) == nullptr; }

  // Called in the finalizer of the External.
  void Delete(napi_env env) {
    if (reference_ != nullptr) napi_delete_reference(env, reference_);
    reference_ = nullptr;
  }

 private:
  napi_ref reference_ = nullptr;
};

}  // namespace procshare
