// A language model at work: what it has read so far, and the states kept of it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "planner/lm/qwen3.h"

namespace fabula {

/// Reads tokens piece by piece and keeps the tap layer's state of each. Refers to the model, kernels and pool, which must outlive it.
class Session {
 public:
  /// tap_layer: hidden_states[tap_layer] of the reference is kept, 0 … layers.
  Session(const Qwen3& model, std::int64_t tap_layer, const Kernels& kernels, ThreadPool* pool);

  /// Reads on. Gives the logits (vocabulary) after the last token, valid until the next call; empty when they are not wanted.
  std::span<const float> read(std::span<const std::int32_t> tokens, Logits wanted = Logits::last);
  /// Reads on by a forward of the caller's, which may read more than text; it takes at most `footprint` bytes of an arena.
  using Forward = std::function<Tensor(Context&, KvCache&, const StateReceiver& keep)>;
  std::span<const float> read_by(const Forward&, std::size_t footprint);
  /// Forgets all but the first `tokens`.
  void truncate(std::size_t tokens);

  [[nodiscard]] std::size_t length() const { return static_cast<std::size_t>(cache_.length()); }
  [[nodiscard]] std::int64_t width() const { return model_.config.hidden; }
  /// (length, width)
  [[nodiscard]] const std::vector<float>& states() const { return states_; }

  static constexpr std::size_t chunk = 256;  ///< tokens read at once, at most

 private:
  [[nodiscard]] StateReceiver keep();

  const Qwen3& model_;
  std::int64_t tap_layer_;
  const Kernels& kernels_;
  Exec exec_;
  Arena arena_;
  KvCache cache_;
  std::vector<float> states_, logits_;
};

}  // namespace fabula
