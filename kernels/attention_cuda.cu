// attention, paged_attention. Under bf16 by cuDNN where it is there and has a plan. Where no tile of queries can share its keys (few
// queries, pages, wide heads): one thread block per (query, head); its threads split first the keys, then the channels; online softmax.
#include "kernels/cuda_entries.h"
#include "kernels/cudnn.h"
#include "kernels/flash_attention.cuh"
#include "kernels/launch.cuh"

namespace fabula::cuda {

namespace {

constexpr int threads = 128;      // also keys in a block of keys
constexpr int most_channels = 8;  // of one thread
constexpr std::int64_t most_dim = threads * most_channels;

using Sizes = AttentionSizes;

// Keys and values one after the other; the last queries see all keys if causal.
struct InOrder {
  const float *k, *v;
  Sizes s;
  __device__ std::int64_t seen(std::int64_t row) const { return s.seen(row); }
  __device__ float key(std::int64_t, std::int64_t token, std::int64_t head, std::int64_t i) const {
    return k[(token * s.kv_heads + head) * s.dim + i];
  }
  __device__ float value(std::int64_t, std::int64_t token, std::int64_t head, std::int64_t i) const {
    return v[(token * s.kv_heads + head) * s.dim + i];
  }
};

// Keys and values in pages, as in kernels.h.
struct InPages {
  float *keys, *values;
  const std::int32_t *table, *rows;
  std::int64_t width, slots;
  Sizes s;
  __device__ std::int64_t seen(std::int64_t row) const { return rows[2 * row + 1] + 1; }
  __device__ std::int64_t head_of(std::int64_t row, std::int64_t token, std::int64_t head) const {
    return table[rows[2 * row] * width + token / slots] * s.kv_heads + head;
  }
  __device__ float& key(std::int64_t row, std::int64_t token, std::int64_t head, std::int64_t i) const {
    return keys[(head_of(row, token, head) * s.dim + i) * slots + token % slots];
  }
  __device__ float& value(std::int64_t row, std::int64_t token, std::int64_t head, std::int64_t i) const {
    return values[(head_of(row, token, head) * slots + token % slots) * s.dim + i];
  }
};

__global__ void store_kernel(const float* k, const float* v, InPages pages) {
  const std::int64_t row = blockIdx.x, width = pages.s.kv_heads * pages.s.dim;
  for (std::int64_t i = threadIdx.x; i < width; i += threads) {
    pages.key(row, pages.rows[2 * row + 1], i / pages.s.dim, i % pages.s.dim) = k[row * width + i];
    pages.value(row, pages.rows[2 * row + 1], i / pages.s.dim, i % pages.s.dim) = v[row * width + i];
  }
}

template <typename Where>
__global__ void attention_kernel(const float* q, Sizes s, Where where, float scale, float* out) {
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
      float product = 0.0F;
      for (std::int64_t i = 0; i < s.dim; ++i) product += query[i] * where.key(row, key, kv_head, i);
      logit = product * scale;
    }
    const float now = fmaxf(largest, block_max(logit));
    const float weight = key < seen ? expf(logit - now) : 0.0F;
    const float factor = largest == -INFINITY ? 0.0F : expf(largest - now);
    weights[threadIdx.x] = weight;
    total = total * factor + block_sum(weight);  // its barriers also show the weights to all
    largest = now;
    const int count = static_cast<int>(seen - first < threads ? seen - first : threads);
    for (int c = 0; c < most_channels; ++c) {
      const std::int64_t channel = threadIdx.x + static_cast<std::int64_t>(c) * threads;
      if (channel >= s.dim) break;
      float added = 0.0F;
      for (int j = 0; j < count; ++j) added += weights[j] * where.value(row, first + j, kv_head, channel);
      sum[c] = sum[c] * factor + added;
    }
  }
  for (int c = 0; c < most_channels; ++c) {
    const std::int64_t channel = threadIdx.x + static_cast<std::int64_t>(c) * threads;
    if (channel < s.dim) out[(row * s.heads + head) * s.dim + channel] = total == 0.0F ? 0.0F : sum[c] / total;
  }
}

template <typename Where>
void attend(const Exec& exec, Tensor q, const Where& where, Tensor out) {
  const Sizes& s = where.s;
  if (s.dim > most_dim) throw Error(ExitCode::unavailable, "CUDA: attention heads of more than " + std::to_string(most_dim) + " channels");
  launch(exec, "attention", attention_kernel<Where>, static_cast<unsigned>(s.q_rows * s.heads), threads, 0, q.f32(), s, where,
         1.0F / sqrtf(static_cast<float>(s.dim)), out.f32());
}

Sizes sizes_of(Tensor q, Tensor k, bool causal) { return {q.shape[0], q.shape[1], k.shape[0], k.shape[1], q.shape[2], causal}; }

}  // namespace

namespace {

template <typename Products>
void attend_in_order(const Exec& exec, Tensor q, Tensor k, Tensor v, bool causal, Tensor out) {
  if (q.elements() == 0) return;
  const Sizes sizes = sizes_of(q, k, causal);
  if (sizes.dim <= most_flash_dim && sizes.q_rows >= least_flash_queries) {
    launch_flash<Products>(exec, q.f32(), k.f32(), v.f32(), sizes, out.f32());
  } else {
    attend(exec, q, InOrder{k.f32(), v.f32(), sizes}, out);
  }
}

/// Rounds x to bf16; returns what lies behind it.
std::uint16_t* narrow(const Exec& exec, Tensor x, std::uint16_t* to) {
  for_each(exec, "attention", x.elements(), [=, from = x.f32()] __device__(std::int64_t i) { to[i] = to_bf16(from[i]); });
  return to + x.elements();
}

/// Whether cuDNN did it: on copies of q, k and v in bf16, and its bf16 result is widened.
bool by_cudnn(const Exec& exec, Tensor q, Tensor k, Tensor v, Tensor scratch, Tensor out) {
  const auto address = reinterpret_cast<std::uintptr_t>(scratch.data);
  const std::uintptr_t workspace = (address + fused_alignment - 1) / fused_alignment * fused_alignment;
  auto* const q16 = reinterpret_cast<std::uint16_t*>(workspace + fused_workspace);
  auto* const k16 = narrow(exec, q, q16);
  auto* const v16 = narrow(exec, k, k16);
  auto* const out16 = narrow(exec, v, v16);
  const Sizes s = sizes_of(q, k, /*causal=*/false);
  if (!attend_with_cudnn(exec, {q16, k16, v16, out16, reinterpret_cast<void*>(workspace), s.q_rows, s.k_rows, s.heads, s.kv_heads, s.dim}))
    return false;
  for_each(exec, "attention", out.elements(), [=, to = out.f32()] __device__(std::int64_t i) { to[i] = from_bf16(out16[i]); });
  return true;
}

}  // namespace

void attention(const Exec& exec, Tensor q, Tensor k, Tensor v, bool causal, Tensor /*scratch*/, Tensor out) {
  attend_in_order<SplitTf32>(exec, q, k, v, causal, out);
}

void attention_bf16(const Exec& exec, Tensor q, Tensor k, Tensor v, bool causal, Tensor scratch, Tensor out) {
  if (!scratch.absent() && by_cudnn(exec, q, k, v, scratch, out)) return;
  attend_in_order<Bf16Products>(exec, q, k, v, causal, out);
}

void paged_attention(const Exec& exec, Tensor q, Tensor k, Tensor v, Tensor keys, Tensor values, Tensor table, Tensor rows, Tensor out) {
  if (q.shape[0] == 0) return;
  const InPages pages{keys.f32(),    values.f32(),  table.as<std::int32_t>(), rows.as<std::int32_t>(),
                      table.width(), keys.shape[3], sizes_of(q, k, true)};
  launch(exec, "paged_attention", store_kernel, static_cast<unsigned>(q.shape[0]), threads, 0, k.f32(), v.f32(), pages);
  attend(exec, q, pages, out);
}

}  // namespace fabula::cuda
