// The product that linear and the convolutions are made of: a thread block's tile of sums, both operands' panels in shared memory, on
// tensor cores.
#pragma once

#include "kernels/operands.cuh"

namespace fabula::cuda {

constexpr int tile = 64, tile_threads = 128;  // a warp makes 16 rows of the tile
constexpr int words = 16;                     // of a panel's line; four more put lines that a warp reads at once into different banks
using Panel = std::uint32_t[tile][words + 4];

/// Words that `Products` multiplies, of floats or bf16 numbers `line[at]`; those from `k` on are zeros.
template <typename Products>
__device__ std::uint32_t word_of(const float* line, std::int64_t at, std::int64_t k) {
  if constexpr (Products::per_word == 1) return at < k ? __float_as_uint(line[at]) : 0U;
  return pack_bf16(at < k ? line[at] : 0.0F, at + 1 < k ? line[at + 1] : 0.0F);
}
template <typename Products>
__device__ std::uint32_t word_of(const std::uint16_t* line, std::int64_t at, std::int64_t k) {
  static_assert(Products::per_word == 2);
  return (at < k ? line[at] : 0U) | (at + 1 < k ? static_cast<std::uint32_t>(line[at + 1]) << 16U : 0U);
}

/// A panel of a row-major matrix (lines, k): its lines from `first`, its columns from `column` on.
template <typename Products, typename T>
__device__ void load_panel(Panel& panel, const T* matrix, std::int64_t first, std::int64_t lines, std::int64_t column, std::int64_t k) {
  for (int i = threadIdx.x; i < tile * words; i += tile_threads) {
    const int line = i / words, word = i % words;
    const bool inside = first + line < lines;
    panel[line][word] = inside ? word_of<Products>(matrix + (first + line) * k, column + word * Products::per_word, k) : 0U;
  }
}

/// store(row, column, sum) for the 64 × 64 sums over k of rows' and columns' products; load(rows, columns, from) writes the panels of k
/// from `from` on. A block of tile_threads; `active`: whether the warp's rows are wanted. Tensor cores round sums toward zero, so that long
/// ones drift: those of a panel are added outside (Ootomo and Yokota 2022).
template <typename Products, typename Load, typename Store>
__device__ void multiply_tile(std::int64_t k, bool active, const Load& load, const Store& store) {
  constexpr int steps = words / 8;  // an instruction takes eight words of a line
  __shared__ Panel rows, columns;
  const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4, line = threadIdx.x / 32 * 16 + g;
  float sum[tile / columns_per_tile][4] = {};
  for (std::int64_t from = 0; from < k; from += words * Products::per_word) {
    load(rows, columns, from);
    __syncthreads();
    if (active) {
      typename Products::A a[steps];
      for (int step = 0; step < steps; ++step) {
        const int word = 8 * step + t;
        a[step] = Products::a_of({rows[line][word], rows[line + 8][word], rows[line][word + 4], rows[line + 8][word + 4]});
      }
      for (int j = 0; j < tile / columns_per_tile; ++j) {
        float part[4] = {};
        for (int step = 0; step < steps; ++step) {
          const int word = 8 * step + t, column = j * columns_per_tile + g;
          Products::add(part, a[step], Products::b_of({columns[column][word], columns[column][word + 4]}));
        }
        for (int i = 0; i < 4; ++i) sum[j][i] += part[i];
      }
    }
    __syncthreads();
  }
  if (!active) return;
  for (int j = 0; j < tile / columns_per_tile; ++j) {
    for (int i = 0; i < 4; ++i) store(line + i / 2 * 8, j * columns_per_tile + 2 * t + i % 2, sum[j][i]);
  }
}

}  // namespace fabula::cuda
