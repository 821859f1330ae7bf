// Wraps utf8proc: composition, character classes and well-formedness.
#include "planner/text/unicode.h"

#include <utf8proc.h>

#include <cstdlib>
#include <memory>

#include "base/error.h"

namespace fabula {
namespace {

// The White_Space property.
bool is_space(std::int32_t code) {
  return (code >= 0x09 && code <= 0x0D) || code == 0x20 || code == 0x85 || code == 0xA0 || code == 0x1680 ||
         (code >= 0x2000 && code <= 0x200A) || code == 0x2028 || code == 0x2029 || code == 0x202F || code == 0x205F || code == 0x3000;
}

const utf8proc_uint8_t* bytes_of(std::string_view text) { return reinterpret_cast<const utf8proc_uint8_t*>(text.data()); }

// How many bytes a lead byte announces (0: it is no lead byte), and the range of the second byte (Unicode, table 3-7).
struct Lead {
  std::size_t length = 0;
  unsigned low = 0x80, high = 0xBF;
};

Lead lead_of(unsigned char byte) {
  if (byte < 0x80) return {1};
  if (byte >= 0xC2 && byte <= 0xDF) return {2};
  if (byte == 0xE0) return {3, 0xA0, 0xBF};
  if (byte == 0xED) return {3, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {3};
  if (byte == 0xF0) return {4, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {4};
  if (byte == 0xF4) return {4, 0x80, 0x8F};
  return {};
}

}  // namespace

CharKind kind_of(std::int32_t code) {
  if (code == '\r' || code == '\n') return CharKind::newline;
  if (is_space(code)) return CharKind::space;
  switch (utf8proc_category(code)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
      return CharKind::letter;
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return CharKind::number;
    default:
      return CharKind::other;
  }
}

std::size_t well_formed_prefix(std::string_view text, std::size_t& broken) {
  std::size_t at = 0;
  broken = 0;
  while (at < text.size()) {
    const Lead lead = lead_of(static_cast<unsigned char>(text[at]));
    std::size_t have = lead.length == 0 ? 0 : 1;
    while (have > 0 && have < lead.length && at + have < text.size()) {
      const unsigned byte = static_cast<unsigned char>(text[at + have]);
      const bool fits = have == 1 ? byte >= lead.low && byte <= lead.high : byte >= 0x80 && byte <= 0xBF;
      if (!fits) break;
      ++have;
    }
    if (lead.length != 0 && have == lead.length) {
      at += have;
    } else {
      const bool cut_short = lead.length != 0 && at + have == text.size();
      if (!cut_short) broken = have == 0 ? 1 : have;
      return at;
    }
  }
  return at;
}

bool is_utf8(std::string_view text) {
  std::size_t broken = 0;
  return well_formed_prefix(text, broken) == text.size();
}

std::string nfc(std::string_view text) {
  utf8proc_uint8_t* composed = nullptr;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE);
  const utf8proc_ssize_t length = utf8proc_map(bytes_of(text), static_cast<utf8proc_ssize_t>(text.size()), &composed, options);
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(composed, &std::free);
  if (length < 0) throw Error(ExitCode::bad_data, "the text is not valid UTF-8");
  return {reinterpret_cast<const char*>(composed), static_cast<std::size_t>(length)};
}

Character character_at(std::string_view text, std::size_t at) {
  utf8proc_int32_t code = 0;
  const utf8proc_ssize_t bytes = utf8proc_iterate(bytes_of(text) + at, static_cast<utf8proc_ssize_t>(text.size() - at), &code);
  if (bytes <= 0) return {};
  return {kind_of(code), code, static_cast<std::size_t>(bytes)};
}

}  // namespace fabula
