// A screenplay in Fountain (syntax: fountain.io/syntax) as plain data, in file order.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fabula::screenplay {

constexpr std::size_t largest_screenplay = 4U << 20U;  ///< bytes; about 20 times a feature film

enum class ElementType {
  scene_heading,  ///< INT. EXT. EST. INT./EXT. I/E, or forced with "."
  action,         ///< a paragraph: its lines with their indents, tabs as four spaces
  character,      ///< the speaker of the parentheticals and dialogue that follow
  parenthetical,  ///< without its parentheses
  dialogue,       ///< the lines up to the next parenthetical, or the end of the block
  lyrics,         ///< one line
  transition,     ///< "CUT TO:", or forced with ">"
  centred,        ///< one line
  page_break,
  section,  ///< for the writer only, like synopses and notes
  synopsis,
  note,  ///< [[…]]; comes after the element that it was written in or under
};

/// The text keeps its emphasis marks (see strip_emphasis) but not the marks of its type (forcing signs, parentheses …).
struct Element {
  ElementType type = ElementType::action;
  std::string text;
  int line = 0;                         ///< of its beginning, from 1
  std::string scene_number;             ///< of a heading: "1A" of #1A#
  std::vector<std::string> extensions;  ///< of a character: "V.O." of (V.O.)
  bool dual = false;                    ///< of a character: "^", speaks at the same time as the previous one
  int depth = 0;                        ///< of a section: the number of "#"
};

struct TitleEntry {
  std::string key;                  ///< as written, "Draft date"
  std::vector<std::string> values;  ///< one per line
  int line = 0;
};

struct Screenplay {
  std::vector<TitleEntry> title_page;
  std::vector<Element> elements;
};

/// Reads a screenplay; drops boneyards (/* … */) and empty lines and keeps everything else. Time and memory are linear in its size. Throws
/// Error(bad_data) for text that is not UTF-8, holds a NUL byte or exceeds largest_screenplay, and for an unclosed boneyard or note (naming
/// its line).
[[nodiscard]] Screenplay parse_fountain(std::string_view text);

/// Whether a text is a screenplay rather than a prompt: a line of it is a scene heading after an empty line (or the first), or it begins
/// with "Title:".
[[nodiscard]] bool looks_like_fountain(std::string_view text);

/// The values of a title entry, joined by spaces; empty if there is none. Keys ignore case.
[[nodiscard]] std::string title_value(const Screenplay&, std::string_view key);

/// Removes the marks of *italics*, **bold**, ***both*** and _underline_, and the backslashes of \* \_ \\. Marks pair within a line, with no
/// space on their inner side; a mark without a partner stays.
[[nodiscard]] std::string strip_emphasis(std::string_view text);

}  // namespace fabula::screenplay
