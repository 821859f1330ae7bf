// Every entry of the CUDA table, run by the emulated device, equals `reference` on the cases that `cpu` passes, and touches its operands
// alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "kernels/bf16.h"
#include "kernels/cuda_tables.h"
#include "tests/cuda_emulation/emulation.h"
#include "tests/kernels/parity.h"

namespace fabula::test {
namespace {

/// Lets kernels touch the tensor.
const void* lend(Tensor tensor) {
  cuda_emulation::give(tensor.data, tensor.bytes(), std::min<std::size_t>(4, size_of(tensor.dtype)));
  return tensor.data;
}

std::vector<float> emulated_output_of(const Case& c, bool rows_alone) {
  std::vector<const void*> given;
  Operands operands(seed(), /*pinned=*/false, [&](Tensor tensor) { given.push_back(lend(tensor)); });
  const Tensor out = c.run(*cuda_table(), {.rows_alone = rows_alone}, operands);
  for (const void* memory : given) cuda_emulation::take_back(memory);
  EXPECT_TRUE(operands.fences_stand()) << "cuda wrote behind an operand";
  return {out.f32(), out.f32() + out.elements()};
}

const char* const large[] = {"130x257x1030", "200x1100x1x1x32", "40x3x70x16x2x1x64", "450x96x96", "2x70001"};

/// Not cases of some ten million accesses, which take the emulation seconds. Smaller cases reach the same tails.
bool small(const Case& c) {
  return std::none_of(std::begin(large), std::end(large), [&](const char* size) { return c.name.find(size) != std::string::npos; });
}

std::vector<Case> small_cases() {
  std::vector<Case> cases = all_cases();
  std::erase_if(cases, [](const Case& c) { return !small(c); });
  return cases;
}

class EmulatedParity : public testing::TestWithParam<Case> {};

TEST_P(EmulatedParity, CudaEqualsReference) {
  const Case& c = GetParam();
  const std::vector<float> expected = output_of(c, reference_kernels(), {});
  for (const bool rows_alone : {false, true}) {  // true: products by our own kernel, else by cuBLASLt
    if (!rows_alone && std::strcmp(c.entry, "linear") != 0) continue;
    const std::vector<float> found = emulated_output_of(c, rows_alone);
    ASSERT_EQ(expected.size(), found.size());
    EXPECT_LE(difference(expected, found), tolerance_of(c.entry));
  }
}

// Operands that are bf16 numbers already: what is left is the rounding of softmax's weights (2⁻⁹ of each) over values up to 3.
TEST(EmulatedBf16Attention, EqualsReferenceOnBf16Operands) {
  for (const std::int64_t dim : {20, 64, 128}) {
    for (const bool causal : {false, true}) {
      std::vector<const void*> given;
      Operands make(seed(), /*pinned=*/false, [&](Tensor tensor) { given.push_back(lend(tensor)); });
      const Tensor q = make.normal({40, 2, dim}), k = make.normal({70, 1, dim}), v = make.normal({70, 1, dim});
      for (const Tensor tensor : {q, k, v}) {
        for (std::int64_t i = 0; i < tensor.elements(); ++i) tensor.f32()[i] = from_bf16(to_bf16(tensor.f32()[i]));
      }
      const Tensor expected = make.output(q.shape), found = make.output(q.shape);
      reference_kernels().attention({}, q, k, v, causal, {}, expected);
      cuda_bf16_table()->attention({}, q, k, v, causal, {}, found);
      const auto values = [](Tensor t) { return std::vector<float>(t.f32(), t.f32() + t.elements()); };
      EXPECT_LE(difference(values(expected), values(found)), 4e-3F) << dim;
      EXPECT_NE(values(expected), values(found)) << "the products were not rounded";
      for (const void* memory : given) cuda_emulation::take_back(memory);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, EmulatedParity, testing::ValuesIn(small_cases()),
                         [](const auto& c) { return std::string(c.param.entry) + "_" + c.param.name; });

}  // namespace
}  // namespace fabula::test
