// Runs a decoder over the next tokens of one or more sequences.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/machine.h"
#include "planner/lm/qwen3.h"

namespace fabula {

/// A sequence's request to read `tokens`.
struct Request {
  KvCache& cache;
  std::span<const std::int32_t> tokens;  ///< the whole sequence; tokens in the cache are not read again
  std::int64_t logit_rows = 0;           ///< how many of the last tokens get logits; none of these may be in the cache
  std::vector<float>& states;            ///< (tokens, width), of the tap layer; missing ones are appended
  std::vector<float>& logits;            ///< (logit_rows, vocabulary): replaced
};

/// Refers to the model, which must outlive it. One thread at a time.
class Passes {
 public:
  /// tap_layer: keeps hidden_states[tap_layer] of the reference, 0 … layers. The requests' caches are of a pool on this machine.
  Passes(const Qwen3&, std::int64_t tap_layer, Machine);

  /// Reads until every request is met; sharing a pass changes no byte of a result. Returns the number of passes. Throws Error like
  /// forward(); caches, states and logits are then those after the last complete pass.
  std::int64_t run(std::span<Request* const> requests);

  [[nodiscard]] const Qwen3& model() const { return model_; }

  static constexpr std::int64_t most_rows = 256;  ///< per pass
  static constexpr PassSize usual = {
      .rows = most_rows, .logit_rows = 32, .table = 128};  ///< the initial memory; grows if a pass needs more

 private:
  void pass(std::span<Request* const> requests, std::span<const Part> parts);
  void fit(const PassSize& needed);

  const Qwen3& model_;
  std::int64_t tap_layer_;
  Machine machine_;
  PassSize size_ = usual;  // the arena's
  Arena arena_;
};

}  // namespace fabula
