// Follows a plan token by token, or lets a model choose among the allowed tokens.
#include "planner/grammar/scribe.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace fabula {

void Scribe::literal(std::string_view text) {
  const std::vector<std::int32_t> ids = tokenizer_.encode(text, AddedTokens::plain, Start::inside);
  tokens_.insert(tokens_.end(), ids.begin(), ids.end());
}

void Scribe::special(std::string_view token) {
  const auto id = tokenizer_.added(token);
  if (!id) throw Error(ExitCode::bad_data, "the planner's vocabulary lacks the token " + std::string(token));
  tokens_.push_back(*id);
}

std::size_t Scribe::mark(std::string_view token) {
  const std::size_t before = tokens_.size();
  if (tokenizer_.added("<|score|>"))
    special(token);
  else
    literal(token);
  return tokens_.size() - before;
}

void Follower::value(std::string& text, const Legal&, std::string_view after) {
  const std::string quoted = nlohmann::json(text).dump();
  literal(std::string_view(quoted).substr(1, quoted.size() - 2));
  literal(after);
}

bool Follower::choose(bool given, std::string_view first, bool, std::string_view second) {
  literal(given ? first : second);
  return given;
}

namespace {

// Whether the end of a text, 24 bytes of it or more, is one piece again and again: "run, run, run, run, run, ".
bool repeats_itself(std::string_view text) {
  constexpr std::size_t least = 24;
  for (std::size_t piece = 1; std::max(least, 2 * piece) <= text.size(); ++piece) {
    const std::string_view tail = text.substr(text.size() - std::max(least, 2 * piece));
    if (tail.substr(piece) == tail.substr(0, tail.size() - piece)) return true;
  }
  return false;
}

}  // namespace

std::int32_t Composer::first_token(std::string_view text) const { return tokenizer_.encode(text, AddedTokens::plain, Start::inside).at(0); }

std::int32_t Composer::pick() {
  const std::size_t count = allowed_.count();
  if (count == 0) throw Error(ExitCode::bad_data, "the planner's vocabulary cannot write the plan: no token continues it");
  if (count == 1) return allowed_.first();
  const std::span<const float> logits = next_logits_(std::span(tokens_).subspan(handed_over_));
  handed_over_ = tokens_.size();
  return sampler_.pick(logits, allowed_);
}

void Composer::value(std::string& text, const Legal& legal, std::string_view after) {
  const std::int32_t end = first_token(after);
  text.clear();
  while (true) {
    legal.next(text, table_, allowed_);
    if (legal.complete(text)) {
      const bool must_end = legal.is_text() && !stops_.empty() && repeats_itself(text);
      if (must_end) allowed_.clear();
      allowed_.add(end);
      if (legal.is_text() && !must_end) {
        for (const std::int32_t stop : stops_) allowed_.add(stop);
      }
    }
    const std::int32_t token = pick();
    // Every literal after a value begins with a quote or comma, which no value contains.
    if (token == end || std::find(stops_.begin(), stops_.end(), token) != stops_.end()) break;
    tokens_.push_back(token);
    text += tokenizer_.bytes(token);
  }
  literal(after);
}

bool Composer::choose(bool, std::string_view first, bool possible, std::string_view second) {
  bool chosen = possible;
  if (possible) {
    allowed_.clear();
    allowed_.add(first_token(first));
    allowed_.add(first_token(second));
    chosen = pick() == first_token(first);
  }
  literal(chosen ? first : second);
  return chosen;
}

const std::vector<std::int32_t>& Composer::spelling(const std::string& literal) {
  const auto [found, added] = spellings_.try_emplace(literal);
  if (added) found->second = tokenizer_.encode(literal, AddedTokens::plain, Start::inside);
  return found->second;
}

std::size_t Composer::choose(std::span<const std::string> literals) { return choose(literals, 0); }

std::size_t Composer::choose(std::span<const std::string> literals, std::size_t written) {
  const auto still_matches = [&](const std::string& literal) {  // after what is already written
    const std::vector<std::int32_t>& tokens = spelling(literal);
    return tokens.size() >= written && std::equal(tokens.begin(), tokens.begin() + static_cast<std::ptrdiff_t>(written),
                                                  tokens_.end() - static_cast<std::ptrdiff_t>(written));
  };
  while (true) {
    allowed_.clear();
    std::size_t possible = 0, last = 0;
    for (std::size_t i = 0; i < literals.size(); ++i) {
      if (!still_matches(literals[i])) continue;
      ++possible, last = i;
      if (spelling(literals[i]).size() > written) allowed_.add(spelling(literals[i])[written]);
    }
    if (possible == 1) {
      const std::vector<std::int32_t>& rest = spelling(literals[last]);
      tokens_.insert(tokens_.end(), rest.begin() + static_cast<std::ptrdiff_t>(written), rest.end());
      return last;
    }
    tokens_.push_back(pick());
    ++written;
  }
}

std::size_t Composer::value(std::string& text, const Legal& legal, const After& after) {
  text.clear();
  while (true) {
    legal.next(text, table_, allowed_);
    const std::vector<std::string>* ends = legal.complete(text) ? &after(text) : nullptr;
    if (ends != nullptr) {
      if (legal.is_text() && repeats_itself(text)) allowed_.clear();
      for (const std::string& literal : *ends) allowed_.add(spelling(literal).at(0));
    }
    const std::int32_t token = pick();
    tokens_.push_back(token);
    const auto begins = [&](const std::string& literal) { return spelling(literal)[0] == token; };
    if (ends != nullptr && std::any_of(ends->begin(), ends->end(), begins)) return choose(*ends, 1);
    text += tokenizer_.bytes(token);
  }
}

}  // namespace fabula
