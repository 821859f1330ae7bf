// How far 16-bit and 8-bit weights move a language model from float32, on the models of the goldens.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <tuple>

#include "engine/weights/safetensors.h"
#include "planner/lm/qwen3.h"
#include "tests/support/random.h"

namespace fabula {
namespace {

const std::filesystem::path goldens = std::string(FABULA_SOURCE_DIR) + "/tests/goldens";

struct Outcome {
  std::vector<float> logits;
  std::int64_t vocabulary = 0;

  std::size_t best(std::size_t row) const {
    const auto from = logits.begin() + static_cast<std::ptrdiff_t>(row) * vocabulary;
    return static_cast<std::size_t>(std::max_element(from, from + vocabulary) - from);
  }
};

Outcome run(const std::string& folder, Precision precision, const std::vector<std::int32_t>& tokens) {
  Weights weights = Weights::open(goldens / folder, precision);
  const Qwen3 model = load_qwen3(Qwen3Config::open(goldens / folder / "config.json"), weights);
  Arena arena(std::size_t{1} << 24);
  ThreadPool pool(2);
  Context ctx{cpu_kernels(), arena, {.pool = &pool}};
  KvPool pages(model.config);
  KvCache cache(pages);
  const Tensor logits = forward(ctx, model, cache, {.tokens = tokens}, Logits::all);
  return {{logits.f32(), logits.f32() + logits.elements()}, model.config.vocabulary};
}

std::vector<std::int32_t> tokens_of(const std::string& folder) {
  const Safetensors one =
      Safetensors::open(goldens / folder / (folder == "qwen3_vl" ? "case_text_only.safetensors" : "case_prefill_and_greedy.safetensors"));
  const Tensor ids = one.at("in.input_ids");
  std::vector<std::int32_t> tokens;
  for (std::int64_t i = 0; i < ids.elements(); ++i) {
    std::int64_t id = 0;
    std::memcpy(&id, ids.as<const char>() + i * 8, 8);
    tokens.push_back(static_cast<std::int32_t>(id));
  }
  return tokens;
}

/// The RMS error of the logits relative to their RMS, and the share of tokens after which the likeliest next token differs from float32's.
/// A bf16 number has 8 significant bits and is off by up to 2^-8; an 8-bit one by 1/254 of the largest in its row, about three standard
/// deviations here. That is 0.2 % and 1 % per weight in the mean, and about three times as much after all layers. These models are random,
/// so their likeliest tokens are nearly tied: qwen2's differ after 5 of 40 tokens in int8, the others' after 2 at most. Their states have
/// no outliers; for those of trained models see Bf16 below.
struct Bound {
  Precision precision;
  double error, changed;
};
constexpr Bound bounds[] = {{Precision::bf16, 0.02, 0.05}, {Precision::int8, 0.04, 0.13}};

class Precisions : public testing::TestWithParam<std::tuple<const char*, Bound>> {};

TEST_P(Precisions, StayNearFloat32) {
  const auto& [folder, bound] = GetParam();
  const std::vector<std::int32_t> tokens = tokens_of(folder);
  const Outcome exact = run(folder, Precision::fp32, tokens), found = run(folder, bound.precision, tokens);
  double error = 0.0, magnitude = 0.0;
  for (std::size_t i = 0; i < exact.logits.size(); ++i) {
    error += std::pow(found.logits[i] - exact.logits[i], 2.0);
    magnitude += std::pow(exact.logits[i], 2.0);
  }
  std::size_t changed = 0;
  for (std::size_t row = 0; row < tokens.size(); ++row) changed += exact.best(row) == found.best(row) ? 0 : 1;
  const double share = std::sqrt(error / magnitude), turned = static_cast<double>(changed) / static_cast<double>(tokens.size());
  std::printf("%s: logits off by %.4f of their size, another likeliest token after %zu of %zu\n", folder, share, changed, tokens.size());
  EXPECT_GT(share, 1e-5) << "nothing was rounded";
  EXPECT_LE(share, bound.error);
  EXPECT_LE(turned, bound.changed);
}

INSTANTIATE_TEST_SUITE_P(Qwen3, Precisions,
                         testing::Combine(testing::Values("qwen3", "qwen3_moe", "qwen3_moe_mixed", "qwen3_vl", "qwen2", "smollm2",
                                                          "llama3"),
                                          testing::ValuesIn(bounds)),
                         [](const auto& tested) {
                           return std::string(std::get<0>(tested.param)) +
                                  (std::get<1>(tested.param).precision == Precision::int8 ? "_int8" : "_bf16");
                         });

// Trained models have weights and, in a few channels, states that are hundreds of times as large as the others (Sun et al. 2024, "Massive
// Activations in Large Language Models"). An error of one large product may exceed all the rest of a sum in which large products cancel, so
// no share of the result bounds it. This does, whatever the numbers: rounding to 8 significant bits is off by 2^-8 of a number at most, and
// both a weight and a state are rounded; so a sum is off by (1 + 2^-8)^2 - 1 of the sum of its products' magnitudes. float32's own sums add
// 2^-24 for each addition.
TEST(Bf16, IsOffByTheRoundingOfEachProductHoweverLargeSomeAre) {
  test::Random random(test::seed());
  constexpr double roundings = (1.0 + 0x1p-8) * (1.0 + 0x1p-8) - 1.0;
  double tightest = 0.0, largest_share = 0.0;
  for (int i = 0; i < 24; ++i) {
    const std::int64_t width = i % 2 == 0 ? 64 : 576, outputs = 33, rows = 1 + i % 5;
    std::vector<float> w = random.normals(outputs * width), x = random.normals(rows * width);
    for (float& weight : w) weight *= random.below(100) == 0 ? 10.0F : 0.05F;
    for (std::int64_t outlier = i % 4; outlier > 0; --outlier) {
      const std::int64_t channel = random.below(width);
      for (std::int64_t row = 0; row < rows; ++row) x[static_cast<std::size_t>(row * width + channel)] *= 1000.0F;
    }
    std::vector<float> stored = w;  // its pages are let go once they are converted
    StoredModel model{.path = "random", .weights = {}, .memory = nullptr};
    model.weights["w.weight"] = {.tensor = {.data = stored.data(), .shape = {outputs, width}}};
    Weights weights = Weights::open(model, Precision::bf16);
    Arena arena(std::size_t{1} << 22);
    Context ctx{cpu_kernels(), arena, {}};
    const Tensor y = linear(ctx, constant(ctx, x, {rows, width}), weights.take_linear("w", width, outputs, false));
    double error = 0.0, size = 0.0;
    for (std::int64_t at = 0; at < rows * outputs; ++at) {
      double sum = 0.0, magnitudes = 0.0;
      for (std::int64_t k = 0; k < width; ++k) {
        const double product = static_cast<double>(w[static_cast<std::size_t>(at % outputs * width + k)]) *
                               x[static_cast<std::size_t>(at / outputs * width + k)];
        sum += product, magnitudes += std::abs(product);
      }
      const double off = std::abs(y.f32()[at] - sum), bound = (roundings + static_cast<double>(width) * 0x1p-24) * magnitudes;
      ASSERT_LE(off, bound) << "case " << i << ", output " << at;
      tightest = std::max(tightest, off / bound);
      error += off * off, size += sum * sum;
    }
    largest_share = std::max(largest_share, std::sqrt(error / size));
  }
  std::printf("bf16 sums with outliers: at most %.2f of the bound; %.4f of their size\n", tightest, largest_share);
  EXPECT_GT(tightest, 0.3) << "the bound says little";
}

// A row of a product is the same bytes whichever rows accompany it: integer products are exact.
TEST(WholeNumbers, GiveARowTheSameBytesAloneAndAmongOthers) {
  const std::vector<std::int32_t> tokens = tokens_of("qwen3");
  Weights weights = Weights::open(goldens / "qwen3", Precision::int8);
  const Qwen3 model = load_qwen3(Qwen3Config::open(goldens / "qwen3/config.json"), weights);
  Arena arena(std::size_t{1} << 24);
  Context ctx{cpu_kernels(), arena, {}};
  const Tensor rows = gather_rows(ctx, model.embedding, indices(ctx, tokens)), together = linear(ctx, rows, model.layers.at(arena, 0).q);
  for (std::int64_t row = 0; row < rows.rows(); ++row) {
    const Tensor alone = linear(ctx, rows.slice(row, 1), model.layers.at(arena, 0).q);
    ASSERT_EQ(0, std::memcmp(alone.data, together.slice(row, 1).data, alone.bytes())) << row;
  }
}

}  // namespace
}  // namespace fabula
