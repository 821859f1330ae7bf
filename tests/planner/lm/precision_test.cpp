// How far 16-bit and 8-bit weights move a language model from float32, on the models of the goldens.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <tuple>

#include "engine/weights/safetensors.h"
#include "planner/lm/qwen3.h"

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
/// A bf16 number is off by up to 2^-9; an 8-bit one by 1/254 of the largest in its row, about three standard deviations here. That is 0.2 %
/// and 1 % per weight, and about three times as much after all layers. These models are random, so their likeliest tokens are nearly tied.
struct Bound {
  Precision precision;
  double error, changed;
};
constexpr Bound bounds[] = {{Precision::bf16, 0.02, 0.05}, {Precision::int8, 0.04, 0.10}};

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
                         testing::Combine(testing::Values("qwen3", "qwen3_moe", "qwen3_moe_mixed", "qwen3_vl"), testing::ValuesIn(bounds)),
                         [](const auto& tested) {
                           return std::string(std::get<0>(tested.param)) +
                                  (std::get<1>(tested.param).precision == Precision::int8 ? "_int8" : "_bf16");
                         });

// A row of a product is the same bytes whichever rows accompany it: integer products are exact.
TEST(WholeNumbers, GiveARowTheSameBytesAloneAndAmongOthers) {
  const std::vector<std::int32_t> tokens = tokens_of("qwen3");
  Weights weights = Weights::open(goldens / "qwen3", Precision::int8);
  const Qwen3 model = load_qwen3(Qwen3Config::open(goldens / "qwen3/config.json"), weights);
  Arena arena(std::size_t{1} << 24);
  Context ctx{cpu_kernels(), arena, {}};
  const Tensor rows = gather_rows(ctx, model.embedding, indices(ctx, tokens)), together = linear(ctx, rows, model.layers[0].q);
  for (std::int64_t row = 0; row < rows.rows(); ++row) {
    const Tensor alone = linear(ctx, rows.slice(row, 1), model.layers[0].q);
    ASSERT_EQ(0, std::memcmp(alone.data, together.slice(row, 1).data, alone.bytes())) << row;
  }
}

}  // namespace
}  // namespace fabula
