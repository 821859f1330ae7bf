// linear_i8 and gather_rows_i8, as `reference` defines them: exact sums of integers.
#include "kernels/families.h"
#include "kernels/quant.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/activation.h"

namespace fabula {
namespace {

// Quantises row (k) and returns its scale; NaN for a row that is not finite.
float narrow(const float* row, std::int64_t k, std::int16_t* numbers) {
  float largest = 0.0F;
  bool finite = true;
  for (std::int64_t i = 0; i < k; ++i) {
    finite = finite && std::isfinite(row[i]);
    largest = std::max(largest, std::abs(row[i]));
  }
  const float inverse = finite && largest > 0.0F ? std::min(most_of_x / largest, std::numeric_limits<float>::max()) : 0.0F;
  for (std::int64_t i = 0; i < k; ++i) numbers[i] = static_cast<std::int16_t>(finite ? std::lrintf(row[i] * inverse) : 0);
  return finite ? largest / most_of_x : std::nanf("");
}

void linear_i8(const Exec&, Tensor x, Tensor weight, Tensor scale, Tensor bias, Activation activation, Tensor scratch, Tensor out) {
  const std::int64_t rows = x.rows(), k = x.width(), n = out.width();
  const NarrowedRows narrowed = narrowed_rows(scratch, rows);
  for (std::int64_t row = 0; row < rows; ++row) {
    std::int16_t* numbers = narrowed.numbers + row * k;
    narrowed.scale[row] = narrow(x.f32() + row * k, k, numbers);
    for (std::int64_t column = 0; column < n; ++column) {
      const std::int8_t* w = weight.as<std::int8_t>() + column * k;
      std::int64_t sum = 0;
      for (std::int64_t i = 0; i < k; ++i) sum += std::int64_t{numbers[i]} * w[i];
      const float product = static_cast<float>(sum) * (narrowed.scale[row] * scale.f32()[column]);
      out.f32()[row * n + column] = activated(activation, bias.absent() ? product : product + bias.f32()[column]);
    }
  }
}

void gather_rows_i8(const Exec&, Tensor table, Tensor scale, Tensor index, Tensor out) {
  const std::int64_t width = table.width();
  for (std::int64_t row = 0; row < index.elements(); ++row) {
    const std::int32_t from = index.as<std::int32_t>()[row];
    for (std::int64_t i = 0; i < width; ++i)
      out.f32()[row * width + i] = scale.f32()[from] * static_cast<float>(table.as<std::int8_t>()[from * width + i]);
  }
}

}  // namespace

void add_reference_quant(Kernels& table) {
  table.linear_i8 = linear_i8;
  table.gather_rows_i8 = gather_rows_i8;
}

}  // namespace fabula
