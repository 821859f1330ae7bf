// The whole schema of a plan, optional fields included, as a program that a Composer runs. planner/schema/fields.h is compiled into a table
// of nodes; a stack machine writes what the table says; film_rules.cpp says what a value may be where it stands. What comes out is read by
// plan::from_json and has no errors by plan::check.
#pragma once

#include <string>
#include <vector>

#include "engine/plan.h"
#include "engine/world.h"
#include "planner/grammar/scribe.h"
#include "planner/schema/fields.h"

namespace fabula {

/// What films a program may write.
struct FilmOptions {
  /// Only what this world's model can film (plan::check_model); must outlive the program. Without: any film.
  const World* world = nullptr;
  int max_shots = 12, shortest_shot_ms = 1000, longest_shot_ms = 15'000;  ///< without a world; the longest is twice the shortest at least
  /// Also the fields that are not a language model's to fill in: files, seeds, locks, the cast's ids, what the compiler sets.
  bool all_fields = false;
};

struct FilmRule;  // film_rules.h

/// A field of an object, or the entries of a list.
struct FilmNode {
  enum class Kind : std::uint8_t { constant, text, number, flag, object, list };
  Kind kind = Kind::text;
  std::string key = {}, path = {};  ///< "at_ms", "shots[].sfx[].at_ms"
  bool optional = false;
  plan::Limits limits = {};
  std::string constant = {};
  std::ptrdiff_t offset = 0;         ///< of the member in its object
  std::size_t first = 0, count = 0;  ///< the fields of an object; the one node of a list's entries
  const FilmRule* rule = nullptr;    ///< null: the limits say it all
  void (*store)(void* member, const std::string& text) = nullptr;
  void* (*append)(void* list) = nullptr;
};

/// Compiled once; may be run by several threads. Throws Error(usage) for options that no film keeps to.
class FilmProgram {
 public:
  explicit FilmProgram(const FilmOptions& options);
  [[nodiscard]] const FilmOptions& options() const { return options_; }
  [[nodiscard]] const std::vector<FilmNode>& nodes() const { return nodes_; }
  [[nodiscard]] const FilmNode& root() const { return nodes_.back(); }

 private:
  FilmOptions options_;
  std::vector<FilmNode> nodes_;
};

/// Writes the JSON of a plan, from { to }, and fills in the film. What precedes it (the prompt in its chat form) is written before;
/// film.prompt is read for what is said not to be supported.
void write_any_plan(Composer&, plan::Film& film, const FilmProgram&);

}  // namespace fabula
