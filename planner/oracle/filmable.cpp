// Refuses prompts of which a world can show nothing, and words what a person should know about a plan.
#include "planner/oracle/filmable.h"

#include <algorithm>

#include "base/error.h"
#include "planner/oracle/words.h"
#include "planner/text/language.h"
#include "planner/text/names.h"
#include "planner/text/text.h"

namespace fabula::oracle {
namespace {

bool shows_something(const Story& story) {
  return std::any_of(story.events.begin(), story.events.end(), [](const Event& event) {
    return !event.place.empty() || !event.time.empty() || !event.weather.empty() || !event.props.empty() || !event.line.empty() ||
           std::any_of(event.roles.begin(), event.roles.end(), [](const Role& role) { return role.is_named; });
  });
}

// The prompt without its spoken lines, which may be in any language.
std::string told(std::string_view prompt, const Story& story) {
  std::string text(prompt);
  for (const TextSpan& line : story.lines)
    std::fill(text.begin() + static_cast<std::ptrdiff_t>(line.begin), text.begin() + static_cast<std::ptrdiff_t>(line.end), ' ');
  return text;
}

std::string quoted(const std::vector<std::string>& spans) {
  std::string text;
  for (const std::string& span : spans) text += (text.empty() ? "\"" : ", \"") + span + "\"";
  return text;
}

std::string first_few(const std::vector<std::string>& names) {
  constexpr std::size_t few = 12;
  return joined({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(std::min(few, names.size()))}) +
         (names.size() > few ? " …" : "");
}

}  // namespace

void require_filmable(std::string_view prompt, const Story& story, const plan::Film& film, const World& world, Leniency leniency) {
  if (leniency.strict && !film.unsupported.empty())
    throw Error(ExitCode::bad_data,
                "this model cannot show " + quoted(film.unsupported) + ", and --strict films all of a prompt or nothing");
  if (leniency.anyway) return;
  const Language language = language_of(told(prompt, story));
  if (!language.tag.empty()) {
    throw Error(ExitCode::bad_data, "the prompt seems to be " + language.name +
                                        ", and this model understands English (spoken lines may be in any "
                                        "language); --anyway films what it makes of it");
  }
  if (shows_something(story)) return;
  throw Error(ExitCode::bad_data, "this model can show nothing of the prompt" +
                                      (film.unsupported.empty() ? "" : " (" + quoted(film.unsupported) + ")") + "; it knows " +
                                      first_few(ids_of(world.actors)) + " in places such as " + first_few(ids_of(world.places)) +
                                      "; `fabula world` lists everything, --anyway makes a film all the same");
}

std::vector<std::string> notes_of(const Story& story, const plan::Film& film, const World& world) {
  std::vector<std::string> notes;
  const std::vector<std::string> seen = ids_of(film.characters);
  for (const auto& [word, actor] : story.stand_ins) {
    if (has(seen, actor)) notes.push_back("the " + spaced(actor) + " plays \"" + word + "\"");
  }
  std::size_t lines = 0;
  for (const Event& event : story.events) lines += event.line.size();
  if (std::max(story.events.size(), lines) > static_cast<std::size_t>(world.max_shots))
    notes.push_back("a film of this model has " + std::to_string(world.max_shots) +
                    " shots at most; what the prompt says beyond them is left out");
  return notes;
}

}  // namespace fabula::oracle
