// The ops: check shapes, take the result from the arena, launch one kernel. Free functions; the only users of the kernel table.
// Each throws Error(internal) naming the op, what it expected and what it got. Shapes and formulas: kernels/kernels.h.
#pragma once

#include <span>

#include "engine/context.h"

namespace fabula {

/// y = x·Wᵀ + b. weight (out, in), f32, bf16, or i8 with the scale (out) of its rows; bias (out) or absent.
struct Linear {
  Tensor weight;
  Tensor bias{};
  Tensor scale{};
};

[[nodiscard]] Tensor linear(Context&, Tensor x, const Linear&, Activation = Activation::none);  ///< (…, in) -> (…, out)
[[nodiscard]] Tensor rms_norm(Context&, Tensor x, Tensor weight, float eps);
[[nodiscard]] Tensor layer_norm(Context&, Tensor x, Tensor weight, Tensor bias, float eps);

/// A (table rows, width) table of modulation vectors whose rows lie `stride` floats apart.
struct ModulationTable {
  const float* rows = nullptr;
  std::int64_t stride = 0;
};
[[nodiscard]] Tensor rms_norm_modulate(Context&, Tensor x, Tensor weight, float eps, ModulationTable scale, ModulationTable shift,
                                       Tensor index);
/// into += gate[index] · x, in place; index absent: gate is one row.
void gated_add(Context&, Tensor x, ModulationTable gate, Tensor index, Tensor into);

[[nodiscard]] Tensor group_norm(Context&, Tensor x, Tensor weight, Tensor bias, std::int64_t groups, float eps,
                                Activation = Activation::none);
[[nodiscard]] Tensor attention(Context&, Tensor q, Tensor k, Tensor v, bool causal);
/// k and v join keys and values, which lie in pages: kernels/kernels.h. At most 512 slots a page.
[[nodiscard]] Tensor paged_attention(Context&, Tensor q, Tensor k, Tensor v, Tensor keys, Tensor values, Tensor table, Tensor rows);
void rope(Context&, Tensor x, Tensor cos, Tensor sin);  ///< in place
[[nodiscard]] Tensor conv3d(Context&, Tensor x, Tensor weight, Tensor bias, Conv3dParams = {});
[[nodiscard]] Tensor conv1d(Context&, Tensor x, Tensor weight, Tensor bias, Conv1dParams = {});
[[nodiscard]] Tensor conv_transpose1d(Context&, Tensor x, Tensor weight, Tensor bias, Conv1dParams = {});
[[nodiscard]] Tensor pad3d(Context&, Tensor x, Padding3d, Pad mode);
[[nodiscard]] Tensor snake(Context&, Tensor x, Tensor alpha);
[[nodiscard]] Tensor snake_beta_alias_free(Context&, Tensor x, Tensor alpha, Tensor beta, Tensor up_filter, Tensor down_filter);
[[nodiscard]] Tensor activate(Context&, Tensor x, Activation);
/// activation(first half) · second half of each row: (rows, 2n) -> (rows, n). `gate_second`: the gate is the second half (diffusers'
/// SwiGLU).
[[nodiscard]] Tensor gated_halves(Context&, Tensor x, Activation, bool gate_second);
[[nodiscard]] Tensor gated(Context&, Tensor gate, Tensor up, Activation);
[[nodiscard]] Tensor axpby(Context&, float a, Tensor x, float b, Tensor y);
void axpby_into(Context&, float a, Tensor x, float b, Tensor y, Tensor out);
inline void add_into(Context& ctx, Tensor x, Tensor into) { axpby_into(ctx, 1.0F, x, 1.0F, into, into); }
[[nodiscard]] Tensor gather_rows(Context&, Tensor table, Tensor index);
[[nodiscard]] Tensor gather_rows(Context&, const Linear& table, Tensor index);  ///< of its weight
void scatter_rows(Context&, Tensor x, Tensor index, Tensor into);
[[nodiscard]] Tensor permute(Context&, Tensor x, std::initializer_list<int> order);
[[nodiscard]] Tensor affine_channels(Context&, Tensor x, Tensor scale, Tensor shift);

/// A tensor in the arena with the given values (no values are written on the dry device).
[[nodiscard]] Tensor constant(Context&, std::span<const float> values, Shape shape);
[[nodiscard]] Tensor indices(Context&, std::span<const std::int32_t> values);
/// Copies rows; `from` and `to` have as many elements and the same dtype.
void copy(Context&, Tensor from, Tensor to);

}  // namespace fabula
