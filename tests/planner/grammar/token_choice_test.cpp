// The choice of a token: filters equal transformers' (tools/goldens/dump_sampling.py), draws follow the probabilities and are repeatable.
#include "planner/grammar/token_choice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "tests/support/random.h"

namespace fabula {
namespace {

using nlohmann::json;

TokenMask mask_of(const std::vector<std::int32_t>& tokens, std::size_t vocabulary) {
  TokenMask mask(static_cast<std::int32_t>(vocabulary));
  for (const std::int32_t token : tokens) mask.add(token);
  return mask;
}

TEST(TokenSampler, KeepsWhatTransformersKeeps) {
  std::ifstream in(std::string(FABULA_SOURCE_DIR) + "/tests/goldens/sampling/filters.json");
  const json golden = json::parse(in);
  const auto logits = golden["logits"].get<std::vector<float>>();
  ASSERT_GE(golden["cases"].size(), 90U);
  for (const json& wanted : golden["cases"]) {
    const Sampling sampling{wanted["temperature"], wanted["top_p"], wanted["min_p"], 0};
    std::vector<Candidate> kept = candidates(logits, mask_of(wanted["allowed"], logits.size()), sampling);
    std::sort(kept.begin(), kept.end(), [](const Candidate& a, const Candidate& b) { return a.token < b.token; });
    double total = 0.0;
    std::vector<std::int32_t> tokens;
    for (const Candidate& candidate : kept) {
      tokens.push_back(candidate.token);
      total += candidate.weight;
    }
    ASSERT_EQ(tokens, wanted["tokens"].get<std::vector<std::int32_t>>())
        << wanted["temperature"] << " " << wanted["top_p"] << " " << wanted["min_p"];
    for (std::size_t i = 0; i < kept.size(); ++i) EXPECT_NEAR(kept[i].weight / total, wanted["probabilities"][i].get<double>(), 1e-6);
  }
}

TEST(TokenSampler, TakesTheLikeliestByDefaultAndTheLowestOfEquals) {
  const std::vector<float> logits = {1.0F, 5.0F, 3.0F, 3.0F, 2.0F};
  EXPECT_EQ(TokenSampler({}).pick(logits, mask_of({0, 2, 3, 4}, 5)), 2);
  EXPECT_EQ(TokenSampler({.temperature = 1.0, .top_p = 1e-9}).pick(logits, mask_of({0, 2, 3, 4}, 5)), 2);
  EXPECT_EQ(TokenSampler({.temperature = 1e-9}).pick(logits, mask_of({0, 1, 4}, 5)), 1);
}

TEST(TokenSampler, DrawsByProbabilityAndTheSameAgainFromTheSameSeed) {
  const std::vector<float> logits = {0.0F, 1.0F, 2.0F, 9.0F, -1.0F};
  const TokenMask allowed = mask_of({0, 1, 2, 4}, 5);
  const std::uint64_t seed = test::seed();
  for (const double top_p : {1.0, 0.999999}) {  // sorted in two different orders
    TokenSampler sampler({.temperature = 2.0, .top_p = top_p, .seed = seed}), again({.temperature = 2.0, .top_p = top_p, .seed = seed});
    std::map<std::int32_t, double> drawn;
    constexpr int draws = 40'000;
    for (int i = 0; i < draws; ++i) {
      const std::int32_t token = sampler.pick(logits, allowed);
      ASSERT_EQ(again.pick(logits, allowed), token);
      drawn[token] += 1.0 / draws;
    }
    const double total = std::exp(0.0) + std::exp(0.5) + std::exp(1.0) + std::exp(-0.5);
    for (const std::int32_t token : {0, 1, 2, 4})
      EXPECT_NEAR(drawn[token], std::exp(logits[static_cast<std::size_t>(token)] / 2.0) / total, 0.015);
    EXPECT_EQ(drawn.size(), 4U);
  }
}

TEST(TokenSampler, RefusesWhatIsNoProbability) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  for (const Sampling& wrong :
       {Sampling{.temperature = nan}, Sampling{.temperature = -1.0}, Sampling{.top_p = 1.5}, Sampling{.min_p = nan}})
    EXPECT_THROW((void)TokenSampler(wrong), Error);
}

TEST(TokenSampler, RefusesLogitsThatAreNoNumbers) {
  const std::vector<float> logits = {1.0F, std::numeric_limits<float>::quiet_NaN()};
  EXPECT_THROW((void)candidates(logits, mask_of({0, 1}, 2), {.temperature = 1.0}), Error);
}

}  // namespace
}  // namespace fabula
