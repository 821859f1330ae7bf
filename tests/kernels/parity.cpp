// The tolerances of the kernel tables, each with its reason, and the measure they are in.
#include "tests/kernels/parity.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

namespace fabula::test {
namespace {

/// The largest error that is accepted, as a share of the largest magnitude in the reference's output, or of 1, the scale of the
/// operands, where the output is smaller: a sum that cancels is no more exact than what it was summed from.
struct Tolerance {
  const char* entry;
  float share;
  const char* reason;
};
constexpr Tolerance tolerances[] = {
    {"linear", 2e-6F, "up to 257 products with fma, bf16 in tiles of 32; an activation adds one rounding"},
    {"linear_i8", 5e-7F, "the sums are the same whole numbers; an activation's exponential adds one rounding"},
    {"gather_rows_i8", 0.0F, "one product"},
    {"rms_norm", 5e-7F, "statistics in f32 lanes instead of f64: two roundings"},
    {"layer_norm", 2e-6F, "the mean is rounded to f32 before it is subtracted; inputs lie three deviations from zero"},
    {"rms_norm_modulate", 1e-6F, "as rms_norm, and fma in the modulation"},
    {"group_norm", 3e-6F, "as layer_norm, then an activation"},
    {"attention", 5e-6F, "softmax in blocks: the exponential's 1e-7 and sums of up to 1100 weights in another order; logits reach 10"},
    {"paged_attention", 5e-6F, "as attention"},
    {"rope", 3e-7F, "fma instead of two roundings"},
    {"rms_norm_rope", 1e-6F, "as rms_norm, then rope"},
    {"conv3d", 2e-6F, "up to 1080 products in another order"},
    {"conv1d", 2e-6F, "up to 420 products in another order"},
    {"conv_transpose1d", 2e-6F, "up to 70 products for each tap in another order"},
    {"pad3d", 0.0F, "a copy"},
    {"snake_beta_alias_free", 3e-6F, "another sine (3 ulp) of arguments up to 20, between two filters"},
    {"snake", 2e-6F, "another sine (3 ulp) of arguments up to 50"},
    {"activate", 5e-7F, "another exponential (1 ulp) and erf (2e-7)"},
    {"axpby", 3e-7F, "fma instead of two roundings"},
    {"blend", 0.0F, "every rounding is stated"},
    {"difference", 0.0F, "every rounding is stated"},
    {"clamp", 0.0F, "a choice"},
    {"gated", 1e-6F, "as activate, then a product"},
    {"gated_add", 3e-7F, "fma instead of two roundings"},
    {"gather_rows", 0.0F, "a copy; bf16 widens exactly"},
    {"scatter_rows", 0.0F, "a copy"},
    {"permute", 0.0F, "a copy"},
    {"affine_channels", 3e-7F, "fma instead of two roundings"},
    {"rgb_bytes", 0.0F, "every rounding is stated"},
};

}  // namespace

float tolerance_of(const char* entry) {
  for (const Tolerance& tolerance : tolerances) {
    if (std::strcmp(tolerance.entry, entry) == 0) return tolerance.share;
  }
  ADD_FAILURE() << "no tolerance is stated for " << entry;
  return 0.0F;
}

std::vector<float> output_of(const Case& c, const Kernels& kernels, const Exec& exec) {
  Operands operands(seed());
  const Tensor out = c.run(kernels, exec, operands);
  EXPECT_TRUE(operands.fences_stand()) << kernels.name << " wrote behind an operand";
  return {out.f32(), out.f32() + out.elements()};
}

float difference(const std::vector<float>& expected, const std::vector<float>& found) {
  float largest = 0.0F, magnitude = 1.0F;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!std::isfinite(expected[i]) || !std::isfinite(found[i])) return std::numeric_limits<float>::infinity();
    largest = std::max(largest, std::abs(expected[i] - found[i]));
    magnitude = std::max(magnitude, std::abs(expected[i]));
  }
  return largest / magnitude;
}

}  // namespace fabula::test
