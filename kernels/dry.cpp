// The table that does nothing: running a model on it gives the arena's exact peak and finds wrong shapes before a byte is allocated.
#include "kernels/kernels.h"

namespace fabula {
namespace {

template <typename... Arguments>
void nothing(Arguments...) {}

}  // namespace

const Kernels& dry_kernels() {
  static constexpr Kernels table = {
      .name = "dry",
      .linear = nothing,
      .linear_i8 = nothing,
      .gather_rows_i8 = nothing,
      .rms_norm = nothing,
      .layer_norm = nothing,
      .rms_norm_modulate = nothing,
      .group_norm = nothing,
      .attention = nothing,
      .paged_attention = nothing,
      .rope = nothing,
      .rms_norm_rope = nothing,
      .conv3d = nothing,
      .conv1d = nothing,
      .conv_transpose1d = nothing,
      .pad3d = nothing,
      .snake_beta_alias_free = nothing,
      .snake = nothing,
      .activate = nothing,
      .axpby = nothing,
      .blend = nothing,
      .difference = nothing,
      .clamp = nothing,
      .gated = nothing,
      .gated_add = nothing,
      .gather_rows = nothing,
      .scatter_rows = nothing,
      .permute = nothing,
      .affine_channels = nothing,
      .rgb_bytes = nothing,
  };
  return table;
}

}  // namespace fabula
