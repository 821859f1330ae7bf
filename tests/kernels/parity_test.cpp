// Every entry of every table equals `reference` and writes all of its output and nothing else; on the CPU 1, 2 and 3 threads give the
// same bytes.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <set>

#include "tests/kernels/cases.h"

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
    {"linear", 2e-6F, "oneDNN sums up to 257 products in another order and with fma; an activation adds one rounding"},
    {"linear_i8", 5e-7F, "the sums are the same whole numbers; an activation's exponential adds one rounding"},
    {"gather_rows_i8", 0.0F, "one product"},
    {"rms_norm", 5e-7F, "statistics in f32 lanes instead of f64: two roundings"},
    {"layer_norm", 2e-6F, "the mean is rounded to f32 before it is subtracted; inputs lie three deviations from zero"},
    {"rms_norm_modulate", 1e-6F, "as rms_norm, and fma in the modulation"},
    {"group_norm", 3e-6F, "as layer_norm, then an activation"},
    {"attention", 5e-6F, "softmax in blocks: the exponential's 1e-7 and sums of up to 1100 weights in another order; logits reach 10"},
    {"paged_attention", 5e-6F, "as attention"},
    {"rope", 3e-7F, "fma instead of two roundings"},
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
};

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

/// In the measure of the tolerances; infinite where either is not a number.
float difference(const std::vector<float>& expected, const std::vector<float>& found) {
  float largest = 0.0F, magnitude = 1.0F;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (!std::isfinite(expected[i]) || !std::isfinite(found[i])) return std::numeric_limits<float>::infinity();
    largest = std::max(largest, std::abs(expected[i] - found[i]));
    magnitude = std::max(magnitude, std::abs(expected[i]));
  }
  return largest / magnitude;
}

std::vector<float> output_on_cuda(const Case& c, const Stream& stream) {
  Operands operands(seed(), /*pinned=*/true);
  const Tensor out = c.run(*cuda_kernels(), {.stream = stream.handle()}, operands);
  stream.wait();
  EXPECT_TRUE(operands.fences_stand()) << "cuda wrote behind an operand";
  return {out.f32(), out.f32() + out.elements()};
}

class Parity : public testing::TestWithParam<Case> {};

TEST_P(Parity, CpuEqualsReference) {
  const Case& c = GetParam();
  const std::vector<float> expected = output_of(c, reference_kernels(), {});
  for (const bool rows_alone : {false, true}) {
    const std::vector<float> found = output_of(c, cpu_kernels(), {.rows_alone = rows_alone});
    ASSERT_EQ(expected.size(), found.size());
    EXPECT_LE(difference(expected, found), tolerance_of(c.entry));
  }
}

TEST_P(Parity, OneTwoAndThreeThreadsGiveTheSameBytes) {
  const Case& c = GetParam();
  const std::vector<float> alone = output_of(c, cpu_kernels(), {});
  for (const int threads : {1, 2, 3}) {
    ThreadPool pool(threads);
    const std::vector<float> found = output_of(c, cpu_kernels(), {.pool = &pool});
    ASSERT_EQ(alone.size(), found.size());
    EXPECT_EQ(0, std::memcmp(alone.data(), found.data(), alone.size() * sizeof(float))) << threads << " threads";
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, Parity, testing::ValuesIn(all_cases()),
                         [](const auto& c) { return std::string(c.param.entry) + "_" + c.param.name; });

TEST(RowsAlone, AreTheSameBytesHoweverManyAreMultiplied) {
  struct Size {
    std::int64_t rows, k, n;
  };
  for (const Size s : {Size{7, 31, 65}, {9, 192, 384}, {130, 257, 1030}}) {
    for (const bool bf16 : {false, true}) {
      Operands make(seed());
      const Tensor x = make.normal({s.rows, s.k}), weight = bf16 ? make.normal_bf16({s.n, s.k}, 0.1F) : make.normal({s.n, s.k}, 0.1F),
                   bias = make.normal({s.n});
      const Tensor scratch = make.scratch(std::max<std::size_t>(1, linear_scratch(x, weight))), all = make.output({s.rows, s.n});
      const auto multiply = [&](Tensor rows, Tensor out) {
        cpu_kernels().linear({.rows_alone = true}, rows, weight, bias, Activation::silu, scratch, out);
      };
      multiply(x, all);
      for (const std::int64_t count : {1, 2, 3, 4, 5, 6}) {
        for (std::int64_t begin = 0; begin + count <= s.rows; begin += count) {
          const Tensor some = make.output({count, s.n});
          multiply(x.slice(begin, count), some);
          ASSERT_EQ(0, std::memcmp(some.data, all.slice(begin, count).data, some.bytes()))
              << "rows " << begin << " + " << count << " of " << s.rows;
        }
      }
    }
  }
}

TEST(CudaParity, EqualsReference) {
  if (cuda_kernels() == nullptr) GTEST_SKIP() << "no CUDA device: CUDA parity not checked";
  std::printf("CUDA device: %s\n", cuda_device_text(0).c_str());
  const Stream stream;
  for (const Case& c : all_cases()) {
    const std::vector<float> expected = output_of(c, reference_kernels(), {});
    const std::vector<float> found = output_on_cuda(c, stream);
    ASSERT_EQ(expected.size(), found.size());
    EXPECT_LE(difference(expected, found), tolerance_of(c.entry)) << c.entry << " " << c.name;
  }
}

TEST(Tables, HaveEveryEntry) {
  EXPECT_TRUE(complete(reference_kernels()));
  EXPECT_TRUE(complete(cpu_kernels()));
  EXPECT_TRUE(complete(dry_kernels()));
  if (cuda_table() != nullptr) {
    EXPECT_TRUE(complete(*cuda_table()));  // needs no device
  }

  Kernels broken = cpu_kernels();
  broken.permute = nullptr;
  EXPECT_FALSE(complete(broken));
}

TEST(ParityCases, CoverEveryEntryOfTheTable) {
  std::set<std::string> covered;
  for (const Case& c : all_cases()) covered.insert(c.entry);
  EXPECT_EQ(covered.size(), sizeof(Kernels) / sizeof(void*) - 1) << "an entry has no case";
  EXPECT_EQ(covered.size(), std::size(tolerances));
}

}  // namespace
}  // namespace fabula::test
