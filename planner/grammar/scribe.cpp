#include "planner/grammar/scribe.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "kernels/error.h"

namespace fabula {

void Scribe::literal(std::string_view text) {
  const std::vector<std::int32_t> ids = tokenizer_.encode(text, AddedTokens::plain);
  tokens_.insert(tokens_.end(), ids.begin(), ids.end());
}

void Scribe::special(std::string_view token) {
  const auto id = tokenizer_.added(token);
  if (!id) throw Error(ExitCode::bad_data, "the planner's vocabulary lacks the token " + std::string(token));
  tokens_.push_back(*id);
}

std::size_t Scribe::mark(std::string_view token) {
  const std::size_t before = tokens_.size();
  if (tokenizer_.added("<|score|>")) special(token);
  else literal(token);
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

std::int32_t Composer::first_token(std::string_view text) const { return tokenizer_.encode(text, AddedTokens::plain).at(0); }

std::int32_t Composer::pick(std::span<const std::int32_t> allowed) {
  if (allowed.empty()) throw Error(ExitCode::bad_data, "the planner's vocabulary cannot write the plan: no token goes on");
  if (allowed.size() == 1) return allowed.front();
  const std::span<const float> logits = next_logits_(std::span(tokens_).subspan(handed_over_));
  handed_over_ = tokens_.size();
  std::int32_t best = allowed.front();
  for (const std::int32_t token : allowed) {
    const float here = logits[static_cast<std::size_t>(token)], there = logits[static_cast<std::size_t>(best)];
    if (here > there || (here == there && token < best)) best = token;
  }
  return best;
}

void Composer::value(std::string& text, const Legal& legal, std::string_view after) {
  const std::int32_t end = first_token(after);
  text.clear();
  while (true) {
    std::vector<std::int32_t> allowed = legal.next(text, table_);
    if (legal.complete(text)) {
      allowed.push_back(end);
      if (legal.is_text()) allowed.insert(allowed.end(), stops_.begin(), stops_.end());
    }
    const std::int32_t token = pick(allowed);
    if (token == end || std::find(stops_.begin(), stops_.end(), token) != stops_.end()) break;  // no value holds the quote or comma that every literal after one begins with
    tokens_.push_back(token);
    text += tokenizer_.bytes(token);
  }
  literal(after);
}

bool Composer::choose(bool, std::string_view first, bool possible, std::string_view second) {
  const std::array<std::int32_t, 2> both = {first_token(first), first_token(second)};
  const bool chosen = possible && pick(both) == both[0];
  literal(chosen ? first : second);
  return chosen;
}

}  // namespace fabula
