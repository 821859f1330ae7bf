// Names the processor by the instructions that kernels choose between.
#include "library/processor.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace fabula {

std::string processor_profile() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  constexpr unsigned amx_bf16 = 1U << 22U;  // leaf 7, EDX
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & amx_bf16) != 0) return "x86-64 AMX";
  if (__builtin_cpu_supports("avx512bf16")) return "x86-64 AVX-512 BF16";
  if (__builtin_cpu_supports("avx512f")) return "x86-64 AVX-512";
  if (__builtin_cpu_supports("avx2")) return "x86-64 AVX2";
  return "x86-64";
#else
  return "generic";
#endif
}

}  // namespace fabula
