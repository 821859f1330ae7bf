// Reads fades from a prompt and sets them in a plan.
#include "planner/oracle/fades.h"

#include <algorithm>
#include <initializer_list>
#include <string>

#include "planner/text/text.h"

namespace fabula::oracle {
namespace {

constexpr int usual_ms = 1000, shortest_ms = 250;  // a fade of a second does not hide what happens; below a quarter it looks like a cut

constexpr std::string_view sentence_ends = ".!?\n";

// What is spoken asks for nothing.
bool asks(std::string_view sentence, std::initializer_list<std::string_view> phrases) {
  constexpr std::string_view of_speech = "\"“”«»„:";
  if (sentence.find_first_of(of_speech) != std::string_view::npos) return false;
  return std::any_of(phrases.begin(), phrases.end(),
                     [&](std::string_view phrase) { return sentence.find(phrase) != std::string_view::npos; });
}

int fade_ms(int free_ms, int shot_ms) { return std::min(std::clamp(free_ms, shortest_ms, usual_ms), shot_ms - 1); }

}  // namespace

Fades fades_of(std::string_view prompt) {
  const std::string text = lowercase(prompt);
  const std::string_view all = trimmed(text), first = all.substr(0, all.find_first_of(sentence_ends));
  const std::size_t end = all.find_last_not_of(sentence_ends);
  const std::string_view bare = all.substr(0, end == std::string_view::npos ? 0 : end + 1);
  const std::size_t before = bare.find_last_of(sentence_ends);
  const std::string_view last = before == std::string_view::npos ? bare : bare.substr(before + 1);
  return {asks(first, {"fade in", "fades in", "fade from black", "fades from black"}),
          asks(last, {"fade out", "fades out", "fade to black", "fades to black"})};
}

void set_fades(plan::Film& film, const Fades& fades) {
  if (film.shots.empty()) return;
  plan::Shot& first = film.shots.front();
  if (fades.in && first.transition.kind == "cut") first.transition = {"fade", fade_ms(usual_ms, first.duration_ms)};
  if (!fades.out || film.ending.kind != "cut") return;
  int spoken_ms = 0;
  for (const plan::Shot& shot : film.shots) {
    for (const plan::Line& line : shot.dialogue) spoken_ms = std::max(spoken_ms, line.end_ms);
  }
  film.ending = {"fade", fade_ms(film.total_ms - spoken_ms, film.shots.back().duration_ms)};
}

}  // namespace fabula::oracle
