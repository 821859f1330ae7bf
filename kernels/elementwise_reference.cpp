// Elementwise entries and moves of rows and axes, as `reference` defines them.
#include <algorithm>
#include <cmath>

#include "kernels/activation.h"
#include "kernels/bf16.h"
#include "kernels/families.h"

namespace fabula {
namespace {

void snake(const Exec&, Tensor x, Tensor alpha, Tensor out) {
  const std::int64_t length = x.shape[1];
  for (std::int64_t channel = 0; channel < x.shape[0]; ++channel) {
    const float frequency = alpha.f32()[channel];
    for (std::int64_t i = channel * length; i < (channel + 1) * length; ++i) {
      const float value = x.f32()[i], wave = std::sin(frequency * value);
      out.f32()[i] = value + wave * wave / (frequency + 1e-9F);
    }
  }
}

void activate(const Exec&, Tensor x, Activation activation, Tensor out) {
  for (std::int64_t i = 0; i < x.elements(); ++i) out.f32()[i] = activated(activation, x.f32()[i]);
}

void axpby(const Exec&, float a, Tensor x, float b, Tensor y, Tensor out) {
  for (std::int64_t i = 0; i < x.elements(); ++i) out.f32()[i] = a * x.f32()[i] + b * y.f32()[i];
}

void blend(const Exec&, float a, Tensor x, float b, Tensor y, Tensor out) {
  for (std::int64_t i = 0; i < x.elements(); ++i) out.f32()[i] = a * x.f32()[i] + b * y.f32()[i];
}

void difference(const Exec&, Tensor x, Tensor y, float divisor, Tensor out) {
  for (std::int64_t i = 0; i < x.elements(); ++i) out.f32()[i] = (x.f32()[i] - y.f32()[i]) / divisor;
}

void clamp(const Exec&, Tensor x, float low, float high, Tensor out) {
  for (std::int64_t i = 0; i < x.elements(); ++i) out.f32()[i] = std::clamp(x.f32()[i], low, high);
}

void gated(const Exec&, const float* gate, const float* up, std::int64_t rows, std::int64_t n, std::int64_t stride, Activation activation,
           Tensor out) {
  for (std::int64_t row = 0; row < rows; ++row) {
    for (std::int64_t i = 0; i < n; ++i) out.f32()[row * n + i] = activated(activation, gate[row * stride + i]) * up[row * stride + i];
  }
}

void gated_add(const Exec&, Tensor x, const float* gate, std::int64_t stride, Tensor index, Tensor into) {
  const std::int64_t width = x.width();
  for (std::int64_t row = 0; row < x.rows(); ++row) {
    const float* factors = index.absent() ? gate : gate + index.as<std::int32_t>()[row] * stride;
    for (std::int64_t i = 0; i < width; ++i) into.f32()[row * width + i] += factors[i] * x.f32()[row * width + i];
  }
}

void gather_rows(const Exec&, Tensor table, Tensor index, Tensor out) {
  const std::int64_t width = table.width();
  for (std::int64_t row = 0; row < index.elements(); ++row) {
    const std::int64_t from = index.as<std::int32_t>()[row] * width;
    for (std::int64_t i = 0; i < width; ++i) {
      out.f32()[row * width + i] = table.dtype == DType::bf16 ? from_bf16(table.as<std::uint16_t>()[from + i]) : table.f32()[from + i];
    }
  }
}

void scatter_rows(const Exec&, Tensor x, Tensor index, Tensor out) {
  const std::int64_t width = x.width();
  for (std::int64_t row = 0; row < index.elements(); ++row) {
    std::copy_n(x.f32() + row * width, width, out.f32() + index.as<std::int32_t>()[row] * width);
  }
}

void permute(const Exec&, Tensor x, const int* order, Tensor out) {
  const int rank = x.shape.rank();
  std::int64_t step[Shape::max_rank] = {};  // in x, of one step along each axis of out
  for (int axis = 0; axis < rank; ++axis) {
    step[axis] = 1;
    for (int inner = order[axis] + 1; inner < rank; ++inner) step[axis] *= x.shape[inner];
  }
  std::int64_t at[Shape::max_rank] = {};
  std::int64_t from = 0;
  for (std::int64_t i = 0; i < out.elements(); ++i) {
    out.f32()[i] = x.f32()[from];
    for (int axis = rank - 1; axis >= 0; --axis) {
      from += step[axis];
      if (++at[axis] < out.shape[axis]) break;
      from -= step[axis] * out.shape[axis];
      at[axis] = 0;
    }
  }
}

void affine_channels(const Exec&, Tensor x, Tensor scale, Tensor shift, Tensor out) {
  const std::int64_t plane = x.elements() / std::max<std::int64_t>(1, x.shape[0]);
  for (std::int64_t channel = 0; channel < x.shape[0]; ++channel) {
    for (std::int64_t i = channel * plane; i < (channel + 1) * plane; ++i) {
      out.f32()[i] = x.f32()[i] * scale.f32()[channel] + shift.f32()[channel];
    }
  }
}

void rgb_bytes(const Exec&, Tensor x, ColourRange range, Tensor out) {
  const std::int64_t picture = x.shape[2] * x.shape[3];
  for (std::int64_t plane = 0; plane < x.shape[0] * 3; ++plane) {
    const float* from = x.f32() + plane * picture;
    std::uint8_t* to = out.as<std::uint8_t>() + plane / 3 * 3 * picture + plane % 3;
    for (std::int64_t i = 0; i < picture; ++i) {
      const float value = from[i] * range.scale[plane % 3] + range.shift[plane % 3];
      to[3 * i] = static_cast<std::uint8_t>(std::lrintf(255.0F * (value >= 0.0F ? std::min(value, 1.0F) : 0.0F)));
    }
  }
}

}  // namespace

void add_reference_elementwise(Kernels& table) {
  table.snake = snake;
  table.activate = activate;
  table.axpby = axpby;
  table.blend = blend;
  table.difference = difference;
  table.clamp = clamp;
  table.gated = gated;
  table.gated_add = gated_add;
  table.gather_rows = gather_rows;
  table.scatter_rows = scatter_rows;
  table.permute = permute;
  table.affine_channels = affine_channels;
  table.rgb_bytes = rgb_bytes;
}

}  // namespace fabula
