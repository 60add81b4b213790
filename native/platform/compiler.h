// Extensions of each compiler for which C++17 has no equivalent: hints about paths, a pause, the index of a bit. No other file
// depends on the compiler.
#pragma once

#include <cstdint>

#if defined(_MSC_VER) && !defined(__clang__)

#include <intrin.h>

// Marks a function off the fast path, so that the fast path saves no registers for it.
#define PROCSHARE_COLD __declspec(noinline)
// Inlines all calls into the function.
#define PROCSHARE_FLATTEN
// Never inlined: its caller would become large.
#define PROCSHARE_APART __declspec(noinline)

namespace procshare {

constexpr bool Likely(bool condition) { return condition; }
constexpr bool Unlikely(bool condition) { return condition; }

// The number must not be zero.
inline int TrailingZeros(uint64_t bits) {
  unsigned long index;
  _BitScanForward64(&index, bits);
  return static_cast<int>(index);
}

// Called between two checks of a spinning thread.
#if defined(_M_ARM64)
inline void SpinPause() { __yield(); }
#else
inline void SpinPause() { _mm_pause(); }
#endif

}  // namespace procshare

#else

#define PROCSHARE_COLD [[gnu::noinline, gnu::cold]]
#define PROCSHARE_FLATTEN [[gnu::flatten]]
#define PROCSHARE_APART [[gnu::noinline]]

namespace procshare {

constexpr bool Likely(bool condition) { return __builtin_expect(condition, 1); }
constexpr bool Unlikely(bool condition) { return __builtin_expect(condition, 0); }

inline int TrailingZeros(uint64_t bits) { return __builtin_ctzll(bits); }

inline void SpinPause() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

}  // namespace procshare

#endif
