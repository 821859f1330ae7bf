// Encodes by merging byte pairs in order of rank, and decodes.
#include "planner/lm/tokenizer.h"

#include <queue>

#include "base/error.h"
#include "planner/text/unicode.h"

namespace fabula {
namespace {

std::uint64_t pair_key(std::int32_t left, std::int32_t right) {
  return (static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32U) | static_cast<std::uint32_t>(right);
}

// Moves the complete characters at the front of `pending` to the end of `text`; broken bytes become U+FFFD.
void take_characters(std::string& pending, std::string& text) {
  std::size_t broken = 0;
  do {
    const std::size_t complete = well_formed_prefix(pending, broken);
    text.append(pending, 0, complete);
    if (broken > 0) text += "\xEF\xBF\xBD";
    pending.erase(0, complete + broken);
  } while (broken > 0);
}

}  // namespace

const std::string& Tokenizer::bytes(std::int32_t id) const {
  if (id < 0 || id >= size()) throw Error(ExitCode::bad_data, "there is no token " + std::to_string(id));
  return tokens_[static_cast<std::size_t>(id)].bytes;
}

bool Tokenizer::is_added(std::int32_t id) const { return id >= 0 && id < size() && tokens_[static_cast<std::size_t>(id)].added; }

bool Tokenizer::is_special(std::int32_t id) const { return id >= 0 && id < size() && tokens_[static_cast<std::size_t>(id)].special; }

std::optional<std::int32_t> Tokenizer::added(std::string_view content) const {
  for (const Added& token : added_) {
    if (token.content == content) return token.id;
  }
  return std::nullopt;
}

const Tokenizer::Added* Tokenizer::added_at(std::string_view text, std::size_t at, bool normalized) const {
  for (const Added& token : added_) {
    if (token.normalized == normalized && text.compare(at, token.pattern.size(), token.pattern) == 0) return &token;
  }
  return nullptr;
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, AddedTokens added, Start start) const {
  std::vector<std::int32_t> ids;
  // Cuts `part` at the added tokens matched before (or after) normalisation; `rest` takes the text between them.
  const auto cut = [&](std::string_view part, bool normalized, const auto& rest) {
    std::size_t begin = 0;
    for (std::size_t at = 0; at < part.size() && added == AddedTokens::recognised;) {
      const Added* token = added_at(part, at, normalized);
      if (token == nullptr) {
        ++at;
        continue;
      }
      rest(part.substr(begin, at - begin));
      ids.push_back(token->id);
      begin = at += token->pattern.size();
    }
    rest(part.substr(begin));
  };
  if (!composes_ && !is_utf8(text)) throw Error(ExitCode::bad_data, "the text is not UTF-8");
  cut(text, false, [&](std::string_view raw) {
    const std::string composed = normalised(raw, start);
    cut(composed, true, [&](std::string_view plain) {
      const bool is_first = raw.data() == text.data() && plain.data() == composed.data();
      encode_plain(lacks_space(plain, is_first, start) ? " " + std::string(plain) : std::string(plain), ids);
    });
  });
  return ids;
}

// Tokens of characters write a space as U+2581; here both are a space.
std::string Tokenizer::normalised(std::string_view part, Start start) const {
  if (in_bytes_) return composes_ ? nfc(part) : std::string(part);
  constexpr std::string_view mark = "\xE2\x96\x81";
  std::string text = prefix_ == Prefix::parts && start == Start::text && !part.empty() ? " " : "";
  for (std::size_t at = 0; at < part.size();) {
    const bool is_mark = part.compare(at, mark.size(), mark) == 0;
    text += is_mark ? ' ' : part[at];
    at += is_mark ? mark.size() : 1;
  }
  return text;
}

bool Tokenizer::lacks_space(std::string_view plain, bool is_first, Start start) const {
  const bool may = prefix_ == Prefix::parts_without || (prefix_ == Prefix::text_without && is_first);
  return may && start == Start::text && !plain.empty() && plain.front() != ' ';
}

void Tokenizer::encode_plain(std::string_view text, std::vector<std::int32_t>& ids) const {
  if (!in_bytes_) {
    if (!text.empty()) merge_word(text, ids);
    return;
  }
  for (const std::string_view word : split_words(text, pattern_)) merge_word(word, ids);
}

// What a word consists of before merges: its bytes, or its characters and the bytes of those that are no tokens. The reference drops a byte
// that its vocabulary lacks.
std::vector<std::int32_t> Tokenizer::symbols_of(std::string_view word) const {
  std::vector<std::int32_t> ids;
  const auto add_bytes = [&](std::string_view bytes) {
    for (const char c : bytes) {
      if (const std::int32_t id = byte_ids_[static_cast<unsigned char>(c)]; id >= 0) ids.push_back(id);
    }
  };
  if (in_bytes_) {
    add_bytes(word);
    return ids;
  }
  for (std::size_t at = 0; at < word.size();) {
    const std::string_view character = word.substr(at, character_at(word, at).bytes);
    const auto found = characters_.find(std::string(character));
    if (found == characters_.end())
      add_bytes(character);
    else
      ids.push_back(found->second);
    at += character.size();
  }
  return ids;
}

// Merges the pair with the lowest rank first, the leftmost on ties. A priority queue of candidates avoids repeated searches.
void Tokenizer::merge_word(std::string_view word, std::vector<std::int32_t>& ids) const {
  struct Symbol {
    std::int32_t id;
    std::ptrdiff_t previous, next;  // −1 and symbols.size() at the ends
    bool alive = true;
  };
  struct Candidate {
    std::int32_t rank;
    std::size_t left;
    std::int32_t result;
    std::uint64_t pair;
    bool operator>(const Candidate& other) const { return rank != other.rank ? rank > other.rank : left > other.left; }
  };
  if (const auto found = whole_.find(std::string(word)); found != whole_.end()) return ids.push_back(found->second);
  std::vector<Symbol> symbols;
  for (const std::int32_t id : symbols_of(word)) {
    const auto at = static_cast<std::ptrdiff_t>(symbols.size());
    symbols.push_back({id, at - 1, at + 1});
  }
  const auto count = static_cast<std::ptrdiff_t>(symbols.size());
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
  const auto consider = [&](std::ptrdiff_t left) {
    if (left < 0 || symbols[left].next >= count) return;
    const std::uint64_t pair = pair_key(symbols[left].id, symbols[symbols[left].next].id);
    if (const auto merge = merges_.find(pair); merge != merges_.end()) {
      candidates.push({merge->second.rank, static_cast<std::size_t>(left), merge->second.result, pair});
    }
  };
  for (std::ptrdiff_t i = 0; i + 1 < count; ++i) consider(i);
  while (!candidates.empty()) {
    const Candidate best = candidates.top();
    candidates.pop();
    Symbol& left = symbols[best.left];
    if (!left.alive || left.next >= count || pair_key(left.id, symbols[left.next].id) != best.pair) continue;  // outdated
    Symbol& right = symbols[left.next];
    right.alive = false;
    left.id = best.result;
    left.next = right.next;
    if (left.next < count) symbols[left.next].previous = static_cast<std::ptrdiff_t>(best.left);
    consider(left.previous);
    consider(static_cast<std::ptrdiff_t>(best.left));
  }
  for (const Symbol& symbol : symbols) {
    if (symbol.alive) ids.push_back(symbol.id);
  }
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special) const {
  StreamDecoder decoder(*this, skip_special);
  std::string text;
  for (const std::int32_t id : ids) text += decoder.push(id);
  return text + decoder.finish();
}

std::string StreamDecoder::push(std::int32_t id) {
  const std::string& token = tokenizer_.bytes(id);
  std::string text;
  if (skip_special_ && tokenizer_.is_special(id)) return text;
  // The space that was put before the text goes.
  const bool drops_space = !has_begun_ && tokenizer_.prefix_ != Tokenizer::Prefix::none && token.starts_with(' ');
  has_begun_ = true;
  pending_ += drops_space ? token.substr(1) : token;
  take_characters(pending_, text);
  return text;
}

std::string StreamDecoder::finish() {
  const bool half = !pending_.empty();
  pending_.clear();
  return half ? "\xEF\xBF\xBD" : "";
}

}  // namespace fabula
