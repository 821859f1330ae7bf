// The ops: check shapes, take the result from the arena, launch one kernel. Free functions; the only users of the kernel tables.
// Each throws Error(internal) naming the op, what it expected and what it got. Tensors are f32 unless said otherwise; (…, n) is any shape
// whose last extent is n. Formulas and rounding: kernels/kernels.h.
#pragma once

#include <array>
#include <functional>
#include <span>
#include <vector>

#include "engine/context.h"

namespace fabula {

/// y = x·Wᵀ + b. weight (out, in), f32, bf16, or i8 with the scale (out) of its rows; bias (out) or absent.
struct Linear {
  Tensor weight;
  Tensor bias{};
  Tensor scale{};
};

/// x (…, in) -> (…, out), the activation last.
[[nodiscard]] Tensor linear(Context&, Tensor x, const Linear&, Activation = Activation::none);
/// The same by several layers, for which x is rounded once.
void linear(Context&, Tensor x, std::span<const Linear> layers, Activation, std::span<Tensor> out);
template <std::size_t count>
[[nodiscard]] std::array<Tensor, count> linear(Context& ctx, Tensor x, const std::array<Linear, count>& layers) {
  std::array<Tensor, count> out;
  linear(ctx, x, layers, Activation::none, out);
  return out;
}

// ---- norms

/// x (…, width), weight (width) or absent -> x / sqrt(mean(x²) + eps) [· weight] over the last axis.
[[nodiscard]] Tensor rms_norm(Context&, Tensor x, Tensor weight, float eps);
/// x (…, width), weight and bias (width) or absent -> (x − mean) / sqrt(var + eps) [· weight + bias] over the last axis.
[[nodiscard]] Tensor layer_norm(Context&, Tensor x, Tensor weight, Tensor bias, float eps);
/// x (channels, frames, height, width), weight and bias (channels) or absent: statistics over one group of channels of one frame.
[[nodiscard]] Tensor group_norm(Context&, Tensor x, Tensor weight, Tensor bias, std::int64_t groups, float eps,
                                Activation = Activation::none);

/// Vectors that modulate rows: columns [column, column + width) of `table` (vectors, at least column + width), `width` being the rows'.
struct ModulationTable {
  Tensor table;
  std::int64_t column = 0;
};
/// x (rows, width), weight (width) or absent, index (rows) i32 -> rms_norm(x[r], weight) · (1 + scale[index[r]]) + shift[index[r]]. Both
/// tables are as wide.
[[nodiscard]] Tensor rms_norm_modulate(Context&, Tensor x, Tensor weight, float eps, ModulationTable scale, ModulationTable shift,
                                       Tensor index);
/// into (rows, width) += gate[index[r]] · x[r], in place. x (rows, width), index (rows) i32; index absent: the gate's first vector for all.
void gated_add(Context&, Tensor x, ModulationTable gate, Tensor index, Tensor into);

// ---- attention

/// q (q_rows, heads, dim), k and v (k_rows, kv_heads, dim) -> (q_rows, heads, dim): softmax(q·kᵀ/sqrt(dim))·v. heads is a multiple of
/// kv_heads. causal: query i sees keys 0 … k_rows − q_rows + i.
[[nodiscard]] Tensor attention(Context&, Tensor q, Tensor k, Tensor v, bool causal);
/// q (rows, heads, dim), k and v (rows, kv_heads, dim), keys (pages, kv_heads, dim, slots), values (pages, kv_heads, slots, dim), table
/// (sequences, pages per sequence) i32, rows (rows, 2) i32: sequence and position -> (rows, heads, dim). k and v are stored in keys and
/// values; each row attends to its sequence up to itself. At most 512 slots per page.
[[nodiscard]] Tensor paged_attention(Context&, Tensor q, Tensor k, Tensor v, Tensor keys, Tensor values, Tensor table, Tensor rows);
/// Rotates the first `rotary` channels of every head of x (rows, heads, dim), in place. cos and sin (rows, rotary), rotary even.
void rope(Context&, Tensor x, Tensor cos, Tensor sin);
/// x (rows, heads, dim), weight (dim) or absent, cos and sin (rows, rotary), rotary even: every head normed, then turned, in place.
void rms_norm_rope(Context&, Tensor x, Tensor weight, float eps, Tensor cos, Tensor sin);

// ---- convolutions

/// x (c_in, t, h, w), weight (c_out, c_in, kt, kh, kw), bias (c_out) or absent -> (c_out, t', h', w'), valid positions only.
[[nodiscard]] Tensor conv3d(Context&, Tensor x, Tensor weight, Tensor bias, Conv3dParams = {});
/// x (c_in, length), weight (c_out, c_in, k), bias (c_out) or absent -> (c_out, (length + 2·padding − dilation·(k − 1) − 1) / stride + 1).
[[nodiscard]] Tensor conv1d(Context&, Tensor x, Tensor weight, Tensor bias, Conv1dParams = {});
/// x (c_in, length), weight (c_in, c_out, k), bias (c_out) or absent -> (c_out, (length − 1)·stride − 2·padding + k). Dilation 1.
[[nodiscard]] Tensor conv_transpose1d(Context&, Tensor x, Tensor weight, Tensor bias, Conv1dParams = {});
/// x (channels, t, h, w) -> the same, padded: zeros in time, `mode` in height and width.
[[nodiscard]] Tensor pad3d(Context&, Tensor x, Padding3d, Pad mode);

// ---- activations

/// x (channels, length), alpha (channels) -> x + sin²(alpha·x) / alpha.
[[nodiscard]] Tensor snake(Context&, Tensor x, Tensor alpha);
/// x (channels, length), alpha and beta (channels) in log space, filters (taps), taps even and at most most_filter_taps -> x's shape.
[[nodiscard]] Tensor snake_beta_alias_free(Context&, Tensor x, Tensor alpha, Tensor beta, Tensor up_filter, Tensor down_filter);
/// x of any shape -> x's shape.
[[nodiscard]] Tensor activate(Context&, Tensor x, Activation);
/// Which half of a row goes through the activation and multiplies the other. diffusers' SwiGLU has its gate second.
enum class GateHalf : std::uint8_t { first, second };
/// x (…, 2n) -> activation(gate half) · other half, (…, n).
[[nodiscard]] Tensor gated_halves(Context&, Tensor x, Activation, GateHalf);
/// gate and up (…, n) -> activation(gate) · up.
[[nodiscard]] Tensor gated(Context&, Tensor gate, Tensor up, Activation);

// ---- arithmetic, on operands of one shape

[[nodiscard]] Tensor axpby(Context&, float a, Tensor x, float b, Tensor y);   ///< a·x + b·y
void axpby_into(Context&, float a, Tensor x, float b, Tensor y, Tensor out);  ///< out may be x or y
inline void add_into(Context& ctx, Tensor x, Tensor into) { axpby_into(ctx, 1.0F, x, 1.0F, into, into); }
/// out = a·x + b·y, each product rounded before the sum, as PyTorch's separate operations do; out may be x or y.
void blend_into(Context&, float a, Tensor x, float b, Tensor y, Tensor out);
/// out = (x − y) / divisor; out may be x or y.
void difference_into(Context&, Tensor x, Tensor y, float divisor, Tensor out);
/// x held to [low, high], in place.
void clamp(Context&, Tensor x, float low, float high);
/// x (channels, …), scale and shift (channels) -> x · scale + shift.
[[nodiscard]] Tensor affine_channels(Context&, Tensor x, Tensor scale, Tensor shift);

// ---- pictures

/// x (frames, 3, height, width) -> (frames, height, width, 3) u8: 255 · (x · scale + shift), held to 0 … 255 and rounded.
[[nodiscard]] Tensor rgb_bytes(Context&, Tensor x, const ColourRange&);

// ---- moving rows and axes

/// table (n, width) f32 or bf16, index (rows) i32 -> table[index] (rows, width).
[[nodiscard]] Tensor gather_rows(Context&, Tensor table, Tensor index);
/// Rows of a layer's weight (n, width), also where it is i8.
[[nodiscard]] Tensor gather_rows(Context&, const Linear& table, Tensor index);
/// into[index[i]] = x[i]. x (rows, width), index (rows) i32, into (n, width).
void scatter_rows(Context&, Tensor x, Tensor index, Tensor into);
/// Axis i of the result is axis order[i] of x.
[[nodiscard]] Tensor permute(Context&, Tensor x, std::initializer_list<int> order);
/// Copies rows; `from` and `to` have as many elements and the same dtype.
void copy(Context&, Tensor from, Tensor to);

// ---- between the host and the arena. On the dry device nothing is written and nothing is read.

/// A tensor with the given values.
[[nodiscard]] Tensor constant(Context&, std::span<const float> values, Shape shape);
/// (count) i32.
[[nodiscard]] Tensor indices(Context&, std::span<const std::int32_t> values);
/// A tensor whose values `write` writes, in row-major order; not called on the dry device.
[[nodiscard]] Tensor filled(Context&, Shape shape, const std::function<void(std::span<float>)>& write);
/// The values of an f32 tensor in row-major order, once the kernels that write them are done; none on the dry device.
[[nodiscard]] std::vector<float> to_host(Context&, Tensor);
/// The same of a u8 tensor.
[[nodiscard]] std::vector<std::uint8_t> bytes_to_host(Context&, Tensor);

}  // namespace fabula
