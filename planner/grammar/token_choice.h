// How a token is chosen among those that the grammar allows.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "planner/grammar/token_trie.h"

namespace fabula {

/// Defaults: the likeliest token.
struct Sampling {
  double temperature = 0.0;  ///< 0: the likeliest; above 1 flatter, below 1 steeper than the model's own probabilities
  double top_p = 1.0;        ///< of the likeliest tokens as many as have this probability together, the last one in full; 1: all
  double min_p = 0.0;        ///< no token that is less likely than this part of the likeliest one's probability; 0: all
  std::uint64_t seed = 0;
};

struct Candidate {
  std::int32_t token;
  double weight;  ///< its probability over the likeliest one's
};

/// The allowed tokens that pass temperature (> 0), top_p and min_p, at least one. As transformers' TemperatureLogitsWarper,
/// TopPLogitsWarper and MinPLogitsWarper in this order after the mask. With top_p by weight, equals by token; otherwise by token. Throws
/// Error(bad_data) where logits are no numbers.
[[nodiscard]] std::vector<Candidate> candidates(std::span<const float> logits, const TokenMask& allowed, const Sampling&);

/// Chooses token by token; the same seed and logits give the same tokens.
class Sampler {
 public:
  /// Throws Error(usage) for what is no temperature (0 … 100) or no probability.
  explicit Sampler(const Sampling& sampling);
  /// Of tokens equally likely at temperature 0 the lowest. `allowed` has one at least.
  [[nodiscard]] std::int32_t pick(std::span<const float> logits, const TokenMask& allowed);

 private:
  Sampling sampling_;
  std::mt19937_64 random_;
};

}  // namespace fabula
