// How much of what a prompt means its plan shows: held-out prompts of the world's grammar (tools/goldens/dump_prompts.py) and plans of any
// planner.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "engine/plan.h"

namespace fabula::recall {

/// What a shot shows: one event of the prompt, or a part of it.
struct Shown {
  std::string place, time;
  std::vector<std::pair<std::string, std::string>> acts;  ///< actor, action
  std::string speaker, text;                              ///< empty: silence
  bool operator==(const Shown&) const = default;
};

struct Case {
  std::string prompt;
  std::vector<Shown> shots;
};

/// Throws nlohmann's exceptions for a file that is not one of dump_prompts.py.
[[nodiscard]] std::vector<Case> read_cases(const std::filesystem::path& file);

inline std::vector<Shown> shown_by(const plan::Film& film) {
  std::vector<Shown> all;
  for (const plan::Shot& shot : film.shots) {
    const auto place = std::find_if(film.places.begin(), film.places.end(), [&](const plan::Place& p) { return p.id == shot.place; });
    Shown shown{shot.place, place->time_of_day, {}, {}, {}};
    for (const plan::ActionBeat& beat : shot.action_beats) shown.acts.emplace_back(beat.who, beat.what);
    if (!shot.dialogue.empty()) shown.speaker = shot.dialogue[0].speaker, shown.text = shot.dialogue[0].text;
    all.push_back(std::move(shown));
  }
  return all;
}

/// How many of `wanted` are shown, in their order: the longest common subsequence.
inline std::size_t recalled(const std::vector<Shown>& wanted, const std::vector<Shown>& shown) {
  std::vector<std::size_t> row(shown.size() + 1, 0);
  for (const Shown& want : wanted) {
    std::size_t diagonal = 0;
    for (std::size_t i = 0; i < shown.size(); ++i) {
      const std::size_t above = row[i + 1];
      row[i + 1] = want == shown[i] ? diagonal + 1 : std::max(above, row[i]);
      diagonal = above;
    }
  }
  return row.back();
}

struct Score {
  std::size_t films = 0, right_films = 0, shots = 0, right_shots = 0;

  /// Whether the film is right in every shot.
  bool add(const Case& one, const plan::Film& film) {
    const std::vector<Shown> shown = shown_by(film);
    films += 1;
    shots += one.shots.size();
    right_shots += recalled(one.shots, shown);
    const bool is_right = shown == one.shots;
    right_films += is_right ? 1 : 0;
    return is_right;
  }
};

}  // namespace fabula::recall
