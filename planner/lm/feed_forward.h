// The feed-forward of a decoder layer: dense, or sparse, where a router sends each token to a few experts.
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
  Linear router;  ///< hidden -> experts; float32 in every profile, so that rounding does not choose the experts
  std::vector<DenseMlp> experts;
};

using FeedForward = std::variant<DenseMlp, SparseMlp>;

/// Takes `prefix.gate_proj` and so on.
[[nodiscard]] DenseMlp take_dense(Weights&, const std::string& prefix, std::int64_t hidden, std::int64_t intermediate);
/// Takes `prefix.gate` (the router) and `prefix.experts.I`.
[[nodiscard]] SparseMlp take_sparse(Weights&, const std::string& prefix, std::int64_t hidden, const ExpertsConfig&);

/// x (rows, hidden) += feed_forward(h (rows, hidden)). What the arena must hold depends on the experts that the tokens choose; a dry run
/// gives the most, all tokens at one expert.
void add_feed_forward(Context&, const FeedForward&, const ExpertsConfig&, Tensor h, Tensor x);

}  // namespace fabula
