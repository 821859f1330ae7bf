// Estimates how long a text takes to speak.
#include "planner/check/speech.h"

#include <algorithm>

#include "planner/text/unicode.h"

namespace fabula::plan {
namespace {

// The fastest speech of a language in letters and digits per second: its syllable rate (Pellegrino, Coupé and Marsico 2011) times the
// letters per syllable, plus a tenth. Characters from `beyond` on belong to other scripts, which the language's voices skip.
struct Speech {
  const char* language;
  double letters_per_second;
  std::int32_t beyond;
};
constexpr std::int32_t ascii = 0x80, alphabets = 0x2E80, all = 0x110000;
constexpr Speech speeches[] = {{"en", 20.0, ascii}, {"zh", 7.0, all}, {"ja", 10.0, all}, {"ko", 9.0, all}};
constexpr Speech other_language = {"", 22.0, alphabets};

constexpr double faster = 1.3, slower = 0.7;
constexpr double grace_ms = 400.0;  // a short word takes less time than its letters suggest

Speech speech_of(const std::string& language) {
  const std::string main = language.substr(0, language.find('-'));  // "en-GB"
  for (const Speech& speech : speeches) {
    if (main == speech.language) return speech;
  }
  return other_language;
}

// The letters and digits that take time. A drawn-out letter ("nooooo") counts twice.
int spoken_letters(const std::string& text, const Speech& speech) {
  int count = 0, run = 0;
  std::int32_t last = 0;
  for (std::size_t i = 0; i < text.size();) {
    const fabula::Character character = character_at(text, i);
    i += character.bytes;
    run = character.code == last ? run + 1 : 1;
    last = character.code;
    const bool is_spoken = character.kind == CharKind::letter || character.kind == CharKind::number;
    if (is_spoken && character.code < speech.beyond && run <= 2) ++count;
  }
  return count;
}

double letters_per_second(const Speech& speech, const std::string& pace) {
  return speech.letters_per_second * (pace == "fast" ? faster : pace == "slow" ? slower : 1.0);
}

}  // namespace

int spoken_ms(const std::string& text, const std::string& language, const std::string& pace) {
  const Speech speech = speech_of(language);
  return static_cast<int>(1000.0 * spoken_letters(text, speech) / letters_per_second(speech, pace) - grace_ms);
}

std::string pace_of(const Film& film, const std::string& speaker) {
  const auto found = std::find_if(film.characters.begin(), film.characters.end(), [&](const auto& c) { return c.id == speaker; });
  return found == film.characters.end() ? "" : found->voice.pace;
}

std::size_t letters_in(int ms, const std::string& language, const std::string& pace) {
  return static_cast<std::size_t>(std::max(0.0, (ms + grace_ms) * letters_per_second(speech_of(language), pace) / 1000.0));
}

}  // namespace fabula::plan
