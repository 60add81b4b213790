// Arguments and outcomes of calls between JavaScript and us. lib/ has validated arguments already, so a mismatch here is a
// bug of ours and fatal.
#pragma once

#include <napi.h>

#include <initializer_list>
#include <string>

namespace procshare {

inline void Check(bool condition, const char* what) {
  if (!condition) Napi::Error::Fatal("procshare", what);
}

// Whether a call of Node-API that should not fail has not. It does in a worker that is being terminated: from that moment on,
// which another thread chooses, all that could run JavaScript is refused, and what the caller returns reaches nobody.
// Any other failure is fatal.
inline bool Succeeded(napi_env env, napi_status status, const char* what) {
  if (status == napi_ok) return true;
  bool thrown = false;
  napi_is_exception_pending(env, &thrown);
  Check(status == napi_pending_exception && !thrown, what);
  return false;
}

// What is inside an External of ours. Null in a worker that is being terminated when there is none: JavaScript may go on for
// a moment with what a refused call has not given it. Anything else is fatal.
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

// What a file of functions offers to JavaScript.
struct ExportedFunction {
  const char* name;
  Napi::Value (*function)(const Napi::CallbackInfo&);
};

inline void ExportAll(Napi::Env env, Napi::Object exports, std::initializer_list<ExportedFunction> functions) {
  for (const auto& [name, function] : functions) exports.Set(name, Napi::Function::New(env, function, name));
}

inline double NumberArg(const Napi::CallbackInfo& info, size_t index) {
  Check(info[index].IsNumber(), "expected a number");
  return info[index].As<Napi::Number>().DoubleValue();
}

inline uint64_t SizeArg(const Napi::CallbackInfo& info, size_t index) {
  const double value = NumberArg(info, index);
  Check(value >= 0 && value <= 9007199254740991.0, "expected a size");
  return static_cast<uint64_t>(value);
}

// Where something begins, going by the description of a segment, which anybody may have written. What is no offset becomes one
// at which nothing can lie.
inline uint64_t OffsetArg(const Napi::CallbackInfo& info, size_t index) {
  const double value = info[index].IsNumber() ? NumberArg(info, index) : -1;
  const bool is_offset =
      value >= 0 && value <= 9007199254740991.0 && value == static_cast<double>(static_cast<uint64_t>(value));
  return is_offset ? static_cast<uint64_t>(value) : UINT64_MAX;
}

inline uint32_t Uint32Arg(const Napi::CallbackInfo& info, size_t index) {
  return static_cast<uint32_t>(SizeArg(info, index));
}

inline bool BooleanArg(const Napi::CallbackInfo& info, size_t index) {
  Check(info[index].IsBoolean(), "expected a boolean");
  return info[index].As<Napi::Boolean>().Value();
}

inline std::string StringArg(const Napi::CallbackInfo& info, size_t index) {
  Check(info[index].IsString(), "expected a string");
  return info[index].As<Napi::String>().Utf8Value();
}

inline Napi::Function FunctionArg(const Napi::CallbackInfo& info, size_t index) {
  Check(info[index].IsFunction(), "expected a function");
  return info[index].As<Napi::Function>();
}

}  // namespace procshare
