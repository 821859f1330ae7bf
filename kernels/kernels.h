// The kernel tables: one complete table of functions for one device.
//
// Contract of every entry: no allocation of its own beyond what its library needs inside a call, no global state, operands checked by
// the caller (engine/ops). All activations are float32 and contiguous; a weight matrix may be bf16. `reference` defines what each entry
// computes (products summed in float32 in index order, the statistics of norms in float64); `cpu` and `cuda` are compared with it; `dry`
// does nothing.
#pragma once

#include <cstdint>

#include "kernels/tensor.h"
#include "kernels/thread_pool.h"

namespace fabula {

/// What the attention of the bf16 profile takes scratch for: AMX's tiles on the host, cuDNN on a CUDA device.
enum class AttentionBy : std::uint8_t { loops, tiles, cudnn };

/// Where an entry runs.
struct Exec {
  ThreadPool* pool = nullptr;  ///< cpu
  void* stream = nullptr;      ///< cuda: cudaStream_t
  /// A row of `linear` must be the same bytes however many rows there are: a language model reads a text in cuts of any size. On the host
  /// it always is; cuda then uses its own loops instead of cuBLASLt.
  bool rows_alone = false;
  AttentionBy attention = AttentionBy::loops;  ///< what may be given attention where attention_scratch is not 0
  bool graphs = true;                          ///< cuda: repeated work is launched as a graph (engine/replay.h)
};

enum class Pad : std::uint8_t { zero, reflect, replicate };
enum class Activation : std::uint8_t { none, silu, gelu_tanh, gelu_erf };

struct Conv3dParams {
  std::int64_t stride_t = 1, stride_h = 1, stride_w = 1;
};
struct Conv1dParams {
  std::int64_t stride = 1, padding = 0, dilation = 1;
};
/// By colour: red, green, blue.
struct ColourRange {
  float scale[3], shift[3];
};
struct Padding3d {
  std::int64_t t_front = 0, t_back = 0, h_top = 0, h_bottom = 0, w_left = 0, w_right = 0;
};

/// The longest resampling filter.
constexpr std::int64_t most_filter_taps = 64;

/// Where `linear` rounds x to bf16; several products of one x share it.
struct RoundedX {
  Tensor scratch{};       ///< u8, at least linear_scratch(...) bytes, or absent when that is 0
  bool is_there = false;  ///< a product of the same x by another bf16 weight left it here
};

struct Kernels {
  const char* name;

  // ---- gemm
  /// out (rows, n) = x (rows, k) · weightᵀ (n, k) [+ bias (n)], then the activation. weight f32 or bf16; with a bf16 weight x is rounded
  /// to bf16 first and the products are summed in f32.
  void (*linear)(const Exec&, Tensor x, Tensor weight, Tensor bias, Activation, RoundedX, Tensor out);

  // ---- quant
  /// As linear, with a weight (n, k) i8 whose row i stands for scale[i] times its integers. A row of x is quantised, too: q = x / s to the
  /// nearest, s = max|x| / 32767. The sum of the integers' products is exact, whatever its order: out = sum · (s · scale) [+ bias], then
  /// the activation. A row of x with a value that is not finite becomes NaN. `scratch`: u8, linear_i8_scratch(x) bytes.
  void (*linear_i8)(const Exec&, Tensor x, Tensor weight, Tensor scale, Tensor bias, Activation, Tensor scratch, Tensor out);
  /// out[i] = scale[index[i]] · table[index[i]]: table (n, width) i8, scale (n), index (rows) i32, out (rows, width) f32.
  void (*gather_rows_i8)(const Exec&, Tensor table, Tensor scale, Tensor index, Tensor out);

  // ---- norm
  /// out = x / sqrt(mean(x²) + eps) [· weight] over the last axis. weight (width) or absent.
  void (*rms_norm)(const Exec&, Tensor x, Tensor weight, float eps, Tensor out);
  /// out = (x − mean) / sqrt(var + eps) [· weight + bias] over the last axis.
  void (*layer_norm)(const Exec&, Tensor x, Tensor weight, Tensor bias, float eps, Tensor out);
  /// Fused rms_norm and modulation: out[r] = rms_norm(x[r], weight) · (1 + scale[index[r]]) + shift[index[r]].
  /// scale, shift (table rows, width), whose rows may lie `stride` floats apart; index (rows) i32.
  void (*rms_norm_modulate)(const Exec&, Tensor x, Tensor weight, float eps, const float* scale, const float* shift, std::int64_t stride,
                            Tensor index, Tensor out);
  /// x (channels, frames, height, width): statistics over one group of channels of one frame; then weight, bias (channels), activation.
  void (*group_norm)(const Exec&, Tensor x, Tensor weight, Tensor bias, std::int64_t groups, float eps, Activation, Tensor out);

  // ---- attention
  /// out (q_rows, heads, dim) = softmax(q·kᵀ/sqrt(dim)) · v with q (q_rows, heads, dim), k, v (k_rows, kv_heads, dim); heads is a multiple
  /// of kv_heads (grouped queries). causal: query i sees keys 0 … k_rows − q_rows + i. `scratch`: u8, attention_scratch(...) bytes, or
  /// absent: then cuda uses its own kernel.
  void (*attention)(const Exec&, Tensor q, Tensor k, Tensor v, bool causal, Tensor scratch, Tensor out);
  /// Causal attention of the next tokens of several sequences, whose keys and values are stored in pages: q, out (rows, heads, dim), k, v
  /// (rows, kv_heads, dim), keys (pages, kv_heads, dim, slots), values (pages, kv_heads, slots, dim), table (sequences, pages per sequence)
  /// i32, rows (rows, 2) i32: each row's sequence and its position there. Token t of sequence s is in slot t % slots of page table[s][t /
  /// slots]. First each row's k and v go to its own slot, then it attends to the tokens up to itself. A row is the same bytes whatever the
  /// other rows are and whichever pages it has.
  void (*paged_attention)(const Exec&, Tensor q, Tensor k, Tensor v, Tensor keys, Tensor values, Tensor table, Tensor rows, Tensor out);

  // ---- rope
  /// Rotates the first `cos.width()` channels of every head, in place (rotate-half convention): x (rows, heads, dim), cos and sin (rows,
  /// rotary).
  void (*rope)(const Exec&, Tensor x, Tensor cos, Tensor sin);
  /// Fused rms_norm of every head and rope: out = rope(rms_norm(x, weight)) with x, out (rows, heads, dim), weight (dim) or absent; out may
  /// be x.
  void (*rms_norm_rope)(const Exec&, Tensor x, Tensor weight, float eps, Tensor cos, Tensor sin, Tensor out);

  // ---- conv
  /// Valid convolution: x (c_in, t, h, w), weight (c_out, c_in, kt, kh, kw), bias (c_out) or absent, out (c_out, t', h', w').
  void (*conv3d)(const Exec&, Tensor x, Tensor weight, Tensor bias, Conv3dParams, Tensor out);
  /// Zero-padded: x (c_in, length), weight (c_out, c_in, k), out (c_out, length').
  void (*conv1d)(const Exec&, Tensor x, Tensor weight, Tensor bias, Conv1dParams, Tensor out);
  /// Transposed: x (c_in, length), weight (c_in, c_out, k), out (c_out, (length − 1)·stride − 2·padding + k).
  void (*conv_transpose1d)(const Exec&, Tensor x, Tensor weight, Tensor bias, Conv1dParams, Tensor out);
  /// Temporal padding is always zeros; `mode` says how height and width are padded. x (c, t, h, w).
  void (*pad3d)(const Exec&, Tensor x, Padding3d, Pad mode, Tensor out);
  /// BigVGAN's alias-free activation on x (c, length): 2× upsampling by the transposed filter, SnakeBeta, 2× downsampling by the filter.
  /// alpha, beta (c) in log space; up_filter, down_filter (taps, even, at most most_filter_taps). Replicate padding at the ends. out (c,
  /// length).
  void (*snake_beta_alias_free)(const Exec&, Tensor x, Tensor alpha, Tensor beta, Tensor up_filter, Tensor down_filter, Tensor out);

  // ---- elementwise
  /// out = x + sin²(alpha·x) / (alpha + 1e-9): x (c, length), alpha (c).
  void (*snake)(const Exec&, Tensor x, Tensor alpha, Tensor out);
  void (*activate)(const Exec&, Tensor x, Activation, Tensor out);
  /// out = a·x + b·y; out may be x or y.
  void (*axpby)(const Exec&, float a, Tensor x, float b, Tensor y, Tensor out);
  /// out = a·x + b·y, each product rounded before the sum, as PyTorch's separate operations do; out may be x or y.
  void (*blend)(const Exec&, float a, Tensor x, float b, Tensor y, Tensor out);
  /// out = (x − y) / divisor, rounded after each operation; out may be x or y.
  void (*difference)(const Exec&, Tensor x, Tensor y, float divisor, Tensor out);
  /// out = x held to [low, high]; a NaN stays. out may be x.
  void (*clamp)(const Exec&, Tensor x, float low, float high, Tensor out);
  /// out (rows, n) = activation(gate (rows, n)) · up (rows, n); gate and up may lie in one (rows, 2n) tensor, `stride` floats apart by row.
  void (*gated)(const Exec&, const float* gate, const float* up, std::int64_t rows, std::int64_t n, std::int64_t stride, Activation,
                Tensor out);
  /// into (rows, n) += gate[index[r]] · x[r]; index absent: gate is one row (n) for all. gate rows lie `stride` floats apart.
  void (*gated_add)(const Exec&, Tensor x, const float* gate, std::int64_t stride, Tensor index, Tensor into);
  /// out[i] = table[index[i]]: table (n, width) f32 or bf16, index (rows) i32, out (rows, width) f32.
  void (*gather_rows)(const Exec&, Tensor table, Tensor index, Tensor out);
  /// out[index[i]] = x[i].
  void (*scatter_rows)(const Exec&, Tensor x, Tensor index, Tensor out);
  /// out = x with axes permuted: out axis i is x axis order[i].
  void (*permute)(const Exec&, Tensor x, const int* order, Tensor out);
  /// out (channels, …) = x · scale[channel] + shift[channel], channels being the first axis.
  void (*affine_channels)(const Exec&, Tensor x, Tensor scale, Tensor shift, Tensor out);
  /// Pictures as bytes: out (frames, height, width, 3) u8 = 255 · v to the nearest, v = x · scale + shift held to [0, 1], each operation
  /// rounded; a NaN becomes 0. x (frames, 3, height, width).
  void (*rgb_bytes)(const Exec&, Tensor x, ColourRange, Tensor out);
};

/// Bytes of scratch that `linear` needs on any device.
[[nodiscard]] std::size_t linear_scratch(const Tensor& x, const Tensor& weight);

/// Bytes of scratch that `linear_i8` needs on any device: the rows' scales, then x as 16-bit integers.
[[nodiscard]] std::size_t linear_i8_scratch(const Tensor& x);

/// Bytes of scratch that `attention` needs, 0 where loops do it. By AMX: keys and values as tiles, in heads of at most 128 channels. By
/// cuDNN: its workspace and its operands in bf16, of what is not causal, from 16 queries on, with heads of at most 128 channels, a multiple
/// of 8, where rows need not be alone.
[[nodiscard]] std::size_t attention_scratch(const Exec&, const Tensor& q, const Tensor& k, bool causal);

[[nodiscard]] const Kernels& reference_kernels();
[[nodiscard]] const Kernels& cpu_kernels();
/// For the bf16 profile: as cpu_kernels(), but attention's operands, softmax's weights among them, are rounded to bf16 and added up as AMX
/// adds (multiply.h), in heads of up to 128 channels.
[[nodiscard]] const Kernels& cpu_bf16_kernels();
[[nodiscard]] const Kernels& dry_kernels();
/// Null in a build without CUDA. Its entries can be called only where a device is present.
[[nodiscard]] const Kernels* cuda_table();
/// cuda_table() where a device is present, else null.
[[nodiscard]] const Kernels* cuda_kernels();
/// Whether no entry of the table is null.
[[nodiscard]] bool complete(const Kernels& table);

}  // namespace fabula
