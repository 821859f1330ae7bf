// Writers of the token stream: a model within the grammar (Composer), or an existing plan (Follower). Both run the same grammar function.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "planner/grammar/legal.h"
#include "planner/grammar/token_choice.h"
#include "planner/lm/tokenizer.h"

namespace fabula {

/// Writes segments (docs/BUNDLE.md), each tokenised separately. Refers to the tokenizer, which must outlive it.
class Scribe {
 public:
  explicit Scribe(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  virtual ~Scribe() = default;
  Scribe(const Scribe&) = delete;
  Scribe& operator=(const Scribe&) = delete;

  /// Appends a forced segment; added tokens in it count as plain text.
  void literal(std::string_view text);
  /// Appends forced tokens.
  void append(std::span<const std::int32_t> tokens) { tokens_.insert(tokens_.end(), tokens.begin(), tokens.end()); }
  /// Appends a forced added token. Throws Error(bad_data) if the vocabulary lacks it.
  void special(std::string_view token);
  /// Appends a forced token of the score, spelt as text if the vocabulary has no score tokens at all (a published checkpoint's). Returns
  /// the number of tokens. Throws Error(bad_data) if a vocabulary with a score lacks the token.
  std::size_t mark(std::string_view token);

  /// Whether it fills fields in (Composer) or reads them (Follower).
  [[nodiscard]] virtual bool composes() const = 0;
  /// Writes a value and the literal after it.
  virtual void value(std::string& text, const Legal& legal, std::string_view after) = 0;
  /// Writes one of two literals and returns whether it was the first. `possible`: whether the first is allowed. `given`: whether a Follower
  /// writes the first.
  virtual bool choose(bool given, std::string_view first, bool possible, std::string_view second) = 0;

  [[nodiscard]] const std::vector<std::int32_t>& tokens() const { return tokens_; }
  [[nodiscard]] std::size_t position() const { return tokens_.size(); }

 protected:
  const Tokenizer& tokenizer_;
  std::vector<std::int32_t> tokens_;
};

/// Writes the values of an existing plan, without checking them.
class Follower final : public Scribe {
 public:
  using Scribe::Scribe;
  [[nodiscard]] bool composes() const override { return false; }
  void value(std::string& text, const Legal&, std::string_view after) override;
  bool choose(bool given, std::string_view first, bool possible, std::string_view second) override;
};

/// Lets a model choose one of the allowed tokens at each step, the likeliest unless `sampling` says otherwise. A single allowed token is
/// appended without asking. Forced tokens are handed to the model together with the next question.
class Composer final : public Scribe {
 public:
  /// Takes the tokens since the last call and returns the logits (at least the tokenizer's size) after the last of them.
  using NextLogits = std::function<std::span<const float>(std::span<const std::int32_t> tokens)>;

  /// stops: end-of-answer tokens. Inside free text they end the value, like the literal that follows it. A model that has some was not
  /// trained on plans alone; its free texts also end where they repeat themselves.
  Composer(const Tokenizer& tokenizer, const TokenTable& table, NextLogits next_logits, const Sampling& sampling = {},
           std::vector<std::int32_t> stops = {})
      : Scribe(tokenizer), table_(table), next_logits_(std::move(next_logits)), sampler_(sampling), stops_(std::move(stops)) {}
  [[nodiscard]] bool composes() const override { return true; }
  void value(std::string& text, const Legal& legal, std::string_view after) override;
  bool choose(bool given, std::string_view first, bool possible, std::string_view second) override;

  /// Writes one of the literals and returns its index. No literal's tokens may begin with those of another.
  std::size_t choose(std::span<const std::string> literals);
  /// Writes a value and one of the literals that may follow it, and returns the literal's index. `after` is called for the literals
  /// whenever the value may end.
  using After = std::function<const std::vector<std::string>&(const std::string& text)>;
  std::size_t value(std::string& text, const Legal& legal, const After& after);

  /// How many of tokens() the model has read.
  [[nodiscard]] std::size_t handed_over() const { return handed_over_; }

 private:
  [[nodiscard]] std::int32_t first_token(std::string_view literal) const;
  /// Chooses one of allowed_.
  [[nodiscard]] std::int32_t pick();
  [[nodiscard]] const std::vector<std::int32_t>& spelling(const std::string& literal);
  /// Like choose(), with the first `written` tokens already written.
  std::size_t choose(std::span<const std::string> literals, std::size_t written);

  const TokenTable& table_;
  NextLogits next_logits_;
  TokenSampler sampler_;
  std::vector<std::int32_t> stops_;
  std::unordered_map<std::string, std::vector<std::int32_t>> spellings_;  // of literals that were choices before
  TokenMask allowed_{table_.vocabulary};
  std::size_t handed_over_ = 0;
};

}  // namespace fabula
