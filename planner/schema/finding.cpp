// The table of rules, and how findings are made and printed.
#include "planner/schema/finding.h"

#include <algorithm>

namespace fabula::plan {
namespace {

constexpr Severity error = Severity::error, warning = Severity::warning;

constexpr Rule table[] = {
    // The file (schema/read.cpp), and single values of any origin (schema/values.cpp).
    {"not-json", error, "the file is one JSON value in UTF-8, not too large and not too deep"},
    {"version", error, "the version is one that this program reads"},
    {"duplicate-key", error, "no object names a key twice"},
    {"unknown-field", error, "every key is a field of the schema"},
    {"missing-field", error, "every field that the schema asks for is there"},
    {"wrong-type", error, "every value has its field's type; numbers are integers"},
    {"out-of-range", error, "every number is in its field's range, texts and lists are not too long"},
    {"unknown-choice", error, "a field with a list of words has one of them"},
    {"empty-text", error, "texts are not empty"},
    {"bad-text", error, "texts are UTF-8 and hold no NUL"},
    {"id-pattern", error, "ids are a-z, 0-9 and _, a letter first, at most 32"},

    // Names (check/names.cpp).
    {"id-duplicate", error, "characters, places and props have ids of their own; so have beats, and shots"},
    {"unknown-place", error, "a shot's place is a place of the film"},
    {"unknown-character", error, "everyone in a cast and every speaker is a character of the film"},
    {"unknown-beat", error, "the beat of a shot and the beats that a beat requires are beats of the film"},
    {"unknown-target", error, "the camera's target is a character, a prop or a landmark of the shot's place"},
    {"unknown-entity", error, "a fact is about a character, a place or a prop of the film"},
    {"duplicate-member", error, "nobody is twice in a shot's cast"},
    {"actor-not-in-cast", error, "everyone who acts is in the shot's cast"},
    {"speaker-not-in-cast", error, "everyone who speaks on screen is in the shot's cast"},
    {"locked-path", error, "a locked path leads to a field of its shot"},

    // Shots and beats (check/shots.cpp).
    {"no-shots", error, "a film has shots"},
    {"shot-tiling", error, "each shot starts where the one before ends, the first at 0"},
    {"shot-duration", error, "a shot lasts at least 1 ms"},
    {"total-mismatch", error, "the last shot ends at total_ms"},
    {"beat-uncovered", error, "every beat has a shot"},
    {"beat-order", error, "beats begin in the order in which they are listed"},
    {"beat-requires", error, "a beat begins when all that it requires have ended"},
    {"too-many-actors", error, "at most 3 characters act or speak in a shot"},
    {"too-many-actions", error, "a shot has at most 3 action beats"},
    {"time-outside-shot", error, "actions, sounds and entrances happen while their shot lasts"},
    {"transition-time", error, "cut and continue take no time, other transitions take some and leave each shot some"},
    {"transition-start", error, "the first shot begins and the last one ends with a cut or a fade"},
    {"transition-continue", error, "a shot that continues the one before is at the same place"},
    {"conditioning-chain", error, "a chained shot names an earlier one, and only a chained shot does"},
    {"music-time", error, "music begins before it ends, within the film"},
    {"same-size", warning, "not more than two shots of the same size follow each other"},
    {"late-beat", warning, "nothing begins in the film's last 1.5 s"},

    // Lines (check/lines.cpp).
    {"line-outside-shot", error, "a line begins in its shot and ends in it, or in the film when it crosses the cut"},
    {"line-too-fast", error, "a line can be spoken in its time, in its language and at its speaker's pace"},
    {"line-overlap", error, "nobody speaks two lines at once"},
    {"line-outlasts-action", warning, "a line is not longer than the action of its shot"},

    // The simulated world (check/simulate.cpp).
    {"pre-fails", error, "what a shot needs holds in the world before it"},
    {"prop-state", error, "a prop's state is one of its states"},
    {"fact-twice", error, "a list of facts says one thing about an attribute, once"},
    {"one-holder", error, "a thing has one holder: it is handed over in a shot where both are, to a character or a place"},
    {"one-place", error, "a person is at one place: a shot's cast is where the world has them"},
    {"destroyed", error, "what is destroyed is not used again"},
    {"wardrobe-undeclared", error, "clothes change through effects only"},

    // What a model can film (check/model.cpp).
    {"model-prompt", error, "the prompt is one that the planner can read"},
    {"model-text", error, "texts have a length that the planner can write"},
    {"model-format", error, "aspect, frame rate, language and music are those that the model makes"},
    {"model-shots", error, "not more shots than the model can plan"},
    {"model-shot-length", error, "a shot is not longer than the model can make"},
    {"model-character", error, "characters are actors of the model's world"},
    {"model-voice", error, "voices are voices of the model's world"},
    {"model-place", error, "places, their times, weathers and ambiences are those of the model's world"},
    {"model-cast", error, "a shot has one or two characters, at positions and in moods of the model's world"},
    {"model-prop", error, "a shot has at most two props, each once, of the model's world and at its positions"},
    {"model-action", error, "actions are those of the model's world, one per character, from the shot's start"},
    {"model-camera", error, "shot sizes and camera moves are those of the model's world"},
    {"model-line", error, "a shot has one line at most, spoken on screen and in it"},
    {"model-transition", error, "no shot continues the take before it"},
    {"model-ignores", warning, "only fields that the model looks at are set"},

    // The prompt (compose/repair.cpp).
    {"prompt-event", error, "what the prompt clearly says is in the plan"},

    // Editing (check/check.cpp).
    {"locked-changed", error, "what a person locked stays as it was"},
};

}  // namespace

std::span<const Rule> rules() { return table; }

Finding finding(const std::string& path, const std::string& rule, const std::string& sentence) {
  const Rule* found = std::find_if(std::begin(table), std::end(table), [&](const Rule& r) { return r.id == rule; });
  if (found == std::end(table)) throw Error(ExitCode::internal, "there is no rule \"" + rule + "\" for plans");
  return {path, rule, found->severity, sentence};
}

std::string sentence_of(const Finding& f) { return (f.path.empty() ? "" : f.path + ": ") + f.sentence; }

bool has_errors(const std::vector<Finding>& findings) {
  return std::any_of(findings.begin(), findings.end(), [](const Finding& f) { return f.severity == Severity::error; });
}

std::string summary(const std::string& start, const std::vector<Finding>& findings) {
  constexpr std::size_t shown = 5;
  std::string text = start + ":";
  std::size_t count = 0;
  for (const Finding& f : findings) {
    if (f.severity != Severity::error || ++count > shown) continue;
    text += "\n  " + sentence_of(f);
  }
  if (count > shown) text += "\n  and " + std::to_string(count - shown) + " more";
  return text;
}

}  // namespace fabula::plan
