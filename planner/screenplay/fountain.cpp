// Parses Fountain in two passes: bytes to lines (taking out boneyards and notes), then lines to elements.
#include <algorithm>
#include <array>
#include <iterator>

#include "base/error.h"
#include "planner/screenplay/screenplay.h"
#include "planner/text/text.h"
#include "planner/text/unicode.h"

namespace fabula::screenplay {
namespace {

[[noreturn]] void refuse(int line, const std::string& what) {
  throw Error(ExitCode::bad_data, "the screenplay, line " + std::to_string(line) + ": " + what);
}

// ---- lines

struct SourceLine {
  std::string text;
  int number = 0;
  std::vector<Element> notes = {};  // inside it, or on lines of their own below it
  bool had_comment = false;
};

bool is_blank(std::string_view line) { return trimmed(line).empty(); }

// An empty line ends a note, unless it holds two spaces.
bool has_empty_line(std::string_view note) {
  for (std::size_t at = note.find('\n'); at != std::string_view::npos; at = note.find('\n', at + 1)) {
    std::size_t end = at + 1;
    while (end < note.size() && (note[end] == ' ' || note[end] == '\t')) ++end;
    if (end < note.size() && note[end] == '\n' && end - at - 1 < 2) return true;
  }
  return false;
}

class LineReader {
 public:
  explicit LineReader(std::string_view text) : text_(text) {}

  // The first line is empty and carries the notes at the beginning of the file.
  std::vector<SourceLine> read() {
    lines_.emplace_back();
    at_line_.number = 1;
    for (std::size_t at = 0; at < text_.size();) {
      const std::string_view rest = text_.substr(at);
      if (rest.starts_with("/*"))
        at += skip(rest, "*/", "the comment that /* opens is never closed with */").size(), at_line_.had_comment = true;
      else if (rest.starts_with("[["))
        at += note(rest);
      else if (rest[0] == '\n')
        finish_line(), ++number_, ++at_line_.number, ++at;
      else
        at_line_.text += rest[0], ++at;
    }
    finish_line();
    return std::move(lines_);
  }

 private:
  // The text from an opening mark through its closing mark.
  std::string_view skip(std::string_view rest, std::string_view close, const char* fault) {
    const std::size_t end = rest.find(close, 2);
    if (end == std::string_view::npos) refuse(number_, fault);
    const std::string_view whole = rest.substr(0, end + close.size());
    number_ += static_cast<int>(std::count(whole.begin(), whole.end(), '\n'));
    return whole;
  }

  std::size_t note(std::string_view rest) {
    const int line = number_;
    constexpr const char* fault = "the note that [[ opens is not closed with ]] (an empty line inside a note needs two spaces)";
    const std::string_view whole = skip(rest, "]]", fault);
    const std::string_view inside = whole.substr(2, whole.size() - 4);
    if (has_empty_line(inside)) refuse(line, fault);
    at_line_.notes.push_back({ElementType::note, std::string(trimmed(inside)), line, {}, {}, false, 0});
    return whole.size();
  }

  void finish_line() {
    if (at_line_.notes.empty() || !is_blank(at_line_.text)) {
      lines_.push_back(std::move(at_line_));
    } else {  // a line with nothing but notes is dropped
      std::move(at_line_.notes.begin(), at_line_.notes.end(), std::back_inserter(lines_.back().notes));
    }
    at_line_ = {};
    at_line_.number = number_;
  }

  std::string_view text_;
  std::vector<SourceLine> lines_;
  SourceLine at_line_;
  int number_ = 1;
};

// Unifies line breaks and removes the byte-order mark.
std::string normalised(std::string_view text) {
  if (text.size() > largest_screenplay) {
    throw Error(ExitCode::bad_data, "the screenplay is larger than " + std::to_string(largest_screenplay >> 20U) + " MB");
  }
  if (text.find('\0') != std::string_view::npos)
    throw Error(ExitCode::bad_data, "the screenplay has a zero byte in it: it is not a text file");
  if (!is_utf8(text)) throw Error(ExitCode::bad_data, "the screenplay is not UTF-8 text");
  if (text.starts_with("\xef\xbb\xbf")) text.remove_prefix(3);
  std::string lines;
  lines.reserve(text.size());
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '\r')
      lines += text[at];
    else if (at + 1 == text.size() || text[at + 1] != '\n')
      lines += '\n';
  }
  return lines;
}

// ---- what a line is

bool is_ascii_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_alphanumeric(char c) { return is_ascii_letter(c) || (c >= '0' && c <= '9') || static_cast<unsigned char>(c) >= 0x80; }

// At least one capital, and no lower case. Scripts without letter case have neither.
bool is_upper(std::string_view text) {
  bool capitals = false;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = character_at(text, at);
    if (is_lowercase(c.code)) return false;
    capitals = capitals || is_uppercase(c.code);
    at += c.bytes;
  }
  return capitals;
}

// What begins and ends a screenplay: "FADE IN:", "FADE TO BLACK.", "THE END". Not to be filmed.
bool is_bracket(std::string_view line) {
  constexpr std::array<std::string_view, 10> brackets = {"FADE IN",  "FADE OUT", "FADE TO BLACK", "CUT TO BLACK", "SMASH CUT TO BLACK",
                                                         "IRIS OUT", "BLACKOUT", "THE END",       "END",          "FIN"};
  const std::size_t end = line.find_last_not_of(".: ");
  const std::string_view bare = line.substr(0, end == std::string_view::npos ? 0 : end + 1);
  return std::find(brackets.begin(), brackets.end(), bare) != brackets.end();
}

// A title page begins with one of the keys in use (fountain.io/syntax); "Once upon a time: a fox" is a story.
bool begins_title_page(std::string_view line) {
  constexpr std::array<std::string_view, 14> keys = {"title",   "credit",    "author", "authors",  "source", "draft date", "date",
                                                     "contact", "copyright", "notes",  "revision", "format", "language",   "episode"};
  const std::string key = lowercase(trimmed(line.substr(0, line.find(':'))));
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

bool is_heading(std::string_view line) {
  constexpr std::array<std::string_view, 9> prefixes = {"int./ext", "ext./int", "int/ext", "ext/int", "i/e", "e/i", "int", "ext", "est"};
  std::string head(line.substr(0, 9));
  std::transform(head.begin(), head.end(), head.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return std::any_of(prefixes.begin(), prefixes.end(), [&](std::string_view prefix) {
    return head.starts_with(prefix) && head.size() > prefix.size() && (head[prefix.size()] == '.' || head[prefix.size()] == ' ');
  });
}

// A single period before a letter or digit; "...and" is no heading.
bool is_forced_heading(std::string_view line) { return line.size() > 1 && line[0] == '.' && is_alphanumeric(line[1]); }

bool is_page_break(std::string_view line) { return line.size() >= 3 && line.find_first_not_of('=') == std::string_view::npos; }

// Whether the line begins a new element even inside a paragraph.
bool is_forced(std::string_view line) {
  return is_forced_heading(line) || std::string_view("!@~>#=").find(line[0]) != std::string_view::npos;
}

Element element(ElementType type, std::string_view text, int line) { return {type, std::string(text), line, {}, {}, false, 0}; }

// "INT. HOUSE - DAY #1A#"
Element heading_of(std::string_view text, int line) {
  Element heading = element(ElementType::scene_heading, text, line);
  const std::size_t open = text.size() < 3 || text.back() != '#' ? std::string_view::npos : text.rfind('#', text.size() - 2);
  if (open == std::string_view::npos) return heading;
  const std::string_view number = text.substr(open + 1, text.size() - open - 2);
  const bool valid =
      !number.empty() && std::all_of(number.begin(), number.end(), [](char c) { return is_alphanumeric(c) || c == '-' || c == '.'; });
  if (!valid) return heading;
  heading.scene_number = number;
  heading.text = trimmed(text.substr(0, open));
  return heading;
}

// "MOM (V.O.) (CONT'D) ^"; false if the line is not a name with extensions.
bool read_cue(std::string_view text, Element& cue) {
  cue.dual = text.ends_with('^');
  if (cue.dual) text = trimmed(text.substr(0, text.size() - 1));
  const std::size_t open = text.find('(');
  cue.text = trimmed(text.substr(0, open));
  if (cue.text.empty()) return false;
  for (std::string_view rest = open == std::string_view::npos ? std::string_view{} : text.substr(open); !rest.empty();) {
    const std::size_t close = rest.find(')');
    if (rest[0] != '(' || close == std::string_view::npos) return false;
    cue.extensions.emplace_back(trimmed(rest.substr(1, close - 1)));
    rest = trimmed(rest.substr(close + 1));
  }
  return true;
}

std::string without_tabs(std::string_view line) {
  std::string spaced;
  for (const char c : line) {
    if (c == '\t')
      spaced += "    ";
    else
      spaced += c;
  }
  return spaced.substr(0, spaced.find_last_not_of(' ') + 1);
}

// ---- elements

class Parser {
 public:
  explicit Parser(std::vector<SourceLine> lines) : lines_(std::move(lines)) {}

  Screenplay parse() {
    take_notes();  // of the empty first line
    while (at_ < lines_.size() && is_blank(lines_[at_].text)) take_notes();
    title_page();
    body_ = at_;
    while (at_ < lines_.size()) {
      if (is_blank(lines_[at_].text))
        take_notes();
      else
        next_element();
    }
    return std::move(play_);
  }

 private:
  std::string_view text(std::size_t at) const { return lines_[at].text; }
  std::string_view here() const { return trimmed(text(at_)); }
  bool blank_before() const { return at_ == body_ || is_blank(text(at_ - 1)); }
  bool blank_after() const { return at_ + 1 == lines_.size() || is_blank(text(at_ + 1)); }

  // Moves to the next line; the line's notes follow its element.
  void take_notes() {
    std::move(lines_[at_].notes.begin(), lines_[at_].notes.end(), std::back_inserter(play_.elements));
    ++at_;
  }

  void put_line(Element made) {
    play_.elements.push_back(std::move(made));
    take_notes();
  }

  // Puts the lines from here on, while `more()`, into one element.
  template <typename More, typename Text>
  void put_lines(ElementType type, More more, Text text_of) {
    Element made = element(type, text_of(text(at_)), lines_[at_].number);
    std::size_t end = at_ + 1;
    while (end < lines_.size() && more(end)) {
      made.text += '\n';
      made.text += text_of(text(end++));
    }
    made.text.erase(made.text.find_last_not_of('\n') + 1);
    play_.elements.push_back(std::move(made));
    while (at_ < end) take_notes();
  }

  // "Key: value"; values may also be indented below the key. "FADE IN:" with nothing below it is a transition.
  void title_page() {
    if (at_ == lines_.size() || !is_key(text(at_)) || !begins_title_page(text(at_))) return;
    const bool indented_below = at_ + 1 < lines_.size() && is_indented(text(at_ + 1));
    if (text(at_).substr(text(at_).find(':') + 1).find_first_not_of(" \t") == std::string_view::npos && !indented_below) return;
    for (; at_ < lines_.size() && !is_blank(text(at_)); take_notes()) {
      std::string_view line = text(at_);
      if (!is_indented(line) && is_key(line)) {
        const std::size_t colon = line.find(':');
        play_.title_page.push_back({std::string(trimmed(line.substr(0, colon))), {}, lines_[at_].number});
        line = line.substr(colon + 1);
      }
      if (!is_blank(line)) play_.title_page.back().values.emplace_back(trimmed(line));
    }
  }

  static bool is_indented(std::string_view line) { return !is_blank(line) && (line.starts_with("   ") || line.starts_with('\t')); }

  static bool is_key(std::string_view line) {
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos || colon == 0 || colon > 40 || !is_ascii_letter(line[0])) return false;
    return std::all_of(line.begin(), line.begin() + static_cast<std::ptrdiff_t>(colon),
                       [](char c) { return is_alphanumeric(c) || c == ' ' || c == '-' || c == '_'; });
  }

  void next_element() {
    const std::string_view line = here();
    const int number = lines_[at_].number;
    const std::string_view behind = trimmed(line.substr(1));
    if (is_page_break(line)) return put_line(element(ElementType::page_break, {}, number));
    if (line[0] == '=') return put_line(element(ElementType::synopsis, behind, number));
    if (line[0] == '#') return put_section(line, number);
    if (line[0] == '~') return put_line(element(ElementType::lyrics, behind, number));
    if (line[0] == '!') return put_action(text(at_).find('!') + 1);
    if (line[0] == '>')
      return line.size() > 1 && line.back() == '<'
                 ? put_line(element(ElementType::centred, trimmed(line.substr(1, line.size() - 2)), number))
                 : put_line(element(ElementType::transition, behind, number));
    if (is_forced_heading(line)) return put_line(heading_of(line.substr(1), number));
    if (const std::string plain = strip_emphasis(line); is_heading(plain) && blank_before()) return put_line(heading_of(plain, number));
    Element cue = element(ElementType::character, {}, number);
    if (line[0] == '@' && read_cue(behind, cue)) return put_speech(std::move(cue));
    // Checked untrimmed: a space after the colon makes it action again.
    if (((text(at_).ends_with("TO:") && is_upper(line)) || is_bracket(line)) && blank_before() && blank_after())
      return put_line(element(ElementType::transition, line, number));
    if (blank_before() && !blank_after() && read_cue(line, cue) && is_upper(cue.text)) return put_speech(std::move(cue));
    put_action(0);
  }

  void put_section(std::string_view line, int number) {
    const std::size_t title = std::min(line.find_first_not_of('#'), line.size());
    Element section = element(ElementType::section, trimmed(line.substr(title)), number);
    section.depth = static_cast<int>(title);
    put_line(std::move(section));
  }

  // `from`: the offset after the mark that forces the first line.
  void put_action(std::size_t from) {
    const std::size_t first = at_;
    put_lines(
        ElementType::action, [&](std::size_t at) { return !is_blank(text(at)) && !is_forced(trimmed(text(at))); },
        [&](std::string_view line) { return without_tabs(line.data() == text(first).data() ? line.substr(from) : line); });
  }

  void put_parenthetical(std::size_t last) {
    Element made = element(ElementType::parenthetical, {}, lines_[at_].number);
    for (std::size_t at = at_; at <= last; ++at) made.text += (made.text.empty() ? "" : " ") + std::string(trimmed(text(at)));
    made.text = trimmed(std::string_view(made.text).substr(1, made.text.size() - 2));
    play_.elements.push_back(std::move(made));
    while (at_ <= last) take_notes();
  }

  // Speech up to an empty line. A line of two or more spaces is a pause in it.
  void put_speech(Element cue) {
    put_line(std::move(cue));
    const auto spoken = [&](std::size_t at) {
      const bool is_pause = text(at).size() >= 2 || lines_[at].had_comment;  // a line that was nothing but a comment ends no speech
      return !is_blank(text(at)) || (is_pause && at + 1 < lines_.size());
    };
    // The last line of the parenthetical that begins here; it may run over several.
    const auto end_of_parenthetical = [&](std::size_t at) {
      if (!trimmed(text(at)).starts_with('(')) return lines_.size();
      while (at < lines_.size() && !is_blank(text(at)) && trimmed(text(at)).find(')') == std::string_view::npos) ++at;
      return at < lines_.size() && trimmed(text(at)).ends_with(')') ? at : lines_.size();
    };
    const auto is_parenthetical = [&](std::size_t at) { return end_of_parenthetical(at) < lines_.size(); };
    const auto is_sung = [&](std::size_t at) { return trimmed(text(at)).starts_with('~'); };
    while (at_ < lines_.size() && spoken(at_)) {
      const std::string_view line = here();
      if (line.empty())
        take_notes();
      else if (is_parenthetical(at_))
        put_parenthetical(end_of_parenthetical(at_));
      else if (is_sung(at_))
        put_line(element(ElementType::lyrics, trimmed(line.substr(1)), lines_[at_].number));
      else
        put_lines(
            ElementType::dialogue, [&](std::size_t at) { return spoken(at) && !is_parenthetical(at) && !is_sung(at); }, trimmed);
    }
  }

  std::vector<SourceLine> lines_;
  std::size_t at_ = 0, body_ = 0;
  Screenplay play_;
};

}  // namespace

Screenplay parse_fountain(std::string_view text) { return Parser(LineReader(normalised(text)).read()).parse(); }

bool looks_like_fountain(std::string_view text) {
  if (lowercase(trimmed(text).substr(0, 6)) == "title:") return true;
  for (bool after_blank = true; !text.empty();) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    if (after_blank && is_heading(strip_emphasis(line)) && line.find('.') != std::string_view::npos)
      return true;  // "EXT. BEACH", not "ext"
    after_blank = line.empty();
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return false;
}

std::string title_value(const Screenplay& play, std::string_view key) {
  std::string joined;
  for (const TitleEntry& entry : play.title_page) {
    if (lowercase(entry.key) != lowercase(key)) continue;
    for (const std::string& value : entry.values) joined += (joined.empty() ? "" : " ") + value;
  }
  return joined;
}

}  // namespace fabula::screenplay
