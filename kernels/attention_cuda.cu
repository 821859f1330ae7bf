// A block a query and head: its threads share the keys of a block between them, then the channels; the softmax runs along.
#include "kernels/attention.h"
#include "kernels/launch.cuh"

namespace fabula {
namespace {

constexpr int threads = 128;            // also keys in a block of keys
constexpr int most_channels = 8;        // of one thread
constexpr std::int64_t most_dim = threads * most_channels;

struct Sizes {
  std::int64_t q_rows, heads, k_rows, kv_heads, dim;
  bool causal;
};

// Which row of k and v a token is. In order: the last queries see all keys if causal.
struct InOrder {
  Sizes s;
  __device__ std::int64_t seen(std::int64_t row) const { return s.causal ? s.k_rows - s.q_rows + row + 1 : s.k_rows; }
  __device__ std::int64_t slot(std::int64_t, std::int64_t token) const { return token; }
};

// In pages: rows (q_rows, 2) and table (sequences, pages) as in kernels.h.
struct InPages {
  const std::int32_t *table, *rows;
  std::int64_t pages, page;
  __device__ std::int64_t seen(std::int64_t row) const { return rows[2 * row + 1]; }
  __device__ std::int64_t slot(std::int64_t row, std::int64_t token) const { return table[rows[2 * row] * pages + token / page] * page + token % page; }
};

template <typename Where>
__global__ void attention_kernel(const float* q, const float* k, const float* v, Sizes s, Where where, float scale, float* out) {
  __shared__ float query[most_dim];
  __shared__ float weights[threads];
  const std::int64_t row = blockIdx.x / s.heads, head = blockIdx.x % s.heads, kv_head = head / (s.heads / s.kv_heads);
  const std::int64_t seen = where.seen(row);
  for (std::int64_t i = threadIdx.x; i < s.dim; i += threads) query[i] = q[(row * s.heads + head) * s.dim + i];
  float sum[most_channels] = {}, largest = -INFINITY, total = 0.0F;
  for (std::int64_t first = 0; first < seen; first += threads) {
    __syncthreads();  // the query is there; the weights of the block before have been used
    const std::int64_t key = first + threadIdx.x;
    float logit = -INFINITY;
    if (key < seen) {
      const float* other = k + (where.slot(row, key) * s.kv_heads + kv_head) * s.dim;
      float product = 0.0F;
      for (std::int64_t i = 0; i < s.dim; ++i) product += query[i] * other[i];
      logit = product * scale;
    }
    const float now = fmaxf(largest, cuda::block_max(logit));
    const float weight = key < seen ? expf(logit - now) : 0.0F;
    const float factor = largest == -INFINITY ? 0.0F : expf(largest - now);
    weights[threadIdx.x] = weight;
    total = total * factor + cuda::block_sum(weight);  // its barriers also show the weights to all
    largest = now;
    const int count = static_cast<int>(seen - first < threads ? seen - first : threads);
    for (int c = 0; c < most_channels; ++c) {
      const std::int64_t channel = threadIdx.x + static_cast<std::int64_t>(c) * threads;
      if (channel >= s.dim) break;
      float added = 0.0F;
      for (int j = 0; j < count; ++j) added += weights[j] * v[(where.slot(row, first + j) * s.kv_heads + kv_head) * s.dim + channel];
      sum[c] = sum[c] * factor + added;
    }
  }
  for (int c = 0; c < most_channels; ++c) {
    const std::int64_t channel = threadIdx.x + static_cast<std::int64_t>(c) * threads;
    if (channel < s.dim) out[(row * s.heads + head) * s.dim + channel] = total == 0.0F ? 0.0F : sum[c] / total;
  }
}

template <typename Where>
void launch(const Exec& exec, Tensor q, Tensor k, Tensor v, const Sizes& s, const Where& where, Tensor out) {
  if (s.q_rows == 0) return;
  if (s.dim > most_dim) throw Error(ExitCode::unavailable, "CUDA: attention heads of more than " + std::to_string(most_dim) + " channels");
  attention_kernel<<<static_cast<unsigned>(s.q_rows * s.heads), threads, 0, cuda::stream_of(exec)>>>(
      q.f32(), k.f32(), v.f32(), s, where, 1.0F / sqrtf(static_cast<float>(s.dim)), out.f32());
  cuda::check_launch("attention");
}

Sizes sizes_of(Tensor q, Tensor k, bool causal) { return {q.shape[0], q.shape[1], k.shape[0], k.shape[1], q.shape[2], causal}; }

void attention(const Exec& exec, Tensor q, Tensor k, Tensor v, bool causal, Tensor out) {
  const Sizes s = sizes_of(q, k, causal);
  launch(exec, q, k, v, s, InOrder{s}, out);
}

void paged_attention(const Exec& exec, Tensor q, Tensor keys, Tensor values, Tensor table, Tensor rows, std::int64_t page, Tensor out) {
  launch(exec, q, keys, values, sizes_of(q, keys, true), InPages{table.as<std::int32_t>(), rows.as<std::int32_t>(), table.width(), page}, out);
}

}  // namespace

void add_cuda_attention(Kernels& table) {
  table.attention = attention;
  table.paged_attention = paged_attention;
}

}  // namespace fabula
