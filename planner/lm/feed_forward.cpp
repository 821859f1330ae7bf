// Dense and sparse feed-forward, after transformers, models/qwen3_moe/modeling_qwen3_moe.py.
#include "planner/lm/feed_forward.h"

#include <algorithm>
#include <cmath>

namespace fabula {
namespace {

// The work of one expert: its tokens, and the weight of its output for each.
struct Share {
  std::vector<std::int32_t> tokens;
  std::vector<float> weights;
};

// Routes one token: adds the `per_token` largest softmax weights of `scores` to the experts' shares; ties go to the first expert.
void choose(std::span<const float> scores, const ExpertsConfig& config, std::int32_t token, std::vector<Share>& shares) {
  const float largest = *std::max_element(scores.begin(), scores.end());
  std::vector<float> left(scores.size());
  float all = 0.0F, chosen = 0.0F;
  for (std::size_t e = 0; e < scores.size(); ++e) all += left[e] = std::exp(scores[e] - largest);
  std::vector<std::size_t> experts;
  for (std::int64_t k = 0; k < config.per_token; ++k) {
    experts.push_back(static_cast<std::size_t>(std::max_element(left.begin(), left.end()) - left.begin()));
    shares[experts.back()].tokens.push_back(token);
    shares[experts.back()].weights.push_back(left[experts.back()]);
    chosen += left[experts.back()];
    left[experts.back()] = -1.0F;  // less than any exponential
  }
  for (const std::size_t e : experts) shares[e].weights.back() /= config.normalised ? chosen : all;
}

// Qwen3MoeTopKRouter. Runs on the host. On the dry device all scores are equal, so every token goes to the same experts.
std::vector<Share> route(Context& ctx, const Linear& router, const ExpertsConfig& config, Tensor h) {
  const Arena::Scope scope(ctx.arena);
  const Tensor scores = linear(ctx, h, router);
  std::vector<float> host(static_cast<std::size_t>(scores.elements()));
  copy(ctx, scores, {.data = host.data(), .shape = scores.shape});
  std::vector<Share> shares(static_cast<std::size_t>(config.count));
  for (std::int64_t row = 0; row < scores.rows(); ++row) {
    choose(std::span(host).subspan(static_cast<std::size_t>(row * config.count), static_cast<std::size_t>(config.count)), config,
           static_cast<std::int32_t>(row), shares);
  }
  return shares;
}

// Qwen3MLP
Tensor answer(Context& ctx, const DenseMlp& mlp, Tensor h) {
  const auto [gate, up] = linear(ctx, h, std::array{mlp.gate, mlp.up});
  return linear(ctx, gated(ctx, gate, up, Activation::silu), mlp.down);
}

// Qwen3MoeExperts: one expert at a time, on the tokens routed to it.
void add_experts(Context& ctx, const SparseMlp& mlp, const ExpertsConfig& config, Tensor h, Tensor x) {
  const std::vector<Share> shares = route(ctx, mlp.router, config, h);
  for (std::size_t e = 0; e < shares.size(); ++e) {
    const auto count = static_cast<std::int64_t>(shares[e].tokens.size());
    if (count == 0) continue;
    const Arena::Scope scope(ctx.arena);
    const Tensor rows = indices(ctx, shares[e].tokens), weights = constant(ctx, shares[e].weights, {count});
    const Tensor nothing = constant(ctx, std::vector<float>(shares[e].weights.size(), 0.0F), {count});
    const Tensor weighted = affine_channels(ctx, answer(ctx, mlp.experts[e], gather_rows(ctx, h, rows)), weights, nothing);
    const Tensor sum = gather_rows(ctx, x, rows);
    add_into(ctx, weighted, sum);
    scatter_rows(ctx, sum, rows, x);
  }
}

}  // namespace

DenseMlp take_dense(Weights& weights, const std::string& prefix, std::int64_t hidden, std::int64_t intermediate) {
  DenseMlp mlp;
  mlp.gate = weights.take_linear(prefix + ".gate_proj", hidden, intermediate, false);
  mlp.up = weights.take_linear(prefix + ".up_proj", hidden, intermediate, false);
  mlp.down = weights.take_linear(prefix + ".down_proj", intermediate, hidden, false);
  return mlp;
}

SparseMlp take_sparse(Weights& weights, const std::string& prefix, std::int64_t hidden, const ExpertsConfig& config) {
  SparseMlp mlp;
  mlp.router.weight = weights.take(prefix + ".gate.weight", {config.count, hidden});
  for (std::int64_t e = 0; e < config.count; ++e)
    mlp.experts.push_back(take_dense(weights, prefix + ".experts." + std::to_string(e), hidden, config.intermediate));
  return mlp;
}

void add_feed_forward(Context& ctx, const FeedForward& feed_forward, const ExpertsConfig& config, Tensor h, Tensor x) {
  const Arena::Scope scope(ctx.arena);
  if (const auto* sparse = std::get_if<SparseMlp>(&feed_forward)) return add_experts(ctx, *sparse, config, h, x);
  add_into(ctx, answer(ctx, std::get<DenseMlp>(feed_forward), h), x);
}

}  // namespace fabula
