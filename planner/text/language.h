// Guesses the language of a text.
#pragma once

#include <string>
#include <string_view>

namespace fabula {

/// A language by its tag (BCP 47) and its English name.
struct Language {
  std::string tag, name;
};

/// The language of a text: by its script where that tells, else by the function words of eight languages. A guess for whole sentences;
/// empty where there are too few of them, and for a text that may be English.
[[nodiscard]] Language language_of(std::string_view text);

}  // namespace fabula
