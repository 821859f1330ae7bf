// Norms in vector loops: statistics in f32 lanes, summed in f64 where a row is long.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/norm_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>

#include "kernels/families.h"
#include "kernels/pieces.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fabula {
namespace HWY_NAMESPACE {

double sum(const float* x, std::int64_t count) {
  return sum_over(x, count, [](Vec v) { return v; });
}

void rms_norm_rows(const float* x, std::int64_t rows, std::int64_t width, const float* weight, float eps, float* out) {
  for (std::int64_t row = 0; row < rows; ++row, x += width, out += width) {
    const auto factor = wide(inverse_root(squared_distance(x, width, 0.0F), width, eps));
    if (weight == nullptr) {
      map(x, width, out, [&](auto v) { return hn::Mul(v, factor); });
    } else {
      map(x, weight, width, out, [&](auto v, auto w) { return hn::Mul(hn::Mul(v, factor), w); });
    }
  }
}

void layer_norm_rows(const float* x, std::int64_t rows, std::int64_t width, const float* weight, const float* bias, float eps, float* out) {
  for (std::int64_t row = 0; row < rows; ++row, x += width, out += width) {
    const auto mean = static_cast<float>(sum(x, width) / static_cast<double>(width));
    const float factor = inverse_root(squared_distance(x, width, mean), width, eps);
    for (std::int64_t i = 0; i < width; i += lanes()) {
      const std::int64_t left = width - i;
      Vec v = hn::Mul(hn::Sub(load(x + i, left), all(mean)), all(factor));
      if (weight != nullptr) v = hn::Mul(v, load(weight + i, left));
      if (bias != nullptr) v = hn::Add(v, load(bias + i, left));
      store(v, out + i, left);
    }
  }
}

void rms_norm_modulate_rows(const float* x, std::int64_t rows, std::int64_t width, const float* weight, float eps, const float* scale,
                            const float* shift, std::int64_t stride, const std::int32_t* index, float* out) {
  for (std::int64_t row = 0; row < rows; ++row, x += width, out += width) {
    const float* row_scale = scale + index[row] * stride;
    const float* row_shift = shift + index[row] * stride;
    const Vec factor = all(inverse_root(squared_distance(x, width, 0.0F), width, eps));
    for (std::int64_t i = 0; i < width; i += lanes()) {
      const std::int64_t left = width - i;
      Vec v = hn::Mul(load(x + i, left), factor);
      if (weight != nullptr) v = hn::Mul(v, load(weight + i, left));
      v = hn::MulAdd(v, hn::Add(all(1.0F), load(row_scale + i, left)), load(row_shift + i, left));
      store(v, out + i, left);
    }
  }
}

/// One group of one frame: `members` planes of `plane` floats, `step` apart in x and out.
void group_norm_group(const float* x, std::int64_t members, std::int64_t plane, std::int64_t step, const float* weight, const float* bias,
                      float eps, Activation activation, float* out) {
  double total = 0.0, distance = 0.0;
  for (std::int64_t member = 0; member < members; ++member) total += sum(x + member * step, plane);
  const auto mean = static_cast<float>(total / static_cast<double>(members * plane));
  for (std::int64_t member = 0; member < members; ++member) distance += squared_distance(x + member * step, plane, mean);
  const float factor = inverse_root(distance, members * plane, eps);
  with_activation(activation, [&](auto tag) {
    for (std::int64_t member = 0; member < members; ++member) {
      const auto scale = wide(weight == nullptr ? 1.0F : weight[member]), shift = wide(bias == nullptr ? 0.0F : bias[member]);
      map(x + member * step, plane, out + member * step, [&](auto v) {
        const auto normed = hn::Mul(hn::Sub(v, wide(mean)), wide(factor));
        return activated<decltype(tag)::value>(hn::MulAdd(normed, scale, shift));
      });
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace fabula
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fabula {
namespace {

HWY_EXPORT(rms_norm_rows);
HWY_EXPORT(layer_norm_rows);
HWY_EXPORT(rms_norm_modulate_rows);
HWY_EXPORT(group_norm_group);

void rms_norm(const Exec& exec, Tensor x, Tensor weight, float eps, Tensor out) {
  const std::int64_t width = x.width();
  in_pieces(exec, x.rows(), rows_in_a_piece(width), [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(rms_norm_rows)(x.f32() + begin * width, end - begin, width, weight.f32(), eps, out.f32() + begin * width);
  });
}

void layer_norm(const Exec& exec, Tensor x, Tensor weight, Tensor bias, float eps, Tensor out) {
  const std::int64_t width = x.width();
  in_pieces(exec, x.rows(), rows_in_a_piece(width), [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(layer_norm_rows)
    (x.f32() + begin * width, end - begin, width, weight.f32(), bias.f32(), eps, out.f32() + begin * width);
  });
}

void rms_norm_modulate(const Exec& exec, Tensor x, Tensor weight, float eps, const float* scale, const float* shift, std::int64_t stride,
                       Tensor index, Tensor out) {
  const std::int64_t width = x.width();
  in_pieces(exec, x.rows(), rows_in_a_piece(width), [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(rms_norm_modulate_rows)
    (x.f32() + begin * width, end - begin, width, weight.f32(), eps, scale, shift, stride, index.as<std::int32_t>() + begin,
     out.f32() + begin * width);
  });
}

void group_norm(const Exec& exec, Tensor x, Tensor weight, Tensor bias, std::int64_t groups, float eps, Activation activation, Tensor out) {
  const std::int64_t frames = x.shape[1], plane = x.shape[2] * x.shape[3], members = x.shape[0] / groups;
  in_pieces(exec, groups * frames, rows_in_a_piece(members * plane), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t i = begin; i < end; ++i) {
      const std::int64_t channel = i / frames * members, at = (channel * frames + i % frames) * plane;
      HWY_DYNAMIC_DISPATCH(group_norm_group)
      (x.f32() + at, members, plane, frames * plane, weight.absent() ? nullptr : weight.f32() + channel,
       bias.absent() ? nullptr : bias.f32() + channel, eps, activation, out.f32() + at);
    }
  });
}

}  // namespace

void add_cpu_norm(Kernels& table) {
  table.rms_norm = rms_norm;
  table.layer_norm = layer_norm;
  table.rms_norm_modulate = rms_norm_modulate;
  table.group_norm = group_norm;
}

}  // namespace fabula
#endif  // HWY_ONCE
