// The feed-forward of a decoder layer: dense, or sparse (a router sends each token to a few experts).
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "engine/weights/weights.h"

namespace fabula {

struct ExpertsConfig {
  std::int64_t count = 0, per_token = 0, intermediate = 0;
  bool normalised = false;  ///< norm_topk_prob: a token's weights add up to one
};

/// Qwen3MLP: hidden -> intermediate (twice), and back.
struct DenseMlp {
  Linear gate, up, down;
};

/// Qwen3MoeSparseMoeBlock
struct SparseMlp {
  Linear router;  ///< hidden -> experts; float32 in every precision, so that rounding cannot change the routing
  std::vector<DenseMlp> experts;
};

using FeedForward = std::variant<DenseMlp, SparseMlp>;

/// Takes `prefix.gate_proj`, `up_proj` and `down_proj`.
[[nodiscard]] DenseMlp take_dense(Weights&, const std::string& prefix, std::int64_t hidden, std::int64_t intermediate);
/// Takes `prefix.gate` (the router) and `prefix.experts.I`.
[[nodiscard]] SparseMlp take_sparse(Weights&, const std::string& prefix, std::int64_t hidden, const ExpertsConfig&);

/// x (rows, hidden) += feed_forward(h (rows, hidden)). The arena's peak depends on the routing; a dry run returns the maximum, all tokens
/// at one expert.
void add_feed_forward(Context&, const FeedForward&, const ExpertsConfig&, Tensor h, Tensor x);

}  // namespace fabula
