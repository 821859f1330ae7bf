// A decoder at work for one or more sequences: passes over what each of them is to read next.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/machine.h"
#include "planner/lm/qwen3.h"

namespace fabula {

/// A sequence's wish to have read `tokens`.
struct Request {
  KvCache& cache;
  std::span<const std::int32_t> tokens;  ///< the whole sequence; what of it is in the cache is not read again
  std::int64_t logit_rows = 0;           ///< of the last tokens, none of them in the cache yet
  std::vector<float>& states;            ///< (tokens, width): the tap layer's; appended where they are missing
  std::vector<float>& logits;            ///< (logit_rows, vocabulary): replaced
};

/// Refers to the model, which must outlive it. One thread at a time.
class Passes {
 public:
  /// tap_layer: hidden_states[tap_layer] of the reference is kept, 0 … layers. Throws Error(unavailable) for a machine other than the
  /// processor: KvPool keeps keys and values in host memory.
  Passes(const Qwen3&, std::int64_t tap_layer, Machine);

  /// Reads until every request is met; what they share a pass with changes none of their bytes. Gives the number of passes. Throws Error as
  /// forward() does; the requests' caches, states and logits are then those of whole passes before.
  std::int64_t run(std::span<Request* const> requests);

  [[nodiscard]] const Qwen3& model() const { return model_; }

  static constexpr std::int64_t most_rows = 256;  ///< of a pass
  static constexpr PassSize usual = {
      .rows = most_rows, .logit_rows = 32, .table = 128};  ///< that memory is taken for; more where a pass needs it

 private:
  void pass(std::span<Request* const> requests, std::span<const Part> parts);
  void fit(const PassSize& needed);

  const Qwen3& model_;
  std::int64_t tap_layer_;
  Machine machine_;
  PassSize size_ = usual;  // that the arena is made for
  Arena arena_;
};

}  // namespace fabula
