// The ops: fused equals composed, numbers worked out by hand, memory, and what is refused.
#include "engine/ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "base/error.h"
#include "kernels/bf16.h"
#include "tests/support/random.h"
#include "tests/support/refusal.h"

namespace fabula {
namespace {

using test::Random;

/// A context on one table with its own arena.
struct Bench {
  Arena arena;
  Context ctx;

  explicit Bench(const Kernels& kernels, Arena memory = Arena(std::size_t{1} << 22U)) : arena(std::move(memory)), ctx{kernels, arena, {}} {}

  Tensor normal(Shape shape, Random& random) { return constant(ctx, random.normals(shape.elements()), shape); }
};

const Kernels* const real_tables[] = {&reference_kernels(), &cpu_kernels()};

float largest_difference(Tensor a, Tensor b) {
  EXPECT_EQ(a.shape, b.shape);
  float largest = 0.0F;
  for (std::int64_t i = 0; i < a.elements(); ++i) largest = std::max(largest, std::abs(a.f32()[i] - b.f32()[i]));
  return largest;
}

// ---- fused = composed

TEST(Ops, ModulatedNormEqualsNormThenModulation) {
  for (const Kernels* table : real_tables) {
    Bench bench(*table);
    Random random(test::seed());
    const Tensor x = bench.normal({37, 50}, random), weight = bench.normal({50}, random), modulation = bench.normal({3, 120}, random);
    std::vector<std::int32_t> rows(37);
    for (std::int32_t& row : rows) row = static_cast<std::int32_t>(random.below(3));
    const Tensor index = indices(bench.ctx, rows);
    const ModulationTable scale{modulation, 0}, shift{modulation, 60};

    const Tensor fused = rms_norm_modulate(bench.ctx, x, weight, 1e-5F, scale, shift, index);
    const Tensor normed = rms_norm(bench.ctx, x, weight, 1e-5F);
    const Tensor composed = axpby(bench.ctx, 1.0F, normed, 0.0F, normed);
    gated_add(bench.ctx, normed, scale, index, composed);
    gated_add(bench.ctx, constant(bench.ctx, std::vector<float>(37 * 50, 1.0F), {37, 50}), shift, index, composed);
    EXPECT_LE(largest_difference(fused, composed), 4e-6F) << table->name;
  }
}

TEST(Ops, LinearWithActivationEqualsLinearThenActivation) {
  for (const Kernels* table : real_tables) {
    Bench bench(*table);
    Random random(test::seed());
    const Tensor x = bench.normal({21, 40}, random);
    const Linear layer{bench.normal({33, 40}, random), bench.normal({33}, random)};
    for (const Activation activation : {Activation::silu, Activation::gelu_tanh, Activation::gelu_erf}) {
      const Tensor fused = linear(bench.ctx, x, layer, activation);
      EXPECT_EQ(0.0F, largest_difference(fused, activate(bench.ctx, linear(bench.ctx, x, layer), activation))) << table->name;
    }
  }
}

TEST(Ops, SeveralLayersOfOneInputEqualEachAlone) {
  for (const Kernels* table : real_tables) {
    Bench bench(*table);
    Random random(test::seed());
    const Tensor x = bench.normal({37, 40}, random);
    const auto narrow = [&](std::int64_t rows) {
      const Tensor wide = bench.normal({rows, 40}, random), weight = bench.ctx.arena.take({rows, 40}, DType::bf16);
      for (std::int64_t i = 0; i < wide.elements(); ++i) weight.as<std::uint16_t>()[i] = to_bf16(wide.f32()[i]);
      return Linear{weight};
    };
    const std::array<Linear, 3> layers{narrow(33), Linear{bench.normal({21, 40}, random)}, narrow(64)};
    const std::array<Tensor, 3> together = linear(bench.ctx, x, layers);
    for (std::size_t i = 0; i < layers.size(); ++i)
      EXPECT_EQ(0.0F, largest_difference(together[i], linear(bench.ctx, x, layers[i]))) << table->name << ", layer " << i;
  }
}

TEST(Ops, GroupNormWithActivationEqualsGroupNormThenActivation) {
  for (const Kernels* table : real_tables) {
    Bench bench(*table);
    Random random(test::seed());
    const Tensor x = bench.normal({6, 2, 5, 7}, random), weight = bench.normal({6}, random), bias = bench.normal({6}, random);
    const Tensor fused = group_norm(bench.ctx, x, weight, bias, 3, 1e-6F, Activation::silu);
    EXPECT_EQ(0.0F, largest_difference(fused, activate(bench.ctx, group_norm(bench.ctx, x, weight, bias, 3, 1e-6F), Activation::silu)));
  }
}

TEST(Ops, NormedRopeEqualsNormThenRope) {
  for (const Kernels* table : real_tables) {
    for (const bool gain : {false, true}) {
      Bench bench(*table);
      Random random(test::seed());
      const Tensor x = bench.normal({9, 3, 37}, random), cos = bench.normal({9, 22}, random), sin = bench.normal({9, 22}, random);
      const Tensor weight = gain ? bench.normal({37}, random) : Tensor{}, composed = rms_norm(bench.ctx, x, weight, 1e-6F);
      rope(bench.ctx, composed, cos, sin);
      rms_norm_rope(bench.ctx, x, weight, 1e-6F, cos, sin);
      EXPECT_EQ(0.0F, largest_difference(x, composed)) << table->name;
    }
  }
}

TEST(Ops, PicturesBecomeBytesToTheNearest) {
  for (const Kernels* table : real_tables) {
    Bench bench(*table);
    // Two pixels: red, green, blue one after the other.
    const Tensor x = constant(bench.ctx, std::vector<float>{-1.0F, 0.25F, 0.5F, 2.0F, std::nanf(""), 1.0F}, {1, 3, 1, 2});
    const std::vector<std::uint8_t> bytes = bytes_to_host(bench.ctx, rgb_bytes(bench.ctx, x, {{1.0F, 1.0F, 0.5F}, {0.0F, 0.0F, 0.1F}}));
    EXPECT_EQ(bytes, (std::vector<std::uint8_t>{0, 128, 0, 64, 255, 153})) << table->name;  // 127.5 to even
  }
}

TEST(Ops, GatedHalvesTakesTheHalfItIsTold) {
  for (const Kernels* table : real_tables) {
    Bench bench(*table);
    const Tensor x = constant(bench.ctx, std::vector<float>{1.0F, 2.0F, 3.0F, 4.0F}, {1, 4});
    const Tensor first = gated_halves(bench.ctx, x, Activation::none, GateHalf::first);
    EXPECT_EQ(3.0F, first.f32()[0]);
    const auto silu = [](float v) { return v / (1.0F + std::exp(-v)); };
    EXPECT_NEAR(silu(1.0F) * 3.0F, gated_halves(bench.ctx, x, Activation::silu, GateHalf::first).f32()[0], 1e-6F);
    EXPECT_NEAR(silu(4.0F) * 2.0F, gated_halves(bench.ctx, x, Activation::silu, GateHalf::second).f32()[1], 1e-6F);
  }
}

// ---- the reference itself, on numbers worked out by hand

TEST(Ops, AttentionOfOneQueryToTwoKeysIsTheirWeightedMean) {
  for (const Kernels* table : real_tables) {
    Bench bench(*table);
    const Tensor q = constant(bench.ctx, std::vector<float>{2.0F}, {1, 1, 1});
    const Tensor k = constant(bench.ctx, std::vector<float>{0.0F, std::log(3.0F) / 2.0F}, {2, 1, 1});
    const Tensor v = constant(bench.ctx, std::vector<float>{4.0F, 8.0F}, {2, 1, 1});
    EXPECT_NEAR(7.0F, attention(bench.ctx, q, k, v, false).f32()[0], 1e-5F);
    EXPECT_NEAR(7.0F, attention(bench.ctx, q, k, v, true).f32()[0], 1e-5F) << "the last query sees every key";
  }
}

TEST(Ops, BfloatWeightMeansThatTheInputIsRoundedToo) {
  for (const Kernels* table : real_tables) {
    Bench bench(*table);
    const float x = 1.00390625F;  // 1 + 2^-8, halfway between two bf16: to even, 1
    const Tensor weight = bench.arena.take({1, 1}, DType::bf16);
    *weight.as<std::uint16_t>() = to_bf16(2.0F);
    EXPECT_EQ(2.0F, linear(bench.ctx, constant(bench.ctx, {&x, 1}, {1, 1}), {weight, {}}).f32()[0]) << table->name;
  }
}

TEST(Ops, ConvTranspose1dIsTheAdjointOfConv1d) {
  // <conv(x), y> = <x, conv_transpose(y)> with the same weight.
  for (const Kernels* table : real_tables) {
    Bench bench(*table);
    Random random(test::seed());
    const Conv1dParams p{3, 2, 1};
    const Tensor x = bench.normal({4, 42}, random), weight = bench.normal({5, 4, 7}, random);
    const Tensor forward = conv1d(bench.ctx, x, weight, {}, p), y = bench.normal(forward.shape, random);
    const Tensor back = conv_transpose1d(bench.ctx, y, weight, {}, p);
    double one = 0.0, other = 0.0;
    for (std::int64_t i = 0; i < y.elements(); ++i) one += static_cast<double>(forward.f32()[i]) * y.f32()[i];
    ASSERT_EQ(x.shape, back.shape);
    for (std::int64_t i = 0; i < x.elements(); ++i) other += static_cast<double>(x.f32()[i]) * back.f32()[i];
    EXPECT_NEAR(one, other, 1e-4 * (1.0 + std::abs(one))) << table->name;
  }
}

// ---- between the host and the arena

TEST(Ops, WhatIsFilledComesBackAndTheDryDeviceHoldsNothing) {
  const auto counting = [](std::span<float> values) {
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  };
  Bench real(cpu_kernels());
  EXPECT_EQ(to_host(real.ctx, filled(real.ctx, {2, 2}, counting)), (std::vector<float>{0.0F, 1.0F, 2.0F, 3.0F}));
  Bench dry(dry_kernels(), Arena::dry());
  EXPECT_TRUE(to_host(dry.ctx, filled(dry.ctx, {2, 2}, [](std::span<float>) { FAIL() << "the dry device was written to"; })).empty());
}

// ---- memory

/// A block of a network in miniature: every kind of op, nested scopes.
Tensor composite(Context& ctx, Tensor x, const Linear& wide, const Linear& narrow, Tensor weight) {
  Tensor out = axpby(ctx, 1.0F, x, 0.0F, x);
  {
    const Arena::Scope scope(ctx.arena);
    const Tensor h = rms_norm(ctx, x, weight, 1e-6F);
    const Tensor heads = h.view({x.shape[0], 2, x.width() / 2});
    const Tensor a = attention(ctx, heads, heads, heads, true);
    add_into(ctx, a.view(x.shape), out);
  }
  const Arena::Scope scope(ctx.arena);
  const Tensor hidden = gated_halves(ctx, linear(ctx, out, wide), Activation::silu, GateHalf::second);
  add_into(ctx, linear(ctx, hidden, narrow), out);
  const Tensor swapped = permute(ctx, out, {1, 0});
  copy(ctx,
       conv1d(ctx, swapped,
              constant(ctx, std::vector<float>(static_cast<std::size_t>(x.width() * x.width()), 0.1F), {x.width(), x.width(), 1}), {})
           .view(out.shape),
       out);
  return out;
}

TEST(Ops, DryPeakEqualsRealPeak) {
  std::size_t peaks[3] = {};
  std::size_t* peak = peaks;
  for (const Kernels* table : {&dry_kernels(), &reference_kernels(), &cpu_kernels()}) {
    Bench bench(*table, table == &dry_kernels() ? Arena::dry() : Arena(std::size_t{1} << 20U));
    Random random(test::seed());
    const Tensor x = bench.normal({29, 24}, random), weight = bench.normal({24}, random);
    const Linear wide{bench.normal({96, 24}, random), bench.normal({96}, random)};
    const Linear narrow{bench.arena.take({24, 48}, DType::bf16), {}};  // bf16, so that scratch is counted too
    if (narrow.weight.data != nullptr) std::fill_n(narrow.weight.as<std::uint16_t>(), 24 * 48, std::uint16_t{0});
    const Tensor out = composite(bench.ctx, x, wide, narrow, weight);
    EXPECT_EQ(x.shape, out.shape);
    EXPECT_EQ(out.data == nullptr, bench.arena.is_dry());
    *peak++ = bench.arena.peak();
  }
  EXPECT_EQ(peaks[0], peaks[1]);
  EXPECT_EQ(peaks[0], peaks[2]);

  // The peak is also enough, to the byte.
  Bench exact(cpu_kernels(), Arena(peaks[0]));
  Random random(test::seed());
  const Tensor x = exact.normal({29, 24}, random), weight = exact.normal({24}, random);
  const Linear wide{exact.normal({96, 24}, random), exact.normal({96}, random)};
  const Linear narrow{exact.arena.take({24, 48}, DType::bf16), {}};
  std::fill_n(narrow.weight.as<std::uint16_t>(), 24 * 48, std::uint16_t{0});
  EXPECT_NO_THROW((void)composite(exact.ctx, x, wide, narrow, weight));
}

// ---- what is refused

using test::refusal;

TEST(Ops, EachNamesItselfAndWhatItGotWhenItsOperandsDoNotFit) {
  Bench bench(dry_kernels(), Arena::dry());
  Context& ctx = bench.ctx;
  const Tensor x = ctx.arena.take({4, 6}), cube = ctx.arena.take({4, 2, 3}), volume = ctx.arena.take({2, 3, 4, 5});
  const Tensor wrong = ctx.arena.take({7}), rows = ctx.arena.take({4}, DType::i32), none = {};
  const struct {
    const char* op;
    std::function<void()> call;
  } calls[] = {
      {"linear",
       [&] {
         (void)linear(ctx, x, {ctx.arena.take({5, 7}), none});
       }},
      {"linear",
       [&] {
         (void)linear(ctx, x, {ctx.arena.take({5, 6}), wrong});
       }},
      {"rms_norm", [&] { (void)rms_norm(ctx, x, wrong, 1e-6F); }},
      {"layer_norm", [&] { (void)layer_norm(ctx, x, none, wrong, 1e-6F); }},
      {"rms_norm_modulate",
       [&] {
         (void)rms_norm_modulate(ctx, x, none, 1e-6F, {x, 0}, {x, 1}, rows);  // a column too few
       }},
      {"gated_add",
       [&] {
         gated_add(ctx, x, {x, 0}, none, cube);
       }},
      {"group_norm", [&] { (void)group_norm(ctx, volume, none, none, 3, 1e-6F); }},
      {"attention",
       [&] {
         (void)attention(ctx, cube, ctx.arena.take({3, 2, 3}), ctx.arena.take({3, 2, 3}), true);
       }},
      {"rope",
       [&] {
         rope(ctx, cube, ctx.arena.take({4, 4}), ctx.arena.take({4, 4}));
       }},
      {"rms_norm_rope",
       [&] {
         rms_norm_rope(ctx, cube, wrong, 1e-6F, ctx.arena.take({4, 2}), ctx.arena.take({4, 2}));
       }},
      {"conv3d",
       [&] {
         (void)conv3d(ctx, volume, ctx.arena.take({1, 2, 4, 1, 1}), none);
       }},
      {"conv1d",
       [&] {
         (void)conv1d(ctx, x, ctx.arena.take({1, 4, 7}), none);
       }},
      {"conv_transpose1d",
       [&] {
         (void)conv_transpose1d(ctx, x, ctx.arena.take({4, 1, 2}), none, {1, 4, 1});
       }},
      {"pad3d",
       [&] {
         (void)pad3d(ctx, volume, {0, 0, 4, 0, 0, 0}, Pad::reflect);
       }},
      {"snake", [&] { (void)snake(ctx, x, wrong); }},
      {"snake_beta_alias_free", [&] { (void)snake_beta_alias_free(ctx, x, ctx.arena.take({4}), ctx.arena.take({4}), wrong, wrong); }},
      {"gated_halves", [&] { (void)gated_halves(ctx, cube, Activation::silu, GateHalf::first); }},
      {"gated", [&] { (void)gated(ctx, x, cube, Activation::silu); }},
      {"axpby", [&] { (void)axpby(ctx, 1.0F, x, 1.0F, cube); }},
      {"blend", [&] { blend_into(ctx, 1.0F, x, 1.0F, cube, x); }},
      {"difference", [&] { difference_into(ctx, x, cube, 1.0F, x); }},
      {"clamp", [&] { clamp(ctx, rows, 0.0F, 1.0F); }},
      {"to_host", [&] { (void)to_host(ctx, rows); }},
      {"gather_rows", [&] { (void)gather_rows(ctx, cube, rows); }},
      {"scatter_rows",
       [&] {
         scatter_rows(ctx, x, rows, ctx.arena.take({9, 5}));
       }},
      {"permute",
       [&] {
         (void)permute(ctx, x, {0, 0});
       }},
      {"affine_channels", [&] { (void)affine_channels(ctx, x, wrong, wrong); }},
      {"rgb_bytes",
       [&] {
         (void)rgb_bytes(ctx, cube, {{1.0F, 1.0F, 1.0F}, {0.0F, 0.0F, 0.0F}});
       }},
      {"bytes_to_host", [&] { (void)bytes_to_host(ctx, x); }},
      {"constant", [&] { (void)constant(ctx, std::vector<float>(3), {4}); }},
      {"copy", [&] { copy(ctx, x, wrong); }},
  };
  for (const auto& [op, call] : calls) {
    const std::string text = refusal(call, ExitCode::internal);
    EXPECT_EQ(0U, text.find(std::string(op) + ": expected ")) << op << " said: " << text;
    EXPECT_NE(std::string::npos, text.find("; got ")) << text;
  }
}

TEST(Ops, GatherAndScatterRefuseRowsThatAreNotThere) {
  Bench bench(cpu_kernels());
  Random random(test::seed());
  const Tensor table = bench.normal({3, 4}, random), x = bench.normal({2, 4}, random);
  for (const std::int32_t bad : {-1, 3}) {
    const Tensor index = indices(bench.ctx, std::vector<std::int32_t>{0, bad});
    EXPECT_NE("", refusal([&] { (void)gather_rows(bench.ctx, table, index); }, ExitCode::internal));
    EXPECT_NE("", refusal([&] { scatter_rows(bench.ctx, x, index, table); }, ExitCode::internal));
  }
}

}  // namespace
}  // namespace fabula
