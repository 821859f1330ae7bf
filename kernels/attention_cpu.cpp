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

/// Where the slots of a sequence's tokens are: `stride` floats apart, `page` of them together.
struct Pages {
  const std::int32_t* table;
  std::int64_t page, stride;

  HWY_INLINE std::int64_t at(std::int64_t token) const { return (table[token / page] * page + token % page) * stride; }
};

/// logits[i] = factor · query · key of token first + i
void score_keys(const float* query, const float* keys, const Pages& pages, std::int64_t dim, std::int64_t first, std::int64_t count, float factor, float* logits) {
  for (std::int64_t token = 0; token < count; ++token) {
    const float* key = keys + pages.at(first + token);
    Vec even = all(0.0F), odd = all(0.0F);
    std::int64_t i = 0;
    for (; i + 2 * lanes() <= dim; i += 2 * lanes()) {
      even = hn::MulAdd(load(query + i, lanes()), load(key + i, lanes()), even);
      odd = hn::MulAdd(load(query + i + lanes(), lanes()), load(key + i + lanes(), lanes()), odd);
    }
    for (; i < dim; i += lanes()) even = hn::MulAdd(load(query + i, dim - i), load(key + i, dim - i), even);
    logits[token] = factor * sum_of(hn::Add(even, odd));
  }
}

/// out = factor · out + Σ weights[i] · value of token first + i; with a factor of 0 what was in `out` is not looked at.
void sum_values(const float* weights, const float* values, const Pages& pages, std::int64_t dim, std::int64_t first, std::int64_t count, float factor, float* out) {
  for (std::int64_t i = 0; i < dim; i += lanes()) {
    const std::int64_t left = dim - i;
    Vec even = factor == 0.0F ? all(0.0F) : hn::Mul(load(out + i, left), all(factor)), odd = all(0.0F);
    std::int64_t token = 0;
    for (; token + 2 <= count; token += 2) {
      even = hn::MulAdd(all(weights[token]), load(values + pages.at(first + token) + i, left), even);
      odd = hn::MulAdd(all(weights[token + 1]), load(values + pages.at(first + token + 1) + i, left), odd);
    }
    if (token < count) even = hn::MulAdd(all(weights[token]), load(values + pages.at(first + token) + i, left), even);
    store(hn::Add(even, odd), out + i, left);
  }
}

constexpr std::int64_t keys_together = 512;

/// One query of one head over `seen` keys: every sum's order depends on `seen` alone.
void attend_pages(const float* query, const float* keys, const float* values, const Pages& pages, std::int64_t dim, std::int64_t seen, float* out) {
  float weights[keys_together];
  float largest = -std::numeric_limits<float>::infinity(), total = 0.0F;
  const float scale = 1.0F / std::sqrt(static_cast<float>(dim));
  for (std::int64_t first = 0; first < seen; first += keys_together) {
    const std::int64_t count = std::min(keys_together, seen - first);
    score_keys(query, keys, pages, dim, first, count, scale, weights);
    const float factor = soften(weights, count, largest, total);
    sum_values(weights, values, pages, dim, first, count, factor, out);
  }
  scale_row(out, dim, 1.0F / total);
}

/// Items [begin, end) of rows × heads.
void attend_rows(std::int64_t begin, std::int64_t end, Tensor q, Tensor keys, Tensor values, Tensor table, Tensor rows, std::int64_t page, Tensor out) {
  const std::int64_t heads = q.shape[1], dim = q.shape[2], kv_heads = keys.shape[1];
  for (std::int64_t item = begin; item < end; ++item) {
    const std::int32_t* where = rows.as<std::int32_t>() + 2 * (item / heads);
    const Pages pages{table.as<std::int32_t>() + where[0] * table.width(), page, kv_heads * dim};
    const std::int64_t kv = item % heads / (heads / kv_heads) * dim;
    attend_pages(q.f32() + item * dim, keys.f32() + kv, values.f32() + kv, pages, dim, where[1], out.f32() + item * dim);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace fabula
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fabula {
namespace {

HWY_EXPORT(soften);
HWY_EXPORT(scale_row);
HWY_EXPORT(attend_rows);

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

void paged_attention(const Exec& exec, Tensor q, Tensor keys, Tensor values, Tensor table, Tensor rows, std::int64_t page, Tensor out) {
  const std::int64_t work = table.width() * page * q.shape[2];  // of a row's head, at most
  in_pieces(exec, q.shape[0] * q.shape[1], std::max<std::int64_t>(1, 65536 / std::max<std::int64_t>(1, work)), [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(attend_rows)(begin, end, q, keys, values, table, rows, page, out);
  });
}

}  // namespace

void add_cpu_attention(Kernels& table) {
  table.attention = attention;
  table.paged_attention = paged_attention;
}

}  // namespace fabula
#endif  // HWY_ONCE
