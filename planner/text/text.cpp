// Case, prompt-safe words and printable lines, for text from strangers.
#include "planner/text/text.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

#include "planner/text/unicode.h"

namespace fabula {
namespace {

constexpr std::string_view white = " \t\r\n\v\f";

// What a code point may be in a prompt.
enum class Role { word, mark, space, sign, nothing };

Role role_of(std::int32_t code) {
  if (utf8proc_get_property(code)->ignorable) return Role::nothing;  // fillers, joiners, selectors: invisible letters and marks
  if (const CharKind kind = kind_of(code); kind == CharKind::letter || kind == CharKind::number) return Role::word;
  switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_MC:
    case UTF8PROC_CATEGORY_ME:
      return Role::mark;
    case UTF8PROC_CATEGORY_CF:
      return Role::nothing;
    case UTF8PROC_CATEGORY_SC:
      return Role::sign;  // currencies: "$5"
    default:
      break;
  }
  constexpr std::string_view signs = ".,;:!?-()%";
  return code > 0 && code < 0x80 && signs.find(static_cast<char>(code)) != std::string_view::npos ? Role::sign : Role::space;
}

bool is_apostrophe(std::int32_t code) { return code == '\'' || code == 0x2019; }

bool is_letter(const Character& c) { return c.kind == CharKind::letter; }

// Calls take(bytes, code) for each character of any bytes; code is -1 for bytes that are no character.
template <typename Take>
void each_character(std::string_view text, Take take) {
  while (!text.empty()) {
    std::size_t broken = 0;
    const std::size_t good = well_formed_prefix(text, broken);
    for (std::size_t at = 0; at < good;) {
      const Character c = character_at(text, at);
      take(text.substr(at, c.bytes), c.code);
      at += c.bytes;
    }
    if (good == text.size()) return;
    if (broken == 0) broken = text.size() - good;  // a character that lacks its last bytes
    take(text.substr(good, broken), -1);
    text.remove_prefix(good + broken);
  }
}

void append(std::string& text, std::int32_t code) {
  utf8proc_uint8_t bytes[4];
  text.append(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(utf8proc_encode_char(code, bytes)));
}

}  // namespace

bool is_lowercase(std::int32_t code) { return utf8proc_category(code) == UTF8PROC_CATEGORY_LL; }
bool is_uppercase(std::int32_t code) { return utf8proc_category(code) == UTF8PROC_CATEGORY_LU; }

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string lowercase(std::string_view text) {
  std::string lower;
  each_character(text, [&](std::string_view bytes, std::int32_t code) {
    if (code < 0)
      lower += bytes;
    else
      append(lower, utf8proc_tolower(code));
  });
  return lower;
}

std::string without_accents(std::string_view text) {
  constexpr auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT | UTF8PROC_STRIPMARK);
  utf8proc_uint8_t* stripped = nullptr;
  const utf8proc_ssize_t length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(text.data()), static_cast<utf8proc_ssize_t>(text.size()), &stripped, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(stripped, &std::free);
  return length < 0 ? std::string(text) : std::string(reinterpret_cast<const char*>(stripped), static_cast<std::size_t>(length));
}

std::string_view trimmed(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(white);
  return begin == std::string_view::npos ? std::string_view{} : text.substr(begin, text.find_last_not_of(white) + 1 - begin);
}

std::string prompt_words(std::string_view text, std::size_t most_bytes) {
  std::string well_formed;
  each_character(text, [&](std::string_view bytes, std::int32_t code) { well_formed += code < 0 ? std::string_view(" ") : bytes; });
  // Compose before choosing characters: composition turns some signs into ASCII ones.
  const std::string composed = nfc(well_formed);
  std::string words;
  bool gap = false, after_letter = false;
  const auto put = [&](std::string_view bytes) {
    const bool closes = bytes.size() == 1 && std::string_view(".,;:!?)%").find(bytes[0]) != std::string_view::npos;
    const bool space = gap && !words.empty() && !closes;
    gap = false;
    if (words.size() + bytes.size() + (space ? 1 : 0) > most_bytes) return false;
    if (space) words += ' ';
    words += bytes;
    return true;
  };
  for (std::size_t at = 0; at < composed.size();) {
    const Character c = character_at(composed, at);
    const std::string_view bytes = std::string_view(composed).substr(at, c.bytes);
    at += c.bytes;
    if (is_apostrophe(c.code)) {
      const bool inside = after_letter && !gap && at < composed.size() && is_letter(character_at(composed, at)) &&
                          role_of(character_at(composed, at).code) == Role::word;
      // The apostrophe is put together with the letter after it, so that no cut leaves it at the end.
      if (inside) {
        const std::size_t next = character_at(composed, at).bytes;
        if (!put("'" + composed.substr(at, next))) return nfc(words);
        at += next;
      } else {
        gap = true;
        after_letter = false;
      }
      continue;
    }
    switch (role_of(c.code)) {
      case Role::nothing:
        break;
      case Role::space:
        gap = true;
        after_letter = false;
        break;
      case Role::mark:
        if (gap || words.empty()) break;  // a mark on nothing
        [[fallthrough]];
      case Role::word:
      case Role::sign:
        if (!put(bytes)) return nfc(words);
        if (role_of(c.code) != Role::mark) after_letter = is_letter(c);
        break;
    }
  }
  return nfc(words);  // recompose, because characters between a letter and its mark are gone
}

std::string printable(std::string_view text) {
  const auto is_hidden = [](std::int32_t code) {
    const auto category = utf8proc_category(code);
    return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_CN ||
           category == UTF8PROC_CATEGORY_CO || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP ||
           utf8proc_get_property(code)->ignorable;
  };
  std::string shown;
  each_character(text, [&](std::string_view bytes, std::int32_t code) {
    if (code == '\n' || code == '\t')
      shown += ' ';
    else
      shown += code < 0 || is_hidden(code) ? std::string_view("\xef\xbf\xbd") : bytes;
  });
  return shown;
}

}  // namespace fabula
