// Chooses a token among those that the grammar allows.
#pragma once

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "planner/grammar/token_trie.h"

namespace fabula {

/// Default: the likeliest token.
struct Sampling {
  double temperature = 0.0;  ///< 0: the likeliest token; above 1: flatter, below 1: steeper than the model's probabilities
  double top_p = 1.0;        ///< keep the likeliest tokens up to this total probability, the last one in full; 1: all
  double min_p = 0.0;        ///< keep tokens with at least this fraction of the highest probability; 0: all
  std::uint64_t seed = 0;
};

struct Candidate {
  std::int32_t token;
  double weight;  ///< probability relative to the likeliest token
};

/// The allowed tokens that pass temperature (> 0), top_p and min_p, at least one, like transformers' TemperatureLogitsWarper,
/// TopPLogitsWarper and MinPLogitsWarper in this order after the mask. Sorted by token; with top_p by weight, then token. Throws
/// Error(bad_data) if logits are not numbers.
[[nodiscard]] std::vector<Candidate> candidates(std::span<const float> logits, const TokenMask& allowed, const Sampling&);

/// Draws token by token; the same seed and logits give the same tokens.
class TokenSampler {
 public:
  /// Throws Error(usage) for a temperature outside 0 … 100 or an invalid probability.
  explicit TokenSampler(const Sampling& sampling);
  /// At temperature 0 ties go to the lowest id. Requires a non-empty `allowed`.
  [[nodiscard]] std::int32_t pick(std::span<const float> logits, const TokenMask& allowed);

 private:
  Sampling sampling_;
  std::mt19937_64 random_;
};

}  // namespace fabula
