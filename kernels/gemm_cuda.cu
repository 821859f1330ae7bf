// linear: by cuBLASLt where it is there, and rows need not be alone. Else one thread block per tile of outputs, both operands' panels in
// shared memory, on tensor cores where the weight is bf16; each output is summed in the order of k.
#include "kernels/cublaslt.h"
#include "kernels/cuda_entries.h"
#include "kernels/launch.cuh"
#include "kernels/tile_product.cuh"

namespace fabula::cuda {

namespace {

constexpr int depth = 16, own = 4;  // a thread block makes tile × tile outputs, each thread own × own of them

/// out (rows, n) = activation(x (rows, k) · weightᵀ (n, k) + bias); each output is summed in the order of k.
__global__ void linear_kernel(const float* x, const float* weight, const float* bias, Activation activation, std::int64_t rows,
                              std::int64_t k, std::int64_t n, float* out) {
  __shared__ float x_tile[depth][tile + 1], weight_tile[depth][tile + 1];
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.y) * tile, column = static_cast<std::int64_t>(blockIdx.x) * tile;
  const int across = threadIdx.x % (tile / own), down = threadIdx.x / (tile / own);
  float sum[own][own] = {};
  for (std::int64_t from = 0; from < k; from += depth) {
    for (int i = threadIdx.x; i < tile * depth; i += blockDim.x) {
      const int line = i / depth, at = i % depth;
      const bool inside = from + at < k;
      x_tile[at][line] = inside && row + line < rows ? x[(row + line) * k + from + at] : 0.0F;
      weight_tile[at][line] = inside && column + line < n ? weight[(column + line) * k + from + at] : 0.0F;
    }
    __syncthreads();
    for (int at = 0; at < depth; ++at) {
      for (int i = 0; i < own; ++i) {
        for (int j = 0; j < own; ++j) sum[i][j] += x_tile[at][down * own + i] * weight_tile[at][across * own + j];
      }
    }
    __syncthreads();
  }
  for (int i = 0; i < own; ++i) {
    for (int j = 0; j < own; ++j) {
      const std::int64_t r = row + down * own + i, c = column + across * own + j;
      if (r < rows && c < n) out[r * n + c] = activated(activation, sum[i][j] + (bias == nullptr ? 0.0F : bias[c]));
    }
  }
}

/// As linear_kernel, with a bf16 weight and x rounded to bf16.
__global__ void __launch_bounds__(tile_threads)
    narrow_linear_kernel(const float* x, const std::uint16_t* weight, const float* bias, Activation activation, std::int64_t rows,
                         std::int64_t k, std::int64_t n, float* out) {
  const std::int64_t row = static_cast<std::int64_t>(blockIdx.y) * tile, column = static_cast<std::int64_t>(blockIdx.x) * tile;
  const auto load = [&](Panel& of_x, Panel& of_weight, std::int64_t from) {
    load_panel<Bf16Products>(of_x, x, row, rows, from, k);
    load_panel<Bf16Products>(of_weight, weight, column, n, from, k);
  };
  multiply_tile<Bf16Products>(k, row + threadIdx.x / 32 * 16 < rows, load, [&](int i, int j, float sum) {
    const std::int64_t r = row + i, c = column + j;
    if (r < rows && c < n) out[r * n + c] = activated(activation, sum + (bias == nullptr ? 0.0F : bias[c]));
  });
}

/// Whether cuBLASLt made the product. It knows one of the activations; the others follow in a kernel of ours.
bool by_cublaslt(const Exec& exec, Tensor x, Tensor weight, Tensor bias, Activation activation, RoundedX rounded, Tensor out) {
  if (!has_cublaslt()) return false;
  const bool narrow = weight.dtype == DType::bf16, gelu = activation == Activation::gelu_tanh;
  if (narrow && !rounded.is_there) {
    for_each(exec, "linear", x.elements(),
             [=, x = x.f32(), to = rounded.scratch.as<std::uint16_t>()] __device__(std::int64_t i) { to[i] = to_bf16(x[i]); });
  }
  const Product product{
      narrow ? rounded.scratch.data : x.data,     weight.data, bias.f32(), out.f32(), x.rows(), x.width(), out.width(), narrow,
      gelu ? Epilogue::gelu_tanh : Epilogue::none};
  if (!multiply_with_cublaslt(exec, product)) return false;
  if (activation != Activation::none && !gelu) activate(exec, out, activation, out);
  return true;
}

}  // namespace

void linear(const Exec& exec, Tensor x, Tensor weight, Tensor bias, Activation activation, RoundedX rounded, Tensor out) {
  if (out.elements() == 0) return;
  if (!exec.rows_alone && by_cublaslt(exec, x, weight, bias, activation, rounded, out)) return;
  const std::int64_t rows = x.rows(), k = x.width(), n = out.width();
  constexpr std::int64_t most_down = 65535;  // blocks of a grid along y
  for (std::int64_t first = 0; first < rows; first += most_down * tile) {
    const std::int64_t count = rows - first < most_down * tile ? rows - first : most_down * tile;
    const dim3 blocks(static_cast<unsigned>((n + tile - 1) / tile), static_cast<unsigned>((count + tile - 1) / tile));
    constexpr int threads = (tile / own) * (tile / own);
    const float* from = x.f32() + first * k;
    float* to = out.f32() + first * n;
    if (weight.dtype == DType::bf16) {
      launch(exec, "linear", narrow_linear_kernel, blocks, tile_threads, 0, from, weight.as<const std::uint16_t>(), bias.f32(), activation,
             count, k, n, to);
    } else {
      launch(exec, "linear", linear_kernel, blocks, threads, 0, from, weight.as<const float>(), bias.f32(), activation, count, k, n, to);
    }
  }
}

}  // namespace fabula::cuda
