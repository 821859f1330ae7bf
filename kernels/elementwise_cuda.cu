// Elementwise entries: one thread per value.
#include "kernels/cuda_entries.h"
#include "kernels/launch.cuh"

namespace fabula::cuda {

void snake(const Exec& exec, Tensor x, Tensor alpha, Tensor out) {
  const std::int64_t length = x.shape[1];
  for_each(exec, "snake", x.elements(), [=, x = x.f32(), alpha = alpha.f32(), out = out.f32()] __device__(std::int64_t i) {
    const float frequency = alpha[i / length], wave = sinf(frequency * x[i]);
    out[i] = x[i] + wave * wave / (frequency + 1e-9F);
  });
}

void activate(const Exec& exec, Tensor x, Activation activation, Tensor out) {
  for_each(exec, "activate", x.elements(),
           [=, x = x.f32(), out = out.f32()] __device__(std::int64_t i) { out[i] = activated(activation, x[i]); });
}

void axpby(const Exec& exec, float a, Tensor x, float b, Tensor y, Tensor out) {
  for_each(exec, "axpby", x.elements(),
           [=, x = x.f32(), y = y.f32(), out = out.f32()] __device__(std::int64_t i) { out[i] = a * x[i] + b * y[i]; });
}

// The intrinsics round every operation, so that the host's and the device's samplers walk the same path.
void blend(const Exec& exec, float a, Tensor x, float b, Tensor y, Tensor out) {
  for_each(exec, "blend", x.elements(), [=, x = x.f32(), y = y.f32(), out = out.f32()] __device__(std::int64_t i) {
    out[i] = __fadd_rn(__fmul_rn(a, x[i]), __fmul_rn(b, y[i]));
  });
}

void difference(const Exec& exec, Tensor x, Tensor y, float divisor, Tensor out) {
  for_each(exec, "difference", x.elements(), [=, x = x.f32(), y = y.f32(), out = out.f32()] __device__(std::int64_t i) {
    out[i] = __fdiv_rn(__fsub_rn(x[i], y[i]), divisor);
  });
}

void clamp(const Exec& exec, Tensor x, float low, float high, Tensor out) {
  for_each(exec, "clamp", x.elements(), [=, x = x.f32(), out = out.f32()] __device__(std::int64_t i) {
    out[i] = x[i] < low ? low : x[i] > high ? high : x[i];  // a NaN stays
  });
}

void rgb_bytes(const Exec& exec, Tensor x, ColourRange range, Tensor out) {
  const std::int64_t picture = x.shape[2] * x.shape[3];
  for_each(exec, "rgb_bytes", out.elements(), [=, x = x.f32(), out = out.as<std::uint8_t>()] __device__(std::int64_t i) {
    const std::int64_t colour = i % 3, pixel = i / 3;
    const float from = x[(pixel / picture * 3 + colour) * picture + pixel % picture];
    const float value = __fadd_rn(__fmul_rn(from, range.scale[colour]), range.shift[colour]);
    out[i] = static_cast<std::uint8_t>(__float2int_rn(255.0F * (value >= 0.0F ? fminf(value, 1.0F) : 0.0F)));
  });
}

void gated(const Exec& exec, const float* gate, const float* up, std::int64_t rows, std::int64_t n, std::int64_t stride,
           Activation activation, Tensor out) {
  for_each(exec, "gated", rows * n, [=, out = out.f32()] __device__(std::int64_t i) {
    const std::int64_t at = i / n * stride + i % n;
    out[i] = activated(activation, gate[at]) * up[at];
  });
}

void gated_add(const Exec& exec, Tensor x, const float* gate, std::int64_t stride, Tensor index, Tensor into) {
  const std::int64_t width = x.width();
  const auto* rows = index.as<const std::int32_t>();
  for_each(exec, "gated_add", x.elements(), [=, x = x.f32(), into = into.f32()] __device__(std::int64_t i) {
    const std::int64_t row = rows == nullptr ? 0 : rows[i / width];
    into[i] += gate[row * stride + i % width] * x[i];
  });
}

void gather_rows(const Exec& exec, Tensor table, Tensor index, Tensor out) {
  const std::int64_t width = table.width();
  const auto* rows = index.as<const std::int32_t>();
  const auto* narrow = table.dtype == DType::bf16 ? table.as<const std::uint16_t>() : nullptr;
  for_each(exec, "gather_rows", out.elements(), [=, table = table.f32(), out = out.f32()] __device__(std::int64_t i) {
    const std::int64_t from = rows[i / width] * width + i % width;
    out[i] = narrow == nullptr ? table[from] : from_bf16(narrow[from]);
  });
}

// One thread per channel goes through all rows in order: where an index occurs twice, the last row wins.
void scatter_rows(const Exec& exec, Tensor x, Tensor index, Tensor out) {
  const std::int64_t width = x.width(), count = index.elements();
  const auto* rows = index.as<const std::int32_t>();
  for_each(exec, "scatter_rows", width, [=, x = x.f32(), out = out.f32()] __device__(std::int64_t channel) {
    for (std::int64_t i = 0; i < count; ++i) out[rows[i] * width + channel] = x[i * width + channel];
  });
}

namespace {

struct Axes {
  std::int64_t extent[Shape::max_rank], step[Shape::max_rank];  // of out; the step is that in x
  int rank;
};

}  // namespace

void permute(const Exec& exec, Tensor x, const int* order, Tensor out) {
  Axes axes{};
  axes.rank = x.shape.rank();
  for (int axis = 0; axis < axes.rank; ++axis) {
    axes.extent[axis] = out.shape[axis];
    axes.step[axis] = 1;
    for (int inner = order[axis] + 1; inner < axes.rank; ++inner) axes.step[axis] *= x.shape[inner];
  }
  for_each(exec, "permute", out.elements(), [=, x = x.f32(), out = out.f32()] __device__(std::int64_t i) {
    std::int64_t from = 0, rest = i;
    for (int axis = axes.rank - 1; axis >= 0; --axis) {
      from += rest % axes.extent[axis] * axes.step[axis];
      rest /= axes.extent[axis];
    }
    out[i] = x[from];
  });
}

void affine_channels(const Exec& exec, Tensor x, Tensor scale, Tensor shift, Tensor out) {
  if (x.elements() == 0) return;
  const std::int64_t plane = x.elements() / x.shape[0];
  for_each(exec, "affine_channels", x.elements(),
           [=, x = x.f32(), scale = scale.f32(), shift = shift.f32(), out = out.f32()] __device__(std::int64_t i) {
             out[i] = x[i] * scale[i / plane] + shift[i / plane];
           });
}

}  // namespace fabula::cuda
