// The main field of a clip's prompt: its shots in order, with what is seen, done, said and heard at each moment.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "engine/plan.h"
#include "planner/h3/clips.h"
#include "planner/h3/references.h"

namespace fabula::h3 {

/// The facts of the film's world before each shot: (entity, attribute) -> value.
using Facts = std::map<std::pair<std::string, std::string>, std::string>;
[[nodiscard]] std::vector<Facts> facts_before_shots(const plan::Film&);

struct Description {
  std::string text;
  std::vector<std::string> speakers;  ///< ids in order of first speech: (S1), (S2) …
};
[[nodiscard]] Description describe(const plan::Film&, const Pieces&, const std::vector<std::vector<Part>>&, const Bound&,
                                   const std::vector<Facts>&);

/// The name of a character, made safe for a text; the id if nothing is left of it.
[[nodiscard]] std::string name_of(const plan::Character&);
/// "<Subject 2>"
[[nodiscard]] std::string subject_label(int number);

}  // namespace fabula::h3
