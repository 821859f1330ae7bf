// A language model and one text: what it has read so far, the states kept of it, and drafts of what comes next.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "planner/lm/decoding_stats.h"
#include "planner/lm/draft.h"
#include "planner/lm/passes.h"

namespace fabula {

/// Reads a text piece by piece and keeps the tap layer's state of each token. Whoever reads the same tokens gets the same bytes, whatever
/// the pieces, the drafts and what was read and taken back between. One thread at a time.
class Session {
 public:
  /// Meets a request (Passes::run, or a turn in a batch); gives the number of passes.
  using Reader = std::function<std::int64_t(Request&)>;

  /// Refers to the pool, which must outlive it.
  Session(const Qwen3&, KvPool& pool, Reader reader);
  /// With passes and a pool of its own. tap_layer as in Passes. Refers to the model, which must outlive it.
  Session(const Qwen3& model, std::int64_t tap_layer, Machine machine);

  /// Reads on. Gives the logits (vocabulary) after the last token, valid until the next call; empty when they are not wanted.
  std::span<const float> read(std::span<const std::int32_t> tokens, Logits wanted = Logits::last) {
    return advance(tokens, wanted == Logits::last, 0);
  }
  /// The same, and reads ahead: a draft of what comes next goes along, and as far as the next calls' tokens are the draft's they need no
  /// pass.
  std::span<const float> read_ahead(std::span<const std::int32_t> tokens) { return advance(tokens, true, draft_); }
  /// Goes back to after the first `tokens`. What came after them is known still: reading it again takes no pass.
  void rewind(std::size_t tokens);
  /// Forgets all but the first `tokens`.
  void truncate(std::size_t tokens);

  [[nodiscard]] std::size_t length() const { return length_; }
  [[nodiscard]] std::int64_t width() const { return width_; }
  [[nodiscard]] std::span<const std::int32_t> tokens() const { return std::span(tokens_).first(length_); }
  /// (at least length, width)
  [[nodiscard]] const std::vector<float>& states() const { return states_; }
  /// Of what was read since the last call; given and seconds are the caller's to fill in.
  [[nodiscard]] DecodingStats take_stats();

 private:
  static constexpr std::size_t most_draft = 16;
  static constexpr std::uint32_t evidence = 2;  // for a drafted token: a row of a pass is not free, so what was met once is not worth one

  std::span<const float> advance(std::span<const std::int32_t> tokens, bool logits, std::size_t draft);
  void settle_draft();
  [[nodiscard]] std::span<const float> logits_after(std::size_t tokens) const;

  struct Own;
  std::shared_ptr<Own> own_;  // what the second constructor makes
  Reader reader_;
  std::int64_t vocabulary_, width_;
  Drafter drafter_;
  std::size_t learned_ = 0;  // how many of the text's tokens the drafter knows
  KvCache cache_;
  std::vector<std::int32_t> tokens_;  // all in the cache: length_ of the text, then what is known beyond
  std::size_t length_ = 0;
  std::size_t draft_begin_ = 0, draft_end_ = 0;  // which tokens are the last pass's draft
  std::size_t draft_ = 4;                        // how long the next may be: longer where drafts come true
  std::vector<float> states_, logits_;           // logits_: after each token from logits_first_ on
  std::size_t logits_first_ = 0;
  DecodingStats stats_;
};

}  // namespace fabula
