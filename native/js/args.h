// Arguments and outcomes of calls from JavaScript. lib/ has validated all arguments. A value that is no External of this addon,
// or no function, is a bug of this package, and fatal. A number, text or boolean may come from bytes of another process. It may
// also come from a getter of the program that returned another value during validation. So a wrong one throws a TypeError.
#pragma once

#include <napi.h>

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <string>

#include "platform/compiler.h"

namespace procshare {

inline void Check(bool condition, const char* what) {
  if (!condition) Napi::Error::Fatal("procshare", what);
}

// Whether a call of Node-API succeeded that fails only in a worker that is being terminated. Another thread can begin the
// termination at any moment. From then on Node-API refuses everything that could run JavaScript, and ignores what the caller
// returns. Any other failure is fatal.
inline bool Succeeded(napi_env env, napi_status status, const char* what) {
  if (status == napi_ok) return true;
  bool thrown = false;
  napi_is_exception_pending(env, &thrown);
  Check(status == napi_pending_exception && !thrown, what);
  return false;
}

// The object inside an External of this addon. Null in a worker that is being terminated, where JavaScript may go on for a moment without
// the result of a refused call. Anything else is fatal.
template <class T>
T* Unwrap(const Napi::Value& external, const napi_type_tag& tag, const char* what) {
  bool ours = false;
  const napi_status status = napi_check_object_type_tag(external.Env(), external, &tag, &ours);
  if (Succeeded(external.Env(), status, what)) {
    Check(ours, what);
  } else if (!external.IsExternal()) {
    return nullptr;
  }
  return external.As<Napi::External<T>>().Data();
}

// A function that is exported to JavaScript.
struct ExportedFunction {
  const char* name;
  Napi::Value (*function)(const Napi::CallbackInfo&);
};

inline void ExportAll(Napi::Env env, Napi::Object exports, std::initializer_list<ExportedFunction> functions) {
  for (const auto& [name, function] : functions) exports.Set(name, Napi::Function::New(env, function, name));
}

// Throws, once, for an argument that is not `expected`. The caller goes on with 0, which must do no harm.
PROCSHARE_COLD inline void ThrowArgument(Napi::Env env, size_t index, const char* expected) {
  if (env.IsExceptionPending()) return;
  Napi::Error error = Napi::TypeError::New(env, "argument " + std::to_string(index) + " must be " + expected);
  error.Set("code", "ERR_INVALID_ARG_TYPE");
  error.ThrowAsJavaScriptException();
}

inline double NumberArg(const Napi::CallbackInfo& info, size_t index) {
  const double value = info[index].IsNumber() ? info[index].As<Napi::Number>().DoubleValue() : NAN;
  if (Likely(!std::isnan(value))) return value;
  ThrowArgument(info.Env(), index, "a number");
  return 0;
}

inline uint64_t SizeArg(const Napi::CallbackInfo& info, size_t index) {
  const double value = NumberArg(info, index);
  if (Likely(value >= 0 && value <= 9007199254740991.0)) return static_cast<uint64_t>(value);
  ThrowArgument(info.Env(), index, "a size");
  return 0;
}

// Whether all arguments read so far were valid; otherwise an error has been thrown.
inline bool ArgumentsOk(const Napi::CallbackInfo& info) { return !info.Env().IsExceptionPending(); }

// An offset from the description of a segment, which any process may have written. A number that is no valid offset is replaced
// by an offset at which no object can lie.
inline uint64_t ToOffset(double value) {
  const bool is_offset =
      value >= 0 && value <= 9007199254740991.0 && value == static_cast<double>(static_cast<uint64_t>(value));
  return is_offset ? static_cast<uint64_t>(value) : UINT64_MAX;
}

inline uint64_t OffsetArg(const Napi::CallbackInfo& info, size_t index) {
  return info[index].IsNumber() ? ToOffset(info[index].As<Napi::Number>().DoubleValue()) : UINT64_MAX;
}

inline uint32_t Uint32Arg(const Napi::CallbackInfo& info, size_t index) {
  const uint64_t value = SizeArg(info, index);
  if (Likely(value <= UINT32_MAX)) return static_cast<uint32_t>(value);
  ThrowArgument(info.Env(), index, "an unsigned 32-bit integer");
  return 0;
}

inline int32_t Int32Arg(const Napi::CallbackInfo& info, size_t index) {
  const double value = NumberArg(info, index);
  if (Likely(value >= INT32_MIN && value <= INT32_MAX)) return static_cast<int32_t>(value);
  ThrowArgument(info.Env(), index, "a 32-bit integer");
  return 0;
}

inline bool BooleanArg(const Napi::CallbackInfo& info, size_t index) {
  if (Likely(info[index].IsBoolean())) return info[index].As<Napi::Boolean>().Value();
  ThrowArgument(info.Env(), index, "a boolean");
  return false;
}

inline std::string StringArg(const Napi::CallbackInfo& info, size_t index) {
  if (Likely(info[index].IsString())) return info[index].As<Napi::String>().Utf8Value();
  ThrowArgument(info.Env(), index, "a string");
  return {};
}

inline Napi::Function FunctionArg(const Napi::CallbackInfo& info, size_t index) {
  Check(info[index].IsFunction(), "expected a function");
  return info[index].As<Napi::Function>();
}

}  // namespace procshare
