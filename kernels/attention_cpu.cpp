// Attention in blocks of queries and keys with a running softmax (Milakov and Gimelshein 2018; Dao et al. 2022): the matrix of weights
// is never larger than one block, whatever the length of the sequence.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/attention_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>
#include <limits>

#include "kernels/attention.h"
#include "kernels/multiply.h"
#include "kernels/pieces.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fabula {
namespace HWY_NAMESPACE {

/// Turns a row of logits into weights relative to the largest logit so far, which is updated with their total. Returns by how much
/// what was summed before must be multiplied.
float soften(float* row, std::int64_t count, float& largest, float& total) {
  const float lowest = -std::numeric_limits<float>::infinity();
  Vec peak = all(largest);
  for (std::int64_t i = 0; i < count; i += lanes()) {
    const Vec logits = load(row + i, count - i);
    peak = hn::Max(peak, count - i >= lanes() ? logits : hn::IfThenElse(hn::FirstN(Floats(), static_cast<std::size_t>(count - i)), logits, all(lowest)));
  }
  const float now = hn::GetLane(hn::MaxOfLanes(Floats(), peak));
  Vec sum = all(0.0F);
  for (std::int64_t i = 0; i < count; i += lanes()) {
    const Vec weights = exp(hn::Sub(load(row + i, count - i), all(now)));
    store(weights, row + i, count - i);
    sum = hn::Add(sum, keep_first(weights, count - i));
  }
  const float factor = largest == lowest ? 0.0F : std::exp(largest - now);
  largest = now;
  total = total * factor + sum_of(sum);
  return factor;
}

void scale_row(float* row, std::int64_t count, float factor) {
  map(row, count, row, [&](Vec v) { return hn::Mul(v, all(factor)); });
}

}  // namespace HWY_NAMESPACE
}  // namespace fabula
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fabula {
namespace {

HWY_EXPORT(soften);
HWY_EXPORT(scale_row);

constexpr std::int64_t query_block = 64, key_block = 512;

/// One head's queries [begin, begin + rows): their rows are `q_stride` floats apart, those of keys and values `k_stride`. The first of
/// them sees `seen` keys, each further one `step` more (0 or 1).
void attend(const float* q, std::int64_t q_stride, std::int64_t rows, const float* k, const float* v, std::int64_t k_stride, std::int64_t dim,
            std::int64_t seen, std::int64_t step, float* out) {
  const float scale = 1.0F / std::sqrt(static_cast<float>(dim));
  float weights[query_block * key_block];
  float largest[query_block], total[query_block] = {};
  std::fill_n(largest, rows, -std::numeric_limits<float>::infinity());
  const std::int64_t keys = seen + step * (rows - 1);
  for (std::int64_t key = 0; key < keys; key += key_block) {
    const std::int64_t count = std::min(key_block, keys - key);
    multiply({q, q_stride}, {k + key * k_stride, k_stride, true}, {weights, count}, rows, count, dim, scale, false);
    for (std::int64_t row = 0; row < rows; ++row) {
      float* logits = weights + row * count;
      const std::int64_t visible = std::clamp<std::int64_t>(seen + step * row - key, 0, count);
      std::fill(logits + visible, logits + count, 0.0F);
      if (visible == 0) continue;
      const float factor = HWY_DYNAMIC_DISPATCH(soften)(logits, visible, largest[row], total[row]);
      if (key > 0 && factor != 1.0F) HWY_DYNAMIC_DISPATCH(scale_row)(out + row * q_stride, dim, factor);
    }
    multiply({weights, count}, {v + key * k_stride, k_stride}, {out, q_stride}, rows, dim, count, 1.0F, key > 0);
  }
  for (std::int64_t row = 0; row < rows; ++row) HWY_DYNAMIC_DISPATCH(scale_row)(out + row * q_stride, dim, 1.0F / total[row]);
}

void attention(const Exec& exec, Tensor q, Tensor k, Tensor v, bool causal, Tensor out) {
  const std::int64_t q_rows = q.shape[0], heads = q.shape[1], dim = q.shape[2];
  const std::int64_t k_rows = k.shape[0], kv_heads = k.shape[1];
  const std::int64_t blocks = (q_rows + query_block - 1) / query_block;
  in_pieces(exec, heads * blocks, 1, [&](std::int64_t piece, std::int64_t) {
    const std::int64_t head = piece / blocks, begin = piece % blocks * query_block;
    const std::int64_t first = (begin * heads + head) * dim, kv_first = head / (heads / kv_heads) * dim;
    attend(q.f32() + first, heads * dim, std::min(query_block, q_rows - begin), k.f32() + kv_first, v.f32() + kv_first, kv_heads * dim, dim,
           causal ? k_rows - q_rows + begin + 1 : k_rows, causal ? 1 : 0, out.f32() + first);
  });
}

}  // namespace

void add_cpu_attention(Kernels& table) { table.attention = attention; }

}  // namespace fabula
#endif  // HWY_ONCE
