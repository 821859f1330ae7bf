// Breaks a subtitle's text into units that stay together, and chooses the breaks between them.
#include "engine/film/subtitle_lines.h"

#include <utf8proc.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace fabula {
namespace {

// What a reader sees as one character.
struct Grapheme {
  std::string text;
  std::int32_t code = 0;  // of its first code point
  int columns = 0;
};

std::vector<Grapheme> graphemes_of(std::string_view text) {
  std::vector<Grapheme> found;
  const auto* bytes = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  std::int32_t before = -1, state = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::int32_t code = 0;
    const auto length = utf8proc_iterate(bytes + at, static_cast<utf8proc_ssize_t>(text.size() - at), &code);
    if (length < 1) {  // no character starts here
      ++at;
      continue;
    }
    if (before < 0 || utf8proc_grapheme_break_stateful(before, code, &state)) found.push_back({{}, code, 0});
    found.back().text += text.substr(at, static_cast<std::size_t>(length));
    found.back().columns = std::max(found.back().columns, utf8proc_charwidth(code));
    before = code;
    at += static_cast<std::size_t>(length);
  }
  return found;
}

bool is_space(const Grapheme& g) {
  const utf8proc_category_t category = utf8proc_category(g.code);
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP ||
         (g.code >= '\t' && g.code <= '\r');
}

bool is_invisible(const Grapheme& g) {
  const utf8proc_category_t category = utf8proc_category(g.code);
  return category == UTF8PROC_CATEGORY_CC || category == UTF8PROC_CATEGORY_CF || category == UTF8PROC_CATEGORY_CN;
}

bool is_opening(const Grapheme& g) {
  const utf8proc_category_t category = utf8proc_category(g.code);
  return category == UTF8PROC_CATEGORY_PS || category == UTF8PROC_CATEGORY_PI;
}
// Includes the marks that Japanese does not begin a line with: the prolonged sound and small kana.
bool is_closing(const Grapheme& g) {
  const utf8proc_category_t category = utf8proc_category(g.code);
  static constexpr std::u32string_view kana = U"ーぁぃぅぇぉっゃゅょァィゥェォッャュョ々";
  return category == UTF8PROC_CATEGORY_PE || category == UTF8PROC_CATEGORY_PF || category == UTF8PROC_CATEGORY_PO ||
         kana.find(static_cast<char32_t>(g.code)) != std::u32string_view::npos;
}

// What a line is not broken inside.
struct Unit {
  std::string text;
  int columns = 0;
  bool space_before = false;
};

int columns_with_space(const Unit& unit) { return unit.columns + (unit.space_before ? 1 : 0); }

std::vector<Unit> units_of(const std::string& text, int most_columns) {
  std::vector<Unit> units;
  bool space = false;
  const Grapheme* before = nullptr;
  const std::vector<Grapheme> graphemes = graphemes_of(text);
  for (const Grapheme& g : graphemes) {
    if (is_space(g)) {
      space = true;
      continue;
    }
    const bool in_wide = before != nullptr && (g.columns > 1 || before->columns > 1);
    const bool may_break = units.empty() || space || (in_wide && !is_closing(g) && !is_opening(*before));
    if (may_break || units.back().columns + g.columns > most_columns) units.push_back({{}, 0, space && !units.empty()});
    units.back().text += g.text;
    units.back().columns += g.columns;
    space = false;
    before = &g;
  }
  return units;
}

std::string text_of(std::span<const Unit> units) {
  std::string text;
  for (const Unit& unit : units) text += (unit.space_before && !text.empty() ? " " : "") + unit.text;
  return text;
}

int columns_of_units(std::span<const Unit> units) {
  int columns = units.empty() || !units.front().space_before ? 0 : -1;
  for (const Unit& unit : units) columns += columns_with_space(unit);
  return columns;
}

// How good a place for a break the end of a unit is, in columns that it may be away from the best width.
int worth_of_break(const Unit& unit) {
  static constexpr std::string_view sentences[] = {".", "!", "?", "…", "。", "！", "？"},
                                    clauses[] = {",", ";", ":", "、", "，", "；", "—", "–"};
  const auto ends_with = [&](std::string_view mark) { return unit.text.ends_with(mark); };
  if (std::any_of(std::begin(sentences), std::end(sentences), ends_with)) return 12;
  if (std::any_of(std::begin(clauses), std::end(clauses), ends_with)) return 4;
  return 0;
}

// The number of units in front of the break nearest to `columns`, sentences and clauses preferred; at least one unit on each side.
// `weight`: how much more these matter than the width. `fits(n)` says whether n units may be in front.
template <typename Fits>
std::size_t best_break(std::span<const Unit> units, int columns, int weight, const Fits& fits) {
  std::size_t best = 1;
  int least = std::numeric_limits<int>::max(), before = 0;
  for (std::size_t n = 1; n < units.size(); ++n) {
    before += columns_with_space(units[n - 1]);
    if (!fits(n)) continue;
    const int cost = std::abs(before - columns) - weight * worth_of_break(units[n - 1]);
    if (cost < least) {
      least = cost;
      best = n;
    }
  }
  return best;
}

// One line if it fits, else two; empty if two do not hold it.
std::vector<std::string> lines_of(std::span<const Unit> units, int most_columns) {
  const int columns = columns_of_units(units);
  if (columns <= most_columns) return {text_of(units)};
  const auto fits = [&](std::size_t n) {
    return columns_of_units(units.first(n)) <= most_columns && columns_of_units(units.subspan(n)) <= most_columns;
  };
  const std::size_t n = best_break(units, columns / 2, 1, fits);
  if (units.size() < 2 || !fits(n)) return {};
  return {text_of(units.first(n)), text_of(units.subspan(n))};
}

}  // namespace

SubtitleLimits subtitle_limits(const std::string& language, const std::string& text) {
  SubtitleLimits limits;
  const std::string primary = language.substr(0, language.find('-'));
  if (primary == "ja") limits.wide_per_second = 4.0;
  if (primary == "ko") limits.wide_per_second = 12.0;
  const std::vector<Grapheme> graphemes = graphemes_of(text);
  const bool is_wide = std::any_of(graphemes.begin(), graphemes.end(), [](const Grapheme& g) { return g.columns > 1; });
  if (is_wide) limits.columns = primary == "ja" ? 26 : 32;
  return limits;
}

std::string subtitle_text(const std::string& text) {
  std::string clean;
  bool space = false;
  for (const Grapheme& g : graphemes_of(text)) {
    if (is_space(g)) {
      space = !clean.empty();
    } else if (!is_invisible(g)) {
      clean += (space ? " " : "") + g.text;
      space = false;
    }
  }
  return clean;
}

int columns_of(const std::string& text) {
  int columns = 0;
  for (const Grapheme& g : graphemes_of(text)) columns += g.columns;
  return columns;
}

int reading_ms(const std::string& text, const SubtitleLimits& limits) {
  double seconds = 0.0;
  for (const Grapheme& g : graphemes_of(text)) seconds += 1.0 / (g.columns > 1 ? limits.wide_per_second : limits.narrow_per_second);
  return static_cast<int>(std::lround(1000.0 * seconds));
}

std::vector<std::vector<std::string>> subtitle_pieces(const std::string& text, const SubtitleLimits& limits) {
  const std::vector<Unit> units = units_of(text, limits.columns);
  std::vector<std::vector<std::string>> pieces;
  std::span<const Unit> rest = units;
  while (!rest.empty()) {
    std::vector<std::string> lines = lines_of(rest, limits.columns);
    std::size_t taken = rest.size();
    if (lines.empty()) {  // divided evenly among as many pieces as it takes
      const int columns = columns_of_units(rest), whole = limits.columns * static_cast<int>(SubtitleLimits::lines);
      const int count = (columns + whole - 1) / whole;
      taken = best_break(rest, columns / std::max(count, 2), 3,
                         [&](std::size_t n) { return !lines_of(rest.first(n), limits.columns).empty(); });
      lines = lines_of(rest.first(taken), limits.columns);
    }
    pieces.push_back(std::move(lines));
    rest = rest.subspan(taken);
  }
  return pieces;
}

}  // namespace fabula
