// The processor that computes.
#pragma once

#include <string>

namespace fabula {

/// "x86-64 AVX-512 BF16": the widest instructions that a kernel may use, on which the last bits of sums depend.
[[nodiscard]] std::string processor_profile();

}  // namespace fabula
