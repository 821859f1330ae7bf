// A prompt as the things that it mentions, sentence by sentence.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "planner/oracle/words.h"
#include "planner/text/spans.h"

namespace fabula::oracle {

/// A word, a phrase, a sign or something said.
struct Mention {
  enum class What { meaning, unknown, line, comma, colon } what = What::meaning;
  Meaning meaning = {Kind::small};  ///< of What::meaning
  std::string word = {};            ///< of What::unknown, in lower case
  TextSpan span = {0, 0};           ///< of the prompt; of a line without its quotes

  [[nodiscard]] bool is(Kind kind) const { return what == What::meaning && meaning.kind == kind; }
};

using Sentence = std::vector<Mention>;

/// Sentences end with . ! ? ; or a line break. What is said aloud, quoted or after "says", is one mention, whatever signs it holds.
[[nodiscard]] std::vector<Sentence> sentences_of(std::string_view prompt, const Lexicon&);

}  // namespace fabula::oracle
