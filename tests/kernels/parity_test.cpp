// Every entry of every table equals `reference` and writes all of its output and nothing else; on the CPU 1, 2 and 3 threads give the
// same bytes.
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "tests/kernels/parity.h"

namespace fabula::test {
namespace {

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
        cpu_kernels().linear({.rows_alone = true}, rows, weight, bias, Activation::silu, {scratch}, out);
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
  for (const std::string& entry : covered) (void)tolerance_of(entry.c_str());  // fails where none is stated
}

}  // namespace
}  // namespace fabula::test
