// What a value of a plan may be, given all that is written before it. Three tables of rules, by path of the schema: those of a film of a
// world (rules_of_world.cpp), those of any film (rules_of_any_film.cpp), and those that hold for both (rules_in_common.cpp).
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "planner/grammar/film_program.h"

namespace fabula {

/// Bounds on the final number of a list's entries. Of an optional field: {0, 0} leaves it out, {0, 1} lets the model choose, {1, 1} forces
/// it.
struct Count {
  std::size_t least = 0, most = 1;
};

class FilmRules;

/// Rule for one schema path. `legal` null: only the field's limits apply. `count` null: any number of entries, and an optional field may be
/// left out.
struct FilmRule {
  const char* path;
  Legal (*legal)(const FilmRules&) = nullptr;
  Count (*count)(const FilmRules&, std::size_t written) = nullptr;
};

[[nodiscard]] std::span<const FilmRule> rules_of_world();
[[nodiscard]] std::span<const FilmRule> rules_of_any_film();
[[nodiscard]] std::span<const FilmRule> rules_in_common();

/// The rule for a path in a program of these options. Null: the field's limits say it all.
[[nodiscard]] const FilmRule* film_rule(const std::string& path, const FilmOptions&);
/// Whether a program of these options lacks the field.
[[nodiscard]] bool is_left_out(const std::string& path, bool optional, const FilmOptions&);

/// The view that rules have of a film in the making: the last shot, its last cast member, … are the ones being written.
class FilmRules {
 public:
  FilmRules(const plan::Film& film, const FilmOptions& options);

  [[nodiscard]] Legal legal(const FilmNode&) const;
  [[nodiscard]] Count count(const FilmNode&, std::size_t written) const;

  // For the rules.
  const plan::Film& film;
  const FilmOptions& options;
  const std::vector<std::string> spans;  ///< of the prompt, for what is not supported
  /// The world of the options. For rules_of_world.cpp only: elsewhere there may be none.
  [[nodiscard]] const World& world() const { return *options.world; }
};

}  // namespace fabula
