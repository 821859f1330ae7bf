// Greedy choice, and sampling with temperature, top-p and min-p.
#include "planner/grammar/token_choice.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace fabula {
namespace {

std::int32_t likeliest(std::span<const float> logits, const TokenMask& allowed) {
  std::int32_t best = -1;
  allowed.for_each([&](std::int32_t token) {
    if (best < 0 || logits[static_cast<std::size_t>(token)] > logits[static_cast<std::size_t>(best)]) best = token;
  });
  return best;
}

// Keeps the likeliest tokens until their share of the total reaches `top_p`.
void keep_top(std::vector<Candidate>& kept, double total, double top_p) {
  const auto later = [](const Candidate& a, const Candidate& b) { return a.weight != b.weight ? a.weight < b.weight : a.token > b.token; };
  std::make_heap(kept.begin(), kept.end(), later);
  auto heap_end = kept.end();
  for (double before = 0.0; heap_end != kept.begin() && (heap_end == kept.end() || before < top_p * total);) {
    std::pop_heap(kept.begin(), heap_end--, later);
    before += heap_end->weight;
  }
  kept.erase(kept.begin(), heap_end);
  std::reverse(kept.begin(), kept.end());
}

}  // namespace

std::vector<Candidate> candidates(std::span<const float> logits, const TokenMask& allowed, const Sampling& sampling) {
  const double most = logits[static_cast<std::size_t>(likeliest(logits, allowed))];
  std::vector<Candidate> kept;
  double total = 0.0;
  allowed.for_each([&](std::int32_t token) {
    const double weight = std::exp((static_cast<double>(logits[static_cast<std::size_t>(token)]) - most) / sampling.temperature);
    total += weight;
    if (weight >= sampling.min_p) kept.push_back({token, weight});  // both filters keep the likeliest, so their order does not matter
  });
  if (!std::isfinite(total)) throw Error(ExitCode::bad_data, "the planner's logits are no numbers");
  if (sampling.top_p < 1.0) keep_top(kept, total, sampling.top_p);
  return kept;
}

TokenSampler::TokenSampler(const Sampling& sampling) : sampling_(sampling), random_(sampling.seed) {
  const auto within = [](double value, double low, double high) { return value >= low && value <= high; };  // false for NaN
  if (!within(sampling.temperature, 0.0, 100.0)) throw Error(ExitCode::usage, "the temperature is not from 0 to 100");
  if (!within(sampling.top_p, 0.0, 1.0) || !within(sampling.min_p, 0.0, 1.0))
    throw Error(ExitCode::usage, "top-p and min-p are not from 0 to 1");
}

std::int32_t TokenSampler::pick(std::span<const float> logits, const TokenMask& allowed) {
  if (sampling_.temperature == 0.0) return likeliest(logits, allowed);
  const std::vector<Candidate> kept = candidates(logits, allowed, sampling_);
  double total = 0.0;
  for (const Candidate& candidate : kept) total += candidate.weight;
  double left = total * static_cast<double>(random_() >> 11U) * 0x1p-53;
  for (const Candidate& candidate : kept) {
    left -= candidate.weight;
    if (left < 0.0) return candidate.token;
  }
  return kept.back().token;  // reached by rounding only
}

}  // namespace fabula
