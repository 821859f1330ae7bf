// Products are added up in the stated order, whatever the processor, the number of rows and the way a product is cut: same bytes as plain
// loops of fused multiply-adds.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/bf16.h"
#include "kernels/instruction_set.h"
#include "kernels/multiply.h"

namespace fabula::test {
namespace {

struct Size {
  std::int64_t m, n, k;
};
// Rows and columns on both sides of what kernels take at once; depths that end within a tile, within a panel and behind one.
const std::vector<Size> sizes = {{1, 1, 1},   {1, 40, 97}, {2, 8, 32},   {3, 33, 31},   {4, 17, 33},  {5, 16, 64},    {6, 32, 2},
                                 {7, 15, 63}, {12, 9, 96}, {13, 70, 35}, {25, 31, 385}, {200, 34, 5}, {193, 48, 800}, {11, 100, 1025}};

std::vector<float> normal(std::int64_t count, unsigned seed) {
  std::mt19937 engine(seed);
  std::normal_distribution<float> draw;
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = draw(engine);
  return values;
}

bool has_fused_products() {
  if (instruction_set() != InstructionSet::baseline) return true;
  std::printf("no fused multiply-add: sums of this processor are rounded otherwise\n");
  return false;
}

class Operands : public testing::TestWithParam<bool> {};

TEST_P(Operands, Float32IsAddedInTheOrderOfK) {
  if (!has_fused_products()) GTEST_SKIP();
  const bool transposed = GetParam();
  for (const Size& s : sizes) {
    const std::vector<float> a = normal(s.m * s.k, 1), b = normal(s.n * s.k, 2), before = normal(s.m * s.n, 3);
    for (const bool add : {false, true}) {
      std::vector<float> expected = before, found = before;
      for (std::int64_t row = 0; row < s.m; ++row) {
        for (std::int64_t column = 0; column < s.n; ++column) {
          float& sum = expected[static_cast<std::size_t>(row * s.n + column)];
          if (!add) sum = 0.0F;
          for (std::int64_t i = 0; i < s.k; ++i) {
            sum = std::fma(a[static_cast<std::size_t>(transposed ? i * s.m + row : row * s.k + i)],
                           b[static_cast<std::size_t>(transposed ? column * s.k + i : i * s.n + column)], sum);
          }
        }
      }
      multiply({a.data(), transposed ? s.m : s.k, transposed}, {b.data(), transposed ? s.k : s.n, transposed}, {found.data(), s.n}, s.m,
               s.n, s.k, add);
      EXPECT_EQ(0, std::memcmp(expected.data(), found.data(), expected.size() * sizeof(float))) << s.m << " x " << s.n << " x " << s.k;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Order, Operands, testing::Bool(), [](const auto& c) { return c.param ? "Transposed" : "AsStored"; });

// Rows of a language model's weight lie as (n, k): a few rows of a go another way than many.
TEST(Order, AFewRowsAreAddedAsManyAre) {
  for (const Size& s : sizes) {
    const std::vector<float> a = normal(s.m * s.k, 4), b = normal(s.n * s.k, 5);
    std::vector<float> all(static_cast<std::size_t>(s.m * s.n)), one(static_cast<std::size_t>(s.n));
    multiply({a.data(), s.k}, {b.data(), s.k, true}, {all.data(), s.n}, s.m, s.n, s.k, false);
    for (std::int64_t row = 0; row < s.m; ++row) {
      multiply({a.data() + row * s.k, s.k}, {b.data(), s.k, true}, {one.data(), s.n}, 1, s.n, s.k, false);
      ASSERT_EQ(0, std::memcmp(one.data(), all.data() + row * s.n, one.size() * sizeof(float))) << s.m << " x " << s.n << " x " << s.k;
    }
  }
}

TEST(Order, Bf16IsAddedAsTilesDo) {
  if (!has_fused_products()) GTEST_SKIP();
  for (const Size& s : sizes) {
    std::vector<float> a = normal(s.m * s.k, 6);
    const std::vector<float> wide = normal(s.n * s.k, 7);
    for (float& value : a) value = from_bf16(to_bf16(value));
    std::vector<std::uint16_t> b;
    for (const float value : wide) b.push_back(to_bf16(value));
    std::vector<float> expected(static_cast<std::size_t>(s.m * s.n)), found(expected.size());
    for (std::int64_t row = 0; row < s.m; ++row) {
      for (std::int64_t column = 0; column < s.n; ++column) {
        float sum = 0.0F;
        for (std::int64_t tile = 0; tile < s.k; tile += 32) {
          float parts[2] = {};
          for (std::int64_t i = tile; i < std::min(s.k, tile + 32); ++i) {
            float& part = parts[i % 2];
            part = std::fma(a[static_cast<std::size_t>(row * s.k + i)], from_bf16(b[static_cast<std::size_t>(column * s.k + i)]), part);
          }
          sum += parts[0] + parts[1];
        }
        expected[static_cast<std::size_t>(row * s.n + column)] = sum;
      }
    }
    multiply_bf16({a.data(), s.k}, {b.data(), s.k, true}, {found.data(), s.n}, s.m, s.n, s.k);
    EXPECT_EQ(0, std::memcmp(expected.data(), found.data(), expected.size() * sizeof(float))) << s.m << " x " << s.n << " x " << s.k;
  }
}

// Attention's products of floats that hold bf16 values go the same way, whichever way their operands lie.
TEST(Order, RoundedFloatsAreAddedAsBf16Is) {
  for (const Size& s : sizes) {
    std::vector<float> a = normal(s.m * s.k, 8), b = normal(s.n * s.k, 9), a_turned(a.size()), b_turned(b.size());
    std::vector<std::uint16_t> narrow;
    for (float& value : a) value = from_bf16(to_bf16(value));
    for (float& value : b) narrow.push_back(to_bf16(value)), value = from_bf16(narrow.back());
    for (std::int64_t k = 0; k < s.k; ++k) {
      for (std::int64_t row = 0; row < s.m; ++row)
        a_turned[static_cast<std::size_t>(k * s.m + row)] = a[static_cast<std::size_t>(row * s.k + k)];
      for (std::int64_t column = 0; column < s.n; ++column)
        b_turned[static_cast<std::size_t>(k * s.n + column)] = b[static_cast<std::size_t>(column * s.k + k)];
    }
    std::vector<float> expected(static_cast<std::size_t>(s.m * s.n)), found(expected.size());
    multiply_bf16({a.data(), s.k}, {narrow.data(), s.k, true}, {expected.data(), s.n}, s.m, s.n, s.k);
    multiply_rounded({a.data(), s.k}, {b.data(), s.k, true}, {found.data(), s.n}, s.m, s.n, s.k, false);
    EXPECT_EQ(0, std::memcmp(expected.data(), found.data(), expected.size() * sizeof(float))) << s.m << " x " << s.n << " x " << s.k;
    found.assign(found.size(), 0.0F);
    multiply_rounded({a_turned.data(), s.m, true}, {b_turned.data(), s.n}, {found.data(), s.n}, s.m, s.n, s.k, true);
    EXPECT_EQ(0, std::memcmp(expected.data(), found.data(), expected.size() * sizeof(float))) << s.m << " x " << s.n << " x " << s.k;
  }
}

TEST(Order, DenormalFactorsOfBf16CountAsZeros) {
  if (!has_fused_products()) GTEST_SKIP();
  const float tiny = 1e-39F;
  const std::uint16_t large = to_bf16(1e30F);
  float found = -1.0F;
  multiply_bf16({&tiny, 1}, {&large, 1, true}, {&found, 1}, 1, 1, 1);
  EXPECT_EQ(0.0F, found);
  volatile float smallest = 1e-38F;
  EXPECT_GT(smallest / 100.0F, 0.0F) << "the processor's mode was not put back";
}

}  // namespace
}  // namespace fabula::test
