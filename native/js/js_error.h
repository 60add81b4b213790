// Status -> JavaScript error: { code, errno, syscall }. lib/errors/segment-messages.ts adds the message.
#pragma once

#include <napi.h>

#include "platform/status.h"

namespace procshare {

// Throws in JavaScript; the native function must return right away.
void ThrowStatus(Napi::Env env, const Status& status);

// Throws an error with just a code.
void ThrowCode(Napi::Env env, const char* code);

// True when `status` is a success; otherwise an error has been thrown.
inline bool OkOrThrow(Napi::Env env, const Status& status) {
  if (status.ok()) return true;
  ThrowStatus(env, status);
  return false;
}

}  // namespace procshare
