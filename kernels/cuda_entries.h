// The entries of the CUDA table, each with the type that kernels.h gives it; the .cu file of its family defines it.
#pragma once

#include <type_traits>

#include "kernels/kernels.h"

namespace fabula::cuda {

template <typename Pointer>
using Entry = std::remove_pointer_t<Pointer>;

Entry<decltype(Kernels::linear)> linear;
Entry<decltype(Kernels::linear_i8)> linear_i8;
Entry<decltype(Kernels::gather_rows_i8)> gather_rows_i8;
Entry<decltype(Kernels::rms_norm)> rms_norm;
Entry<decltype(Kernels::layer_norm)> layer_norm;
Entry<decltype(Kernels::rms_norm_modulate)> rms_norm_modulate;
Entry<decltype(Kernels::group_norm)> group_norm;
Entry<decltype(Kernels::attention)> attention;
Entry<decltype(Kernels::attention)> attention_bf16;  ///< its products take bf16 operands, and softmax's weights are rounded to bf16
Entry<decltype(Kernels::paged_attention)> paged_attention;
Entry<decltype(Kernels::rope)> rope;
Entry<decltype(Kernels::rms_norm_rope)> rms_norm_rope;
Entry<decltype(Kernels::conv3d)> conv3d;
Entry<decltype(Kernels::conv1d)> conv1d;
Entry<decltype(Kernels::conv_transpose1d)> conv_transpose1d;
Entry<decltype(Kernels::pad3d)> pad3d;
Entry<decltype(Kernels::snake_beta_alias_free)> snake_beta_alias_free;
Entry<decltype(Kernels::snake)> snake;
Entry<decltype(Kernels::activate)> activate;
Entry<decltype(Kernels::axpby)> axpby;
Entry<decltype(Kernels::blend)> blend;
Entry<decltype(Kernels::difference)> difference;
Entry<decltype(Kernels::clamp)> clamp;
Entry<decltype(Kernels::gated)> gated;
Entry<decltype(Kernels::gated_add)> gated_add;
Entry<decltype(Kernels::gather_rows)> gather_rows;
Entry<decltype(Kernels::scatter_rows)> scatter_rows;
Entry<decltype(Kernels::permute)> permute;
Entry<decltype(Kernels::affine_channels)> affine_channels;
Entry<decltype(Kernels::rgb_bytes)> rgb_bytes;

}  // namespace fabula::cuda
