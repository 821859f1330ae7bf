// A language model reading one text: its cache, the states kept, and drafts of what comes next.
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

/// Reads a text piece by piece and keeps the tap layer's state of each token. The same tokens give the same bytes, regardless of pieces,
/// drafts and rewinds. One thread at a time.
class Session {
 public:
  /// Meets a request (Passes::run, or a seat of a batch) and returns the number of passes.
  using Reader = std::function<std::int64_t(Request&)>;

  /// Refers to the pool, which must outlive it.
  Session(const Qwen3&, KvPool& pool, Reader reader);
  /// Makes its own passes and KV pool. tap_layer as in Passes. Refers to the model, which must outlive it.
  Session(const Qwen3& model, std::int64_t tap_layer, const Machine& machine);

  /// Reads the next tokens. Returns the logits (vocabulary) after the last one, valid until the next call; empty if not wanted.
  std::span<const float> read(std::span<const std::int32_t> tokens, Logits wanted = Logits::last) {
    return advance(tokens, wanted == Logits::last, 0);
  }
  /// The same, with a draft of the tokens to come: the next calls need no pass for tokens that match the draft.
  std::span<const float> read_ahead(std::span<const std::int32_t> tokens) { return advance(tokens, true, draft_); }
  /// Goes back to the first `tokens`. Keeps the rest cached: reading the same tokens again takes no pass.
  void rewind(std::size_t tokens);
  /// Forgets all but the first `tokens`.
  void truncate(std::size_t tokens);

  [[nodiscard]] std::size_t length() const { return length_; }
  [[nodiscard]] std::int64_t width() const { return width_; }
  [[nodiscard]] std::span<const std::int32_t> tokens() const { return std::span(tokens_).first(length_); }
  /// (at least length, width)
  [[nodiscard]] const std::vector<float>& states() const { return states_; }
  /// Statistics since the last call; the caller fills in `given` and `seconds`.
  [[nodiscard]] DecodingStats take_stats();

 private:
  static constexpr std::size_t most_draft = 16;
  static constexpr std::uint32_t evidence = 2;  // for a drafted token: a row of a pass has a cost, so a single occurrence is not enough

  std::span<const float> advance(std::span<const std::int32_t> tokens, bool logits, std::size_t draft);
  void settle_draft();
  [[nodiscard]] std::span<const float> logits_after(std::size_t tokens) const;

  struct Own;
  std::shared_ptr<Own> own_;  // made by the second constructor
  Reader reader_;
  std::int64_t vocabulary_, width_;
  Drafter drafter_;
  std::size_t learned_ = 0;  // how many tokens of the text the drafter has learned
  KvCache cache_;
  std::vector<std::int32_t> tokens_;  // all in the cache: length_ tokens of the text, then further known ones
  std::size_t length_ = 0;
  std::size_t draft_begin_ = 0, draft_end_ = 0;  // the tokens that the last pass drafted
  std::size_t draft_ = 4;                        // the length of the next draft; grows while drafts prove right
  std::vector<float> states_, logits_;           // logits_: after each token from logits_first_ on
  std::size_t logits_first_ = 0;
  DecodingStats stats_;
};

}  // namespace fabula
