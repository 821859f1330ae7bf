// What a value of a plan may be, given all that is written before it.
#pragma once

#include <string>
#include <vector>

#include "planner/grammar/film_program.h"

namespace fabula {

/// How many entries a list may have in the end; whether an optional field must, may or must not be there.
struct Count {
  std::size_t least = 0, most = 1;
};

class FilmRules;

/// Of one path of the schema. Null: as the limits say; as often as it likes.
struct FilmRule {
  const char* path;
  Legal (*legal)(const FilmRules&) = nullptr;
  Count (*count)(const FilmRules&, std::size_t written) = nullptr;
};

[[nodiscard]] const FilmRule* film_rule(const std::string& path);
/// Whether a program has no such field.
[[nodiscard]] bool is_left_out(const std::string& path, bool optional, const FilmOptions&);

/// Looks at a film that is being written: the last shot, its last member, … are those in work.
class FilmRules {
 public:
  FilmRules(const plan::Film& film, const FilmOptions& options);

  [[nodiscard]] Legal legal(const FilmNode&) const;
  [[nodiscard]] Count count(const FilmNode&, std::size_t written) const;

  // For the rules.
  const plan::Film& film;
  const FilmOptions& options;
  const World* const world;
  const std::vector<std::string> spans;  ///< of the prompt, for what is not supported
  [[nodiscard]] int max_shots() const { return world != nullptr ? world->max_shots : options.max_shots; }
};

}  // namespace fabula
