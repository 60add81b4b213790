#include "js/js_error.h"

#include <cerrno>

namespace procshare {
namespace {

// The error numbers that the platform layer can report, with the names that Node uses for them.
const char* ErrnoName(int error) {
  switch (error) {
    case EACCES: return "EACCES";
    case EAGAIN: return "EAGAIN";
    case EEXIST: return "EEXIST";
    case EFBIG: return "EFBIG";
    case EINVAL: return "EINVAL";
    case EIO: return "EIO";
    case EMFILE: return "EMFILE";
    case ENAMETOOLONG: return "ENAMETOOLONG";
    case ENFILE: return "ENFILE";
    case ENODEV: return "ENODEV";
    case ENOENT: return "ENOENT";
    case ENOLCK: return "ENOLCK";
    case ENOMEM: return "ENOMEM";
    case ENOSPC: return "ENOSPC";
    case ENOSYS: return "ENOSYS";
    case EPERM: return "EPERM";
    case EROFS: return "EROFS";
    default: return "ERR_SYSTEM";
  }
}

const char* CodeOf(const Status& status) {
  switch (status.outcome) {
    case Outcome::kSystem: return ErrnoName(status.os_error);
    case Outcome::kNotReady: return "ERR_NOT_READY";
    case Outcome::kForeign: return "ERR_FOREIGN";
    case Outcome::kOtherUser: return "ERR_OTHER_USER";
    case Outcome::kNotMemory: return "ERR_FOREIGN";
    case Outcome::kLayout: return "ERR_LAYOUT";
    case Outcome::kAbi: return "ERR_ABI";
    case Outcome::kNamespace: return "ERR_NAMESPACE";
    case Outcome::kCorrupt: return "ERR_CORRUPT";
    case Outcome::kOk: break;
  }
  return "ERR_SYSTEM";
}

}  // namespace

void ThrowStatus(Napi::Env env, const Status& status) {
  if (env.IsExceptionPending()) return;  // thrown by ThrowArgument(), which is more specific
  Napi::Error error = Napi::Error::New(env, CodeOf(status));
  error.Set("code", CodeOf(status));
  if (status.outcome == Outcome::kSystem) {
    error.Set("errno", static_cast<double>(status.os_error));
    error.Set("syscall", status.syscall);
  }
  error.ThrowAsJavaScriptException();
}

void ThrowCode(Napi::Env env, const char* code) {
  Napi::Error error = Napi::Error::New(env, code);
  error.Set("code", code);
  error.ThrowAsJavaScriptException();
}

}  // namespace procshare
