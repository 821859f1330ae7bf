// Attention in tiles: a warp group per 64 queries of a head, keys and values 32 at a time through shared memory, online softmax (Milakov
// and Gimelshein 2018; Dao et al. 2022), products on tensor cores. Queries, weights and sums stay in registers.
#pragma once

#include "kernels/launch.cuh"
#include "kernels/operands.cuh"

namespace fabula::cuda {

struct AttentionSizes {
  std::int64_t q_rows, heads, k_rows, kv_heads, dim;
  bool causal;
  /// How many keys query `row` sees; none or less if there are more queries than keys.
  __device__ std::int64_t seen(std::int64_t row) const { return causal ? k_rows - q_rows + row + 1 : k_rows; }
};

constexpr int flash_threads = 128, flash_queries = 64, flash_keys = 32;
/// Rows first … first + 31 of k or v (rows, kv_heads, dim), one head of them; zeros beyond both ends.
template <int Dim>
__device__ void load_tile(float (&tile)[flash_keys][Dim + 4], const float* from, const AttentionSizes& s, std::int64_t first,
                          std::int64_t head) {
  for (int i = threadIdx.x; i < flash_keys * Dim; i += flash_threads) {
    const int row = i / Dim, channel = i % Dim;
    const bool inside = first + row < s.k_rows && channel < s.dim;
    tile[row][channel] = inside ? from[((first + row) * s.kv_heads + head) * s.dim + channel] : 0.0F;
  }
}

/// The largest and the sum over the four lanes that share a row.
__device__ inline float row_max(float value) {
  value = fmaxf(value, __shfl_xor_sync(0xFFFFFFFFU, value, 1));
  return fmaxf(value, __shfl_xor_sync(0xFFFFFFFFU, value, 2));
}
__device__ inline float row_sum(float value) {
  value += __shfl_xor_sync(0xFFFFFFFFU, value, 1);
  return value + __shfl_xor_sync(0xFFFFFFFFU, value, 2);
}

/// One warp's 16 queries: rows g and g + 8 of each lane.
template <typename Products, int Dim>
struct Queries {
  static constexpr int steps = Dim / Products::depth, held = Products::depth / 4;
  static constexpr int key_tiles = flash_keys / columns_per_tile, channel_tiles = Dim / columns_per_tile;
  typename Products::A query[steps];
  float sum[channel_tiles][4] = {};
  float largest[2] = {-INFINITY, -INFINITY}, total[2] = {};

  __device__ void load(const float* q, const AttentionSizes& s, std::int64_t row, std::int64_t head, int g, int t) {
    for (int step = 0; step < steps; ++step) {
      float x[2][held];
      for (int half = 0; half < 2; ++half) {
        const std::int64_t at = row + g + 8 * half;
        for (int i = 0; i < held; ++i) {
          const int channel = step * Products::depth + column_of(i, t);
          x[half][i] = at < s.q_rows && channel < s.dim ? q[(at * s.heads + head) * s.dim + channel] : 0.0F;
        }
      }
      query[step] = Products::a(x);
    }
  }

  /// weights (16, 32): q·kᵀ.
  __device__ void logits(const float (&k_tile)[flash_keys][Dim + 4], int g, int t, float (&weights)[key_tiles][4]) const {
    for (int tile = 0; tile < key_tiles; ++tile) {
      for (int step = 0; step < steps; ++step) {
        float x[held];
        for (int i = 0; i < held; ++i) x[i] = k_tile[tile * columns_per_tile + g][step * Products::depth + column_of(i, t)];
        Products::add(weights[tile], query[step], Products::b(x));
      }
    }
  }

  /// Logits become weights; sums and totals so far shrink as the largest logit grows.
  __device__ void soften(const AttentionSizes& s, std::int64_t row, std::int64_t first, float scale, int g, int t,
                         float (&weights)[key_tiles][4]) {
    for (int half = 0; half < 2; ++half) {
      const std::int64_t at = row + g + 8 * half, seen = at < s.q_rows ? s.seen(at) : 0;
      float now = largest[half], added = 0.0F;
      for (int tile = 0; tile < key_tiles; ++tile) {
        for (int i = 0; i < 2; ++i) {
          float& logit = weights[tile][2 * half + i];
          const std::int64_t key = first + tile * columns_per_tile + 2 * t + i;
          logit = key < seen && key < s.k_rows ? logit * scale : -INFINITY;
          now = fmaxf(now, logit);
        }
      }
      now = row_max(now);
      const float from = now == -INFINITY ? 0.0F : now;  // no key so far
      const float factor = expf(largest[half] - from);
      for (int tile = 0; tile < key_tiles; ++tile) {
        for (int i = 0; i < 2; ++i) added += weights[tile][2 * half + i] = expf(weights[tile][2 * half + i] - from);
      }
      total[half] = total[half] * factor + row_sum(added);
      largest[half] = now;
      for (int tile = 0; tile < channel_tiles; ++tile) {
        for (int i = 0; i < 2; ++i) sum[tile][2 * half + i] *= factor;
      }
    }
  }

  /// sum (16, Dim) += weights · v.
  __device__ void add(const float (&v_tile)[flash_keys][Dim + 4], int g, int t, const float (&weights)[key_tiles][4]) {
    for (int step = 0; step < flash_keys / Products::depth; ++step) {
      float w[2][held];
      for (int half = 0; half < 2; ++half) {
        for (int i = 0; i < held; ++i) w[half][i] = weights[step * Products::depth / columns_per_tile + i / 2][2 * half + i % 2];
      }
      const typename Products::A a = Products::a(w);
      for (int tile = 0; tile < channel_tiles; ++tile) {
        float x[held];
        for (int i = 0; i < held; ++i) x[i] = v_tile[step * Products::depth + column_of(i, t)][tile * columns_per_tile + g];
        Products::add(sum[tile], a, Products::b(x));
      }
    }
  }

  __device__ void store(float* out, const AttentionSizes& s, std::int64_t row, std::int64_t head, int g, int t) const {
    for (int half = 0; half < 2; ++half) {
      const std::int64_t at = row + g + 8 * half;
      for (int tile = 0; tile < channel_tiles; ++tile) {
        for (int i = 0; i < 2; ++i) {
          const int channel = tile * columns_per_tile + 2 * t + i;
          if (at < s.q_rows && channel < s.dim)
            out[(at * s.heads + head) * s.dim + channel] = total[half] == 0.0F ? 0.0F : sum[tile][2 * half + i] / total[half];
        }
      }
    }
  }
};

/// A grid of (heads, blocks of queries). Dim: the channels of a head, rounded up.
template <typename Products, int Dim>
__global__ void __launch_bounds__(flash_threads)
    flash_kernel(const float* q, const float* k, const float* v, AttentionSizes s, float scale, float* out) {
  __shared__ float k_tile[flash_keys][Dim + 4], v_tile[flash_keys][Dim + 4];
  const std::int64_t head = blockIdx.x, kv_head = head / (s.heads / s.kv_heads), block = std::int64_t{blockIdx.y} * flash_queries;
  const int g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
  const std::int64_t row = block + threadIdx.x / 32 * 16;
  Queries<Products, Dim> queries;
  queries.load(q, s, row, head, g, t);
  const std::int64_t last = (block + flash_queries < s.q_rows ? block + flash_queries : s.q_rows) - 1, seen = s.seen(last);
  for (std::int64_t first = 0; first < seen; first += flash_keys) {
    load_tile<Dim>(k_tile, k, s, first, kv_head);
    load_tile<Dim>(v_tile, v, s, first, kv_head);
    __syncthreads();
    if (row < s.q_rows) {  // the same for all lanes of the warp
      float weights[flash_keys / columns_per_tile][4] = {};
      queries.logits(k_tile, g, t, weights);
      queries.soften(s, row, first, scale, g, t, weights);
      queries.add(v_tile, g, t, weights);
    }
    __syncthreads();
  }
  queries.store(out, s, row, head, g, t);
}

constexpr std::int64_t most_flash_dim = 128;
constexpr std::int64_t least_flash_queries = 16;  // those of a warp

template <typename Products>
void launch_flash(const Exec& exec, const float* q, const float* k, const float* v, const AttentionSizes& s, float* out) {
  const auto kernel = s.dim <= 32 ? flash_kernel<Products, 32> : s.dim <= 64 ? flash_kernel<Products, 64> : flash_kernel<Products, 128>;
  const float scale = 1.0F / sqrtf(static_cast<float>(s.dim));
  constexpr std::int64_t most = 65535 * flash_queries;  // of a grid along y
  if (s.q_rows > most) throw Error(ExitCode::unavailable, "CUDA: attention of more than " + std::to_string(most) + " queries");
  const dim3 blocks(static_cast<unsigned>(s.heads), static_cast<unsigned>((s.q_rows + flash_queries - 1) / flash_queries));
  launch(exec, "attention", kernel, blocks, flash_threads, 0, q, k, v, s, scale, out);
}

}  // namespace fabula::cuda
