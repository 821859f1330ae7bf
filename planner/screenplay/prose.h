// Turns a screenplay into a prompt that the planner understands: plain sentences in the wording of tools/train/prompts/grammar_prompts.py.
#pragma once

#include <string>
#include <vector>

#include "planner/screenplay/scenes.h"

namespace fabula::screenplay {

struct Prose {
  std::string prompt;
  std::string title;                         ///< of the title page; empty: none
  bool fades_in = false, fades_out = false;  ///< "FADE IN:" before the first shot, "FADE OUT." after the last
  std::vector<std::string> left_out;         ///< what a prompt cannot say, one sentence each, with the line
};

/// "In the forest at night, a fox runs. The fox says: "hello moon."" All text of the script passes through prompt_words
/// (planner/text/text.h), so that only speech is in quotation marks. Supported overrides: size (wide, medium), move (static, push_in) and
/// shots (a number) of the film; place and time of a scene; voice (man, woman) of a line. Throws Error(bad_data) if there is nothing to
/// film or the prompt becomes too long.
[[nodiscard]] Prose prose_of(const Script&);

/// From the bytes of a file to a prompt: parse_fountain, scenes_of, prose_of.
[[nodiscard]] Prose prose_of_fountain(std::string_view text);

}  // namespace fabula::screenplay
