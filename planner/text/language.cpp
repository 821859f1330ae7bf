// Guesses a language from scripts and function words: enough to tell a person why a model does not understand them.
#include "planner/text/language.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "planner/text/spans.h"
#include "planner/text/text.h"
#include "planner/text/unicode.h"

namespace fabula {
namespace {

// Unicode's blocks of a script that belongs to one language more than to others. Kana come before Han: Japanese uses both.
struct Script {
  std::int32_t first, last;
  const char *tag, *name;
};
constexpr Script scripts[] = {
    {0x3040, 0x30FF, "ja", "Japanese"}, {0xAC00, 0xD7A3, "ko", "Korean"}, {0x4E00, 0x9FFF, "zh", "Chinese"},
    {0x0400, 0x04FF, "ru", "Russian"},  {0x0370, 0x03FF, "el", "Greek"},  {0x0590, 0x05FF, "he", "Hebrew"},
    {0x0600, 0x06FF, "ar", "Arabic"},   {0x0900, 0x097F, "hi", "Hindi"},  {0x0E00, 0x0E7F, "th", "Thai"},
};

// The commonest words of a language that are no words of English.
struct FunctionWords {
  const char *tag, *name, *words;
};
constexpr FunctionWords languages[] = {
    {"de", "German",
     " der das ein eine einen einem einer und ist im am auf mit zum zur von sie er es nicht sagt dann geht durch über nachts "},
    {"fr", "French", " le la les un une des du et est dans sur avec au aux il elle dit puis par pour qui court nuit "},
    {"es", "Spanish", " el la los las un una unos y es en con por para al del que dice luego corre noche "},
    {"it", "Italian", " il lo la gli un una e di nel nella sul sulla con che dice poi corre notte della "},
    {"pt", "Portuguese", " o os um uma e em no na com por para do da que diz depois corre noite "},
    {"nl", "Dutch", " de het een en op met van zegt dan naar niet loopt door nacht hij zij "},
    {"pl", "Polish", " w na i z do nie jest się przez mówi potem nocą który "},
    {"sv", "Swedish", " en ett och är på med av till som inte säger sedan springer natten "},
};
constexpr std::string_view english = " a an the and is in on at of to with it he she they says then runs for by ";

std::size_t count_in(std::string_view words, const std::vector<std::string>& text) {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [&](const std::string& word) { return words.find(" " + word + " ") != std::string_view::npos; }));
}

// The script of at least a third of the letters: a sentence in it has few letters beside a name in Latin ones.
const Script* script_of(std::string_view text) {
  std::array<std::size_t, std::size(scripts)> counts{};
  std::size_t letters = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Character c = character_at(text, at);
    at += c.bytes;
    if (c.kind != CharKind::letter) continue;
    ++letters;
    for (std::size_t i = 0; i < counts.size(); ++i) counts[i] += c.code >= scripts[i].first && c.code <= scripts[i].last ? 1 : 0;
  }
  if (counts[0] > 0) counts[0] += counts[2];  // Han among kana
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (counts[i] * 3 > letters) return &scripts[i];
  }
  return nullptr;
}

}  // namespace

Language language_of(std::string_view text) {
  if (const Script* script = script_of(text)) return {script->tag, script->name};
  std::vector<std::string> words;
  for (const TextSpan& word : words_of(text)) words.push_back(lowercase(word.of(text)));
  const FunctionWords* best = nullptr;
  std::size_t most = std::max<std::size_t>(1, count_in(english, words));
  for (const FunctionWords& language : languages) {
    const std::size_t count = count_in(language.words, words);
    if (count > most) most = count, best = &language;
  }
  return best == nullptr ? Language{} : Language{best->tag, best->name};
}

}  // namespace fabula
