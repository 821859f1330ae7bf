#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "kernels/attention.h"

namespace fabula {
namespace {

void attention(const Exec&, Tensor q, Tensor k, Tensor v, bool causal, Tensor out) {
  const std::int64_t q_rows = q.shape[0], heads = q.shape[1], dim = q.shape[2];
  const std::int64_t k_rows = k.shape[0], kv_heads = k.shape[1];
  const float scale = 1.0F / std::sqrt(static_cast<float>(dim));
  std::vector<float> weights(static_cast<std::size_t>(k_rows));
  for (std::int64_t row = 0; row < q_rows; ++row) {
    const std::int64_t seen = causal ? std::clamp<std::int64_t>(k_rows - q_rows + row + 1, 0, k_rows) : k_rows;
    for (std::int64_t head = 0; head < heads; ++head) {
      const std::int64_t kv_head = head / (heads / kv_heads);
      const float* query = q.f32() + (row * heads + head) * dim;
      float* to = out.f32() + (row * heads + head) * dim;
      float largest = -std::numeric_limits<float>::infinity();
      for (std::int64_t key = 0; key < seen; ++key) {
        const float* other = k.f32() + (key * kv_heads + kv_head) * dim;
        float product = 0.0F;
        for (std::int64_t i = 0; i < dim; ++i) product += query[i] * other[i];
        weights[static_cast<std::size_t>(key)] = product * scale;
        largest = std::max(largest, product * scale);
      }
      float total = 0.0F;
      std::fill(to, to + dim, 0.0F);
      for (std::int64_t key = 0; key < seen; ++key) {
        const float weight = std::exp(weights[static_cast<std::size_t>(key)] - largest);
        const float* value = v.f32() + (key * kv_heads + kv_head) * dim;
        total += weight;
        for (std::int64_t i = 0; i < dim; ++i) to[i] += weight * value[i];
      }
      for (std::int64_t i = 0; i < dim; ++i) to[i] = seen == 0 ? 0.0F : to[i] / total;
    }
  }
}

}  // namespace

void add_reference_attention(Kernels& table) { table.attention = attention; }

}  // namespace fabula
