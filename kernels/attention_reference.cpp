// attention and paged_attention, as `reference` defines them: a plain softmax over all the keys a query sees.
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/families.h"

namespace fabula {
namespace {

/// One query of one head over `seen` tokens; key(t, i) and value(t, i) are a token's channels.
template <typename Key, typename Value>
void attend(const float* query, std::int64_t dim, std::int64_t seen, const Key& key, const Value& value, float* to) {
  const float scale = 1.0F / std::sqrt(static_cast<float>(dim));
  std::vector<float> weights(static_cast<std::size_t>(seen));
  float largest = -std::numeric_limits<float>::infinity();
  for (std::int64_t t = 0; t < seen; ++t) {
    float product = 0.0F;
    for (std::int64_t i = 0; i < dim; ++i) product += query[i] * key(t, i);
    weights[static_cast<std::size_t>(t)] = product * scale;
    largest = std::max(largest, product * scale);
  }
  float total = 0.0F;
  std::fill(to, to + dim, 0.0F);
  for (std::int64_t t = 0; t < seen; ++t) {
    const float weight = std::exp(weights[static_cast<std::size_t>(t)] - largest);
    total += weight;
    for (std::int64_t i = 0; i < dim; ++i) to[i] += weight * value(t, i);
  }
  for (std::int64_t i = 0; i < dim; ++i) to[i] = seen == 0 ? 0.0F : to[i] / total;
}

void attention(const Exec&, Tensor q, Tensor k, Tensor v, bool causal, Tensor /*scratch*/, Tensor out) {
  const std::int64_t q_rows = q.shape[0], heads = q.shape[1], dim = q.shape[2];
  const std::int64_t k_rows = k.shape[0], kv_heads = k.shape[1];
  for (std::int64_t row = 0; row < q_rows; ++row) {
    const std::int64_t seen = causal ? std::clamp<std::int64_t>(k_rows - q_rows + row + 1, 0, k_rows) : k_rows;
    for (std::int64_t head = 0; head < heads; ++head) {
      const std::int64_t at = (row * heads + head) * dim, kv = head / (heads / kv_heads);
      const auto channel = [&](Tensor x) { return [=](std::int64_t t, std::int64_t i) { return x.f32()[(t * kv_heads + kv) * dim + i]; }; };
      attend(q.f32() + at, dim, seen, channel(k), channel(v), out.f32() + at);
    }
  }
}

void paged_attention(const Exec&, Tensor q, Tensor k, Tensor v, Tensor keys, Tensor values, Tensor table, Tensor rows, Tensor out) {
  const std::int64_t heads = q.shape[1], dim = q.shape[2], kv_heads = keys.shape[1], slots = keys.shape[3];
  const auto* where = rows.as<std::int32_t>();
  const auto page = [&](std::int64_t row, std::int64_t t) { return table.as<std::int32_t>()[where[2 * row] * table.width() + t / slots]; };
  const auto key = [&](std::int64_t row, std::int64_t t, std::int64_t kv, std::int64_t i) -> float& {
    return keys.f32()[((page(row, t) * kv_heads + kv) * dim + i) * slots + t % slots];
  };
  const auto value = [&](std::int64_t row, std::int64_t t, std::int64_t kv, std::int64_t i) -> float& {
    return values.f32()[((page(row, t) * kv_heads + kv) * slots + t % slots) * dim + i];
  };
  for (std::int64_t row = 0; row < q.shape[0]; ++row) {
    for (std::int64_t i = 0; i < kv_heads * dim; ++i) {
      key(row, where[2 * row + 1], i / dim, i % dim) = k.f32()[row * kv_heads * dim + i];
      value(row, where[2 * row + 1], i / dim, i % dim) = v.f32()[row * kv_heads * dim + i];
    }
  }
  for (std::int64_t row = 0; row < q.shape[0]; ++row) {
    for (std::int64_t head = 0; head < heads; ++head) {
      const std::int64_t at = (row * heads + head) * dim, kv = head / (heads / kv_heads);
      attend(
          q.f32() + at, dim, where[2 * row + 1] + 1, [&](std::int64_t t, std::int64_t i) { return key(row, t, kv, i); },
          [&](std::int64_t t, std::int64_t i) { return value(row, t, kv, i); }, out.f32() + at);
    }
  }
}

}  // namespace

void add_reference_attention(Kernels& table) {
  table.attention = attention;
  table.paged_attention = paged_attention;
}

}  // namespace fabula
