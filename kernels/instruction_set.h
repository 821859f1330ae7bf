// Which instructions the cpu table uses.
#pragma once

#include <cstdint>
#include <string>

namespace fabula {

enum class InstructionSet : std::uint8_t { baseline, avx2, avx512, amx };

/// The widest that the processor has, or that FABULA_CPU (avx2, avx512 or amx) allows: with it a machine computes as a smaller one does.
/// Read once, when kernels are first asked for. Throws Error(usage) where FABULA_CPU is none of them.
[[nodiscard]] InstructionSet instruction_set();

/// "x86-64 AVX2"
[[nodiscard]] std::string instruction_set_name();

/// What the last bits of a result depend on, as stores name it: "x86-64-v3" of AVX2, AVX-512 and AMX, which add in one order; else the
/// instruction set's own name.
[[nodiscard]] std::string processor_profile(const std::string& instruction_set = instruction_set_name());

}  // namespace fabula
