// Which instructions the cpu table uses.
#pragma once

#include <cstdint>
#include <string>

namespace fabula {

enum class InstructionSet : std::uint8_t { baseline, avx2, avx512, amx };

/// The widest that the processor has, or that FABULA_CPU (avx2, avx512 or amx) allows: with it a machine computes as a smaller one does.
/// Read once, when kernels are first asked for. Throws Error(usage) where FABULA_CPU is none of them.
[[nodiscard]] InstructionSet instruction_set();

/// "x86-64 AVX2": what the last bits of a result depend on, as stores and receipts name it.
[[nodiscard]] std::string processor_profile();

}  // namespace fabula
