// linear, as `reference` defines it: products summed in the order of k.
#include <algorithm>
#include <vector>

#include "kernels/activation.h"
#include "kernels/bf16.h"
#include "kernels/families.h"

namespace fabula {
namespace {

// Sixteen outputs at a time, so that sixteen sums, each in index order, go side by side.
constexpr std::int64_t lanes = 16;

void linear(const Exec&, Tensor x, Tensor weight, Tensor bias, Activation activation, RoundedX /*rounded*/, Tensor out) {
  const std::int64_t rows = x.rows(), k = x.width(), n = out.width();
  const bool narrow = weight.dtype == DType::bf16;
  std::vector<float> panel(static_cast<std::size_t>(k * lanes));  // (k, lanes): some rows of the weight, transposed
  for (std::int64_t first = 0; first < n; first += lanes) {
    const std::int64_t count = std::min(lanes, n - first);
    std::fill(panel.begin(), panel.end(), 0.0F);
    for (std::int64_t lane = 0; lane < count; ++lane) {
      for (std::int64_t i = 0; i < k; ++i) {
        const std::int64_t at = (first + lane) * k + i;
        panel[static_cast<std::size_t>(i * lanes + lane)] = narrow ? from_bf16(weight.as<std::uint16_t>()[at]) : weight.f32()[at];
      }
    }
    for (std::int64_t row = 0; row < rows; ++row) {
      float sum[lanes] = {};
      for (std::int64_t i = 0; i < k; ++i) {
        float value = x.f32()[row * k + i];
        if (narrow) value = from_bf16(to_bf16(value));
        const float* column = panel.data() + i * lanes;
        for (std::int64_t lane = 0; lane < lanes; ++lane) sum[lane] += value * column[lane];
      }
      for (std::int64_t lane = 0; lane < count; ++lane) {
        const float added = bias.absent() ? sum[lane] : sum[lane] + bias.f32()[first + lane];
        out.f32()[row * n + first + lane] = activated(activation, added);
      }
    }
  }
}

}  // namespace

void add_reference_gemm(Kernels& table) { table.linear = linear; }

}  // namespace fabula
