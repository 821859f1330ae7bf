// The whole schema of a plan, optional fields included, as a program that a Composer runs. planner/schema/fields.h is compiled into a table
// of nodes, a stack machine writes what the table prescribes, and the rules (film_rules.h) restrict each value given everything before it.
// The result can be read by plan::from_json and has no errors by plan::check.
#pragma once

#include <string>
#include <vector>

#include "engine/plan.h"
#include "engine/world.h"
#include "planner/grammar/scribe.h"
#include "planner/schema/fields.h"

namespace fabula {

/// The films that a program may write.
struct FilmOptions {
  /// Only films that this world's model can make (plan::check_model); must outlive the program. Null: any film.
  const World* world = nullptr;
  int max_shots = 12, shortest_shot_ms = 1000,
      longest_shot_ms = 15'000;  ///< used without a world; the longest must be at least twice the shortest
  /// Also write the fields that a person or the compiler fills in: files, seeds, locks, cast ids, conditioning.
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
  std::size_t first = 0, count = 0;  ///< the nodes of an object's fields; the one node of a list's entries
  const FilmRule* rule = nullptr;    ///< null: only the limits apply
  void (*store)(void* member, const std::string& text) = nullptr;
  void* (*append)(void* list) = nullptr;
};

/// Compiled once; several threads may run it. Throws Error(usage) for options that no film can satisfy.
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

/// Writes the JSON of a plan, from { to }, and fills in the film. The caller writes the prompt in its chat form first; film.prompt provides
/// the words for `unsupported`.
void write_any_plan(Composer&, plan::Film& film, const FilmProgram&);

}  // namespace fabula
