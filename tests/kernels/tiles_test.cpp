// AMX's product over emulated tiles: the code that packs and walks them runs on every machine, the instructions on few.
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/attention_tiles.h"
#include "kernels/bf16.h"
#include "kernels/instruction_set.h"
#include "tests/kernels/cases.h"
#include "tests/kernels/parity.h"

namespace fabula::emulated_tiles {

// Eight tiles of 16 rows of 16 words, and the three instructions on them (Intel SDM: TILELOADD, TILESTORED, TDPBF16PS). Normal numbers
// alone.
inline std::uint32_t held[8][16][16];

inline void load(int tile, const void* base, std::int64_t stride) {
  for (int row = 0; row < 16; ++row) std::memcpy(held[tile][row], static_cast<const char*>(base) + row * stride, 64);
}

inline void store(int tile, void* base, std::int64_t stride) {
  for (int row = 0; row < 16; ++row) std::memcpy(static_cast<char*>(base) + row * stride, held[tile][row], 64);
}

inline float low(std::uint32_t word) { return from_bf16(static_cast<std::uint16_t>(word & 0xFFFFU)); }
inline float high(std::uint32_t word) { return from_bf16(static_cast<std::uint16_t>(word >> 16U)); }

inline void products(int sum, int a, int b) {
  for (int row = 0; row < 16; ++row) {
    for (int column = 0; column < 16; ++column) {
      float even = 0.0F, odd = 0.0F;
      for (int pair = 0; pair < 16; ++pair) {
        even = std::fma(low(held[a][row][pair]), low(held[b][pair][column]), even);
        odd = std::fma(high(held[a][row][pair]), high(held[b][pair][column]), odd);
      }
      const float all = std::bit_cast<float>(held[sum][row][column]) + (even + odd);
      held[sum][row][column] = std::bit_cast<std::uint32_t>(all);
    }
  }
}

}  // namespace fabula::emulated_tiles

#define FABULA_TILE_NAMESPACE emulated_tiles
#define FABULA_TILE_TARGET
#define FABULA_TILE_LOAD(t, base, stride) load(t, base, stride)
#define FABULA_TILE_STREAM(t, base, stride) load(t, base, stride)
#define FABULA_TILE_STORE(t, base, stride) store(t, base, stride)
#define FABULA_TILE_ZERO(t) std::memset(held[t], 0, sizeof held[t])
#define FABULA_TILE_PRODUCTS(sum, a, b) products(sum, a, b)
#include "kernels/multiply_tiles-inl.h"

namespace fabula::test {
namespace {

TEST(Tiles, GiveTheBytesOfTheOtherProcessors) {
  if (instruction_set() == InstructionSet::baseline) GTEST_SKIP() << "no fused multiply-add: sums of this processor are rounded otherwise";
  struct Size {
    std::int64_t m, n, k;
  };
  std::mt19937 engine(1);
  std::normal_distribution<float> draw;
  for (const Size& s : {Size{1, 1, 1}, {16, 16, 32}, {32, 32, 64}, {33, 31, 33}, {5, 70, 97}, {200, 40, 530}, {193, 33, 1030}}) {
    const std::int64_t stride = s.n + 3;
    std::vector<float> a, rounded;
    std::vector<std::uint16_t> b;
    for (std::int64_t i = 0; i < s.m * s.k; ++i) a.push_back(draw(engine));
    for (std::int64_t i = 0; i < s.n * s.k; ++i) b.push_back(to_bf16(draw(engine)));
    for (const float value : a) rounded.push_back(from_bf16(to_bf16(value)));
    std::vector<std::uint32_t> tiles(static_cast<std::size_t>(words_in_tiles(s.m, s.k)), ~0U);
    pack_rows({a.data(), s.k}, s.m, s.k, tiles.data());
    std::vector<float> expected(static_cast<std::size_t>(s.m * stride), -1.0F), found = expected;
    multiply_bf16({rounded.data(), s.k}, {b.data(), s.k, true}, {expected.data(), stride}, s.m, s.n, s.k);
    emulated_tiles::multiply_blocks(tiles.data(), {b.data(), s.k, true}, {found.data(), stride}, s.m, s.n, s.k, {});
    EXPECT_EQ(0, std::memcmp(expected.data(), found.data(), expected.size() * sizeof(float))) << s.m << " x " << s.n << " x " << s.k;
    if (!cpu_has_tiles()) continue;
    found.assign(found.size(), -1.0F);
    multiply_by_tiles(tiles.data(), {b.data(), s.k, true}, {found.data(), stride}, s.m, s.n, s.k, {});
    EXPECT_EQ(0, std::memcmp(expected.data(), found.data(), expected.size() * sizeof(float)))
        << "AMX: " << s.m << " x " << s.n << " x " << s.k;
  }
  if (!cpu_has_tiles()) std::printf("no AMX on this processor: its instructions were not run\n");
}

// Bias and activation while a block of sums is in the cache: the bytes of the other processors, which do it behind the product.
TEST(Tiles, FinishSumsAsTheOtherProcessorsDo) {
  if (instruction_set() == InstructionSet::baseline) GTEST_SKIP() << "no fused multiply-add: sums of this processor are rounded otherwise";
  constexpr std::int64_t m = 37, n = 75, k = 600;
  Operands make(3);
  const Tensor x = make.normal({m, k}), weight = make.normal_bf16({n, k}, 0.05F), bias = make.normal({n});
  std::vector<std::uint32_t> tiles(static_cast<std::size_t>(words_in_tiles(m, k)));
  pack_rows({x.f32(), k}, m, k, tiles.data());
  std::vector<float> rounded(static_cast<std::size_t>(m * k));
  round_to_bf16({x.f32(), k}, m, k, {rounded.data(), k});
  for (const Activation activation : {Activation::none, Activation::silu, Activation::gelu_tanh, Activation::gelu_erf}) {
    const Finish finish{bias.f32(), activation};
    const Tensor expected = make.output({m, n}), found = make.output({m, n});
    multiply_bf16({rounded.data(), k}, {weight.as<std::uint16_t>(), k, true}, {expected.f32(), n}, m, n, k);
    finish_rows({expected.f32(), n}, m, n, finish, {expected.f32(), n});
    emulated_tiles::multiply_blocks(tiles.data(), {weight.as<std::uint16_t>(), k, true}, {found.f32(), n}, m, n, k, finish);
    EXPECT_EQ(0, std::memcmp(expected.f32(), found.f32(), expected.bytes())) << static_cast<int>(activation);
  }
}

constexpr TileUnit emulated_unit{[] {}, [] {}, emulated_tiles::multiply_packed};

// Operands that are bf16 numbers already: what is left is the rounding of softmax's weights (2⁻⁹ of each) over values up to 3.
TEST(Bf16Attention, EqualsReferenceOnBf16Operands) {
  for (const std::int64_t dim : {20, 64, 128}) {
    for (const bool causal : {false, true}) {
      Operands make(2);
      const Tensor q = make.normal({40, 2, dim}), k = make.normal({300, 1, dim}), v = make.normal({300, 1, dim});
      for (const Tensor tensor : {q, k, v}) {
        for (std::int64_t i = 0; i < tensor.elements(); ++i) tensor.f32()[i] = from_bf16(to_bf16(tensor.f32()[i]));
      }
      const Tensor expected = make.output(q.shape), found = make.output(q.shape);
      reference_kernels().attention({}, q, k, v, causal, {}, expected);
      cpu_bf16_kernels().attention({}, q, k, v, causal, {}, found);
      const auto values = [](Tensor t) { return std::vector<float>(t.f32(), t.f32() + t.elements()); };
      EXPECT_LE(difference(values(expected), values(found)), 4e-3F) << dim;
      EXPECT_NE(values(expected), values(found)) << "the products were not rounded";
    }
  }
}

// Queries and keys on both sides of a block, grouped heads, channels that end within a tile.
TEST(Tiles, AttendWithTheBytesOfTheOtherProcessors) {
  if (instruction_set() == InstructionSet::baseline) GTEST_SKIP() << "no fused multiply-add: sums of this processor are rounded otherwise";
  struct Size {
    std::int64_t q_rows, k_rows, heads, kv_heads, dim;
  };
  for (const Size& s : {Size{1, 1, 1, 1, 1}, {5, 40, 2, 1, 33}, {195, 290, 2, 1, 64}, {33, 33, 1, 1, 128}, {40, 600, 1, 1, 20}}) {
    for (const bool causal : {false, true}) {
      Operands make(1);
      const Tensor q = make.normal({s.q_rows, s.heads, s.dim}, 2.0F), k = make.normal({s.k_rows, s.kv_heads, s.dim}),
                   v = make.normal({s.k_rows, s.kv_heads, s.dim}), expected = make.output(q.shape), found = make.output(q.shape);
      cpu_bf16_kernels().attention({}, q, k, v, causal, {}, expected);
      const auto words = static_cast<std::size_t>(s.kv_heads * tiled_head_words(s.k_rows, s.dim));
      std::vector<std::uint32_t> scratch(words, ~0U);
      attention_by_tiles({}, q, k, v, causal, {.data = scratch.data(), .shape = {s.kv_heads, 1}}, found, emulated_unit);
      EXPECT_EQ(0, std::memcmp(expected.f32(), found.f32(), expected.bytes()))
          << s.q_rows << " x " << s.k_rows << " x " << s.dim << (causal ? ", causal" : "");
    }
  }
}

}  // namespace
}  // namespace fabula::test
