// The CUDA tables beside cuda_table().
#pragma once

#include "kernels/kernels.h"

namespace fabula {

/// For the bf16 profile: as cuda_table(), but attention's products take bf16 operands too. Null in a build without CUDA.
[[nodiscard]] const Kernels* cuda_bf16_table();

/// Whether that table's attention has cuDNN to go to.
[[nodiscard]] bool has_fused_attention();

}  // namespace fabula
