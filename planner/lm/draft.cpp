// Learns which token follows each context of 4 and of 2 tokens.
#include "planner/lm/draft.h"

#include <algorithm>

namespace fabula {
namespace {

constexpr std::size_t orders[] = {4, 2};  // longest first

std::uint64_t hash_of(std::span<const std::int32_t> tokens) {
  std::uint64_t hash = 0xcbf29ce484222325U ^ tokens.size();
  for (const std::int32_t token : tokens) hash = (hash ^ static_cast<std::uint32_t>(token)) * 0x9e3779b97f4a7c15U, hash ^= hash >> 32U;
  return hash;
}

}  // namespace

void Drafter::learn(std::span<const std::int32_t> text, std::size_t first) {
  constexpr std::size_t most_contexts = 1U << 20U;
  if (next_.size() > most_contexts) next_.clear();
  for (std::size_t at = first; at < text.size(); ++at) {
    for (const std::size_t order : orders) {
      if (at < order) continue;
      Next& next = next_[hash_of(text.subspan(at - order, order))];
      next = {text[at], next.token == text[at] ? next.times + 1 : 1};
    }
  }
}

std::vector<std::int32_t> Drafter::draft(std::span<const std::int32_t> text, std::size_t most, std::uint32_t evidence) const {
  std::vector<std::int32_t> ahead(text.end() - static_cast<std::ptrdiff_t>(std::min(text.size(), orders[0])), text.end());
  const std::size_t known = ahead.size();
  const auto follower = [&]() -> const Next* {
    for (const std::size_t order : orders) {
      if (ahead.size() < order) continue;
      const auto found = next_.find(hash_of(std::span(ahead).last(order)));
      if (found != next_.end()) return &found->second;
    }
    return nullptr;
  };
  while (ahead.size() - known < most) {
    const Next* next = follower();
    if (next == nullptr || next->times < evidence) break;
    ahead.push_back(next->token);
  }
  return {ahead.begin() + static_cast<std::ptrdiff_t>(known), ahead.end()};
}

}  // namespace fabula
