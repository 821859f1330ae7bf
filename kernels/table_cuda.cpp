// The CUDA table, entry by entry: one that is missing here is a compiler's warning, and one that no .cu file defines the linker's error.
#include "kernels/cuda_entries.h"
#include "kernels/cuda_tables.h"
#include "kernels/cudnn.h"
#include "kernels/device.h"

namespace fabula {

const Kernels* cuda_table() {
  static constexpr Kernels table = {
      .name = "cuda",
      .linear = cuda::linear,
      .linear_i8 = cuda::linear_i8,
      .gather_rows_i8 = cuda::gather_rows_i8,
      .rms_norm = cuda::rms_norm,
      .layer_norm = cuda::layer_norm,
      .rms_norm_modulate = cuda::rms_norm_modulate,
      .group_norm = cuda::group_norm,
      .attention = cuda::attention,
      .paged_attention = cuda::paged_attention,
      .rope = cuda::rope,
      .rms_norm_rope = cuda::rms_norm_rope,
      .conv3d = cuda::conv3d,
      .conv1d = cuda::conv1d,
      .conv_transpose1d = cuda::conv_transpose1d,
      .pad3d = cuda::pad3d,
      .snake_beta_alias_free = cuda::snake_beta_alias_free,
      .snake = cuda::snake,
      .activate = cuda::activate,
      .axpby = cuda::axpby,
      .blend = cuda::blend,
      .difference = cuda::difference,
      .clamp = cuda::clamp,
      .gated = cuda::gated,
      .gated_add = cuda::gated_add,
      .gather_rows = cuda::gather_rows,
      .scatter_rows = cuda::scatter_rows,
      .permute = cuda::permute,
      .affine_channels = cuda::affine_channels,
      .rgb_bytes = cuda::rgb_bytes,
  };
  return &table;
}

const Kernels* cuda_bf16_table() {
  static const Kernels table = [] {
    Kernels narrow = *cuda_table();
    narrow.name = "cuda-bf16";
    narrow.attention = cuda::attention_bf16;
    return narrow;
  }();
  return &table;
}

bool has_fused_attention() { return cuda::has_cudnn(); }

const Kernels* cuda_kernels() {
  static const bool present = cuda_devices() > 0;
  return present ? cuda_table() : nullptr;
}

}  // namespace fabula
