// What C++17 has no words for, in those of each compiler: hints about paths, a pause, a bit. The only file that asks which
// compiler it is.
#pragma once

#include <cstdint>

#if defined(_MSC_VER) && !defined(__clang__)

#include <intrin.h>

// Beside the fast path, which need not save registers for it.
#define PROCSHARE_COLD __declspec(noinline)
// With all that it calls inside it.
#define PROCSHARE_FLATTEN
// Never inside its caller, which would become large.
#define PROCSHARE_APART __declspec(noinline)

namespace procshare {

constexpr bool Likely(bool condition) { return condition; }
constexpr bool Unlikely(bool condition) { return condition; }

// Of a number that is not zero.
inline int TrailingZeros(uint64_t bits) {
  unsigned long index;
  _BitScanForward64(&index, bits);
  return static_cast<int>(index);
}

// Between two checks of a spinning thread.
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
