// Splits a prompt into sentences of mentions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "planner/oracle/words.h"
#include "planner/text/spans.h"

namespace fabula::oracle {

/// A word, a phrase, a sign or a spoken line.
struct Mention {
  enum class What { meaning, unknown, line, comma, colon } what = What::meaning;
  Meaning meaning = {Kind::small};  ///< of What::meaning
  std::string word = {};            ///< of What::unknown, in lower case
  TextSpan span = {0, 0};           ///< in the prompt; a line's excludes its quotes

  [[nodiscard]] bool is(Kind kind) const { return what == What::meaning && meaning.kind == kind; }
};

using Sentence = std::vector<Mention>;

/// Sentences end with . ! ? ; or a line break. A spoken line, quoted or after "says", is one mention, with all signs in it.
[[nodiscard]] std::vector<Sentence> sentences_of(std::string_view prompt, const Lexicon&);

}  // namespace fabula::oracle
