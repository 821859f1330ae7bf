#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/attention.h"

namespace fabula {
namespace {

/// One query of one head over `seen` keys; the slot of token t is slot(t). keys and values (slots, kv_heads, dim) begin at the head's own channels.
template <typename Slot>
void attend(const float* query, const float* keys, const float* values, std::int64_t stride, std::int64_t dim, std::int64_t seen, const Slot& slot, float* to) {
  const float scale = 1.0F / std::sqrt(static_cast<float>(dim));
  std::vector<float> weights(static_cast<std::size_t>(seen));
  float largest = -std::numeric_limits<float>::infinity();
  for (std::int64_t t = 0; t < seen; ++t) {
    const float* key = keys + slot(t) * stride;
    float product = 0.0F;
    for (std::int64_t i = 0; i < dim; ++i) product += query[i] * key[i];
    weights[static_cast<std::size_t>(t)] = product * scale;
    largest = std::max(largest, product * scale);
  }
  float total = 0.0F;
  std::fill(to, to + dim, 0.0F);
  for (std::int64_t t = 0; t < seen; ++t) {
    const float weight = std::exp(weights[static_cast<std::size_t>(t)] - largest);
    const float* value = values + slot(t) * stride;
    total += weight;
    for (std::int64_t i = 0; i < dim; ++i) to[i] += weight * value[i];
  }
  for (std::int64_t i = 0; i < dim; ++i) to[i] = seen == 0 ? 0.0F : to[i] / total;
}

void attention(const Exec&, Tensor q, Tensor k, Tensor v, bool causal, Tensor out) {
  const std::int64_t q_rows = q.shape[0], heads = q.shape[1], dim = q.shape[2];
  const std::int64_t k_rows = k.shape[0], kv_heads = k.shape[1];
  for (std::int64_t row = 0; row < q_rows; ++row) {
    const std::int64_t seen = causal ? std::clamp<std::int64_t>(k_rows - q_rows + row + 1, 0, k_rows) : k_rows;
    for (std::int64_t head = 0; head < heads; ++head) {
      const std::int64_t at = (row * heads + head) * dim, kv = head / (heads / kv_heads) * dim;
      attend(q.f32() + at, k.f32() + kv, v.f32() + kv, kv_heads * dim, dim, seen, [](std::int64_t t) { return t; }, out.f32() + at);
    }
  }
}

void paged_attention(const Exec&, Tensor q, Tensor keys, Tensor values, Tensor table, Tensor rows, std::int64_t page, Tensor out) {
  const std::int64_t heads = q.shape[1], dim = q.shape[2], kv_heads = keys.shape[1];
  for (std::int64_t row = 0; row < q.shape[0]; ++row) {
    const std::int32_t* where = rows.as<std::int32_t>() + 2 * row;
    const std::int32_t* pages = table.as<std::int32_t>() + where[0] * table.width();
    for (std::int64_t head = 0; head < heads; ++head) {
      const std::int64_t at = (row * heads + head) * dim, kv = head / (heads / kv_heads) * dim;
      attend(q.f32() + at, keys.f32() + kv, values.f32() + kv, kv_heads * dim, dim, where[1], [&](std::int64_t t) { return pages[t / page] * page + t % page; },
             out.f32() + at);
    }
  }
}

}  // namespace

void add_reference_attention(Kernels& table) {
  table.attention = attention;
  table.paged_attention = paged_attention;
}

}  // namespace fabula
