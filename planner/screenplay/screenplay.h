// A screenplay in Fountain (the syntax is described at fountain.io/syntax) as plain data, in the order of the file.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace fabula::screenplay {

constexpr std::size_t largest_screenplay = 4U << 20U;  ///< bytes; a feature film has about a twentieth of it

enum class ElementType {
  scene_heading,  ///< INT. EXT. EST. INT./EXT. I/E, or forced with "."
  action,         ///< a paragraph: its lines, with their indents; tabs are four spaces
  character,      ///< who speaks the parentheticals and dialogue that follow
  parenthetical,  ///< without its parentheses
  dialogue,       ///< the lines up to the next parenthetical, or the end of the block
  lyrics,         ///< one line
  transition,     ///< "CUT TO:", or forced with ">"
  centred,        ///< one line
  page_break,
  section,  ///< for the writer only, like synopses and notes
  synopsis,
  note,  ///< [[…]]; stands behind the element that it was written in or under
};

/// Text keeps its marks of emphasis (strip_emphasis removes them) and has lost the marks that made it what it is (forcing signs,
/// parentheses …).
struct Element {
  ElementType type = ElementType::action;
  std::string text;
  int line = 0;                         ///< where it begins, from 1
  std::string scene_number;             ///< of a heading: "1A" of #1A#
  std::vector<std::string> extensions;  ///< of a character: "V.O." of (V.O.)
  bool dual = false;                    ///< of a character: "^", speaks at the same time as the one before
  int depth = 0;                        ///< of a section: the number of "#"
};

struct TitleEntry {
  std::string key;                  ///< as written, "Draft date"
  std::vector<std::string> values;  ///< one a line
  int line = 0;
};

struct Screenplay {
  std::vector<TitleEntry> title_page;
  std::vector<Element> elements;
};

/// Reads a screenplay; boneyards (/* … */) and empty lines are gone, everything else is kept. Time and memory are linear in its size.
/// Throws Error(bad_data): not UTF-8, with a NUL byte, larger than largest_screenplay, a boneyard or note that is never closed (with its
/// line).
[[nodiscard]] Screenplay parse_fountain(std::string_view text);

/// The values of a title entry joined by a space; keys are compared without case; empty when there is none.
[[nodiscard]] std::string title_value(const Screenplay&, std::string_view key);

/// Without the marks of *italics*, **bold**, ***both*** and _underline_, and the backslashes of \* \_ \\. A mark opens before and closes
/// behind something that is no space, on the same line; one that finds no partner stays.
[[nodiscard]] std::string strip_emphasis(std::string_view text);

}  // namespace fabula::screenplay
