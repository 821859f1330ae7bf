// Who writes the token stream: the model within the grammar (Composer), or a plan that exists (Follower). The grammar is the same function.
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

/// Writes segments (docs/BUNDLE.md): each is tokenised on its own. Refers to the tokenizer, which must outlive it.
class Scribe {
 public:
  explicit Scribe(const Tokenizer& tokenizer) : tokenizer_(tokenizer) {}
  virtual ~Scribe() = default;
  Scribe(const Scribe&) = delete;
  Scribe& operator=(const Scribe&) = delete;

  /// A forced segment; added tokens in it are plain text.
  void literal(std::string_view text);
  /// Forced tokens.
  void append(std::span<const std::int32_t> tokens) { tokens_.insert(tokens_.end(), tokens.begin(), tokens.end()); }
  /// A forced added token. Throws Error(bad_data) where the vocabulary lacks it.
  void special(std::string_view token);
  /// A forced token of the score; its text where the vocabulary knows no score at all, as a published checkpoint's does not. Gives how many
  /// tokens that is. Throws Error(bad_data) where a vocabulary with a score lacks the token.
  std::size_t mark(std::string_view token);

  /// Whether fields are filled in (Composer) or read (Follower).
  [[nodiscard]] virtual bool composes() const = 0;
  /// A value and the literal after it.
  virtual void value(std::string& text, const Legal& legal, std::string_view after) = 0;
  /// One of two literals; `possible`: whether the first is allowed. `given`: what a Follower writes. True when the first was written.
  virtual bool choose(bool given, std::string_view first, bool possible, std::string_view second) = 0;

  [[nodiscard]] const std::vector<std::int32_t>& tokens() const { return tokens_; }
  [[nodiscard]] std::size_t position() const { return tokens_.size(); }

 protected:
  const Tokenizer& tokenizer_;
  std::vector<std::int32_t> tokens_;
};

/// Writes down the values that are there, whatever they are.
class Follower final : public Scribe {
 public:
  using Scribe::Scribe;
  [[nodiscard]] bool composes() const override { return false; }
  void value(std::string& text, const Legal&, std::string_view after) override;
  bool choose(bool given, std::string_view first, bool possible, std::string_view second) override;
};

/// Lets a model choose: at each step one of the tokens that the grammar allows, the likeliest unless `sampling` says otherwise. Where one
/// token alone is allowed there is no step. Forced tokens are handed over together with the next question.
class Composer final : public Scribe {
 public:
  /// Takes the tokens since the last call, gives the logits (at least the tokenizer's size) after the last of them.
  using NextLogits = std::function<std::span<const float>(std::span<const std::int32_t> tokens)>;

  /// stops: tokens by which a model ends its answer: where free text may end, they end it, as the literal after it does.
  Composer(const Tokenizer& tokenizer, const TokenTable& table, NextLogits next_logits, const Sampling& sampling = {},
           std::vector<std::int32_t> stops = {})
      : Scribe(tokenizer), table_(table), next_logits_(std::move(next_logits)), sampler_(sampling), stops_(std::move(stops)) {}
  [[nodiscard]] bool composes() const override { return true; }
  void value(std::string& text, const Legal& legal, std::string_view after) override;
  bool choose(bool given, std::string_view first, bool possible, std::string_view second) override;

  /// One of some literals, told apart by their tokens: none may begin with another's. Gives which.
  std::size_t choose(std::span<const std::string> literals);
  /// A value and one of the literals that may follow it; `after` is asked for them whenever the value may end. Gives which.
  using After = std::function<const std::vector<std::string>&(const std::string& text)>;
  std::size_t value(std::string& text, const Legal& legal, const After& after);

  /// How many of tokens() the model has seen.
  [[nodiscard]] std::size_t handed_over() const { return handed_over_; }

 private:
  [[nodiscard]] std::int32_t first_token(std::string_view literal) const;
  /// One of allowed_.
  [[nodiscard]] std::int32_t pick();
  [[nodiscard]] const std::vector<std::int32_t>& spelling(const std::string& literal);
  /// As choose(), of which the first `written` tokens are there already.
  std::size_t choose(std::span<const std::string> literals, std::size_t written);

  const TokenTable& table_;
  NextLogits next_logits_;
  Sampler sampler_;
  std::vector<std::int32_t> stops_;
  std::unordered_map<std::string, std::vector<std::int32_t>> spellings_;  // of literals that were chosen among
  TokenMask allowed_{table_.vocabulary};
  std::size_t handed_over_ = 0;
};

}  // namespace fabula
