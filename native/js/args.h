// Arguments of native functions. lib/ has validated them already, so a mismatch here is a bug of ours and fatal.
#pragma once

#include <napi.h>

#include <string>

namespace procshare {

inline void Check(bool condition, const char* what) {
  if (!condition) Napi::Error::Fatal("procshare", what);
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
