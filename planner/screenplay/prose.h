// A screenplay as the prompt that the planner understands: plain sentences, as tools/train/grammar_prompts.py words them.
#pragma once

#include <string>
#include <vector>

#include "planner/screenplay/scenes.h"

namespace fabula::screenplay {

struct Prose {
  std::string prompt;
  std::vector<std::string> left_out;  ///< what a prompt cannot say, each as a sentence with its line
};

/// "In the forest at night, a fox runs. The fox says: "hello moon."" Everything of the script passes through prompt_words
/// (planner/text/text.h), so that only what is spoken stands in quotation marks. Overrides understood: size (wide, medium), move (static,
/// push_in) and shots (a number) of the film; place and time of a scene; voice (man, woman) of a line. Throws Error(bad_data) when nothing
/// is to be filmed, or more than a prompt may hold.
[[nodiscard]] Prose prose_of(const Script&);

/// The way from a file to a prompt: parse_fountain, scenes_of, prose_of.
[[nodiscard]] Prose prose_of_fountain(std::string_view text);

}  // namespace fabula::screenplay
