// How a subtitle's text is measured and broken into lines. Wraps utf8proc.
#pragma once

#include <string>
#include <vector>

namespace fabula {

/// Limits of one subtitle in a language, after the timed-text guides of broadcasters: 42 columns and 17 characters a second; for Chinese,
/// Japanese and Korean 16, 13 and 16 characters a line and 9, 4 and 12 of them a second. A wide character takes two columns.
struct SubtitleLimits {
  int columns = 42;
  double narrow_per_second = 17.0, wide_per_second = 9.0;
  static constexpr std::size_t lines = 2;
};
/// `language`: BCP 47. The columns are those of wide characters only where the text has some.
[[nodiscard]] SubtitleLimits subtitle_limits(const std::string& language, const std::string& text);

/// The text on one line: white space becomes single spaces; controls and invisible direction characters go.
[[nodiscard]] std::string subtitle_text(const std::string& text);
/// In columns of a fixed-width font.
[[nodiscard]] int columns_of(const std::string& text);
/// How long it takes to read, in ms.
[[nodiscard]] int reading_ms(const std::string& text, const SubtitleLimits&);

/// The pieces into which a text is divided so that each fits a subtitle: cut after a sentence or a comma where one is near, else between
/// words (in wide scripts between characters, but not before closing punctuation); a longer word is broken. Each piece is its lines, the
/// two of about one width. Nothing but spaces is lost.
[[nodiscard]] std::vector<std::vector<std::string>> subtitle_pieces(const std::string& text, const SubtitleLimits&);

}  // namespace fabula
