// Norms, as `reference` defines them. The statistics are summed in float64: a group of a large picture has more members than float32 can
// count exactly.
#include <cmath>

#include "kernels/activation.h"
#include "kernels/families.h"

namespace fabula {
namespace {

float inverse_rms(const float* x, std::int64_t width, float eps) {
  double squares = 0.0;
  for (std::int64_t i = 0; i < width; ++i) squares += static_cast<double>(x[i]) * x[i];
  return static_cast<float>(1.0 / std::sqrt(squares / static_cast<double>(width) + eps));
}

struct Moments {
  float mean, inverse_deviation;
};

Moments moments(double sum, double squared_distance, double count, float eps) {
  return {static_cast<float>(sum / count), static_cast<float>(1.0 / std::sqrt(squared_distance / count + eps))};
}

void rms_norm(const Exec&, Tensor x, Tensor weight, float eps, Tensor out) {
  const std::int64_t width = x.width();
  for (std::int64_t row = 0; row < x.rows(); ++row) {
    const float* from = x.f32() + row * width;
    float* to = out.f32() + row * width;
    const float factor = inverse_rms(from, width, eps);
    for (std::int64_t i = 0; i < width; ++i) to[i] = from[i] * factor * (weight.absent() ? 1.0F : weight.f32()[i]);
  }
}

void layer_norm(const Exec&, Tensor x, Tensor weight, Tensor bias, float eps, Tensor out) {
  const std::int64_t width = x.width();
  for (std::int64_t row = 0; row < x.rows(); ++row) {
    const float* from = x.f32() + row * width;
    float* to = out.f32() + row * width;
    double sum = 0.0, distance = 0.0;
    for (std::int64_t i = 0; i < width; ++i) sum += from[i];
    const double mean = sum / static_cast<double>(width);
    for (std::int64_t i = 0; i < width; ++i) distance += (from[i] - mean) * (from[i] - mean);
    const Moments m = moments(sum, distance, static_cast<double>(width), eps);
    for (std::int64_t i = 0; i < width; ++i) {
      const float normed = (from[i] - m.mean) * m.inverse_deviation;
      to[i] = normed * (weight.absent() ? 1.0F : weight.f32()[i]) + (bias.absent() ? 0.0F : bias.f32()[i]);
    }
  }
}

void rms_norm_modulate(const Exec&, Tensor x, Tensor weight, float eps, const float* scale, const float* shift, std::int64_t stride,
                       Tensor index, Tensor out) {
  const std::int64_t width = x.width();
  for (std::int64_t row = 0; row < x.rows(); ++row) {
    const float* from = x.f32() + row * width;
    float* to = out.f32() + row * width;
    const std::int64_t table_row = index.as<std::int32_t>()[row] * stride;
    const float factor = inverse_rms(from, width, eps);
    for (std::int64_t i = 0; i < width; ++i) {
      const float normed = from[i] * factor * (weight.absent() ? 1.0F : weight.f32()[i]);
      to[i] = normed * (1.0F + scale[table_row + i]) + shift[table_row + i];
    }
  }
}

void group_norm(const Exec&, Tensor x, Tensor weight, Tensor bias, std::int64_t groups, float eps, Activation activation, Tensor out) {
  const std::int64_t channels = x.shape[0], frames = x.shape[1], plane = x.shape[2] * x.shape[3];
  const std::int64_t members = channels / groups;
  const auto count = static_cast<double>(members * plane);
  for (std::int64_t group = 0; group < groups; ++group) {
    for (std::int64_t frame = 0; frame < frames; ++frame) {
      const auto plane_of = [&](std::int64_t member) { return ((group * members + member) * frames + frame) * plane; };
      double sum = 0.0, distance = 0.0;
      for (std::int64_t member = 0; member < members; ++member) {
        const float* from = x.f32() + plane_of(member);
        for (std::int64_t i = 0; i < plane; ++i) sum += from[i];
      }
      const double mean = sum / count;
      for (std::int64_t member = 0; member < members; ++member) {
        const float* from = x.f32() + plane_of(member);
        for (std::int64_t i = 0; i < plane; ++i) distance += (from[i] - mean) * (from[i] - mean);
      }
      const Moments m = moments(sum, distance, count, eps);
      for (std::int64_t member = 0; member < members; ++member) {
        const std::int64_t channel = group * members + member;
        const float* from = x.f32() + plane_of(member);
        float* to = out.f32() + plane_of(member);
        for (std::int64_t i = 0; i < plane; ++i) {
          const float normed = (from[i] - m.mean) * m.inverse_deviation;
          to[i] = activated(activation,
                            normed * (weight.absent() ? 1.0F : weight.f32()[channel]) + (bias.absent() ? 0.0F : bias.f32()[channel]));
        }
      }
    }
  }
}

}  // namespace

void add_reference_norm(Kernels& table) {
  table.rms_norm = rms_norm;
  table.layer_norm = layer_norm;
  table.rms_norm_modulate = rms_norm_modulate;
  table.group_norm = group_norm;
}

}  // namespace fabula
