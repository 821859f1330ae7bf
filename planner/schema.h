// plan::Film as JSON, both ways, and what must hold in it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "engine/plan.h"
#include "engine/world.h"

namespace fabula::plan {

/// As it is saved: indented, with the prompt after the version.
[[nodiscard]] std::string to_json(const Film&);
/// As the planner writes it: no white space, without the prompt.
[[nodiscard]] std::string to_compact_json(const Film&);
/// Reads what to_json writes, in any key order. Throws Error(bad_data) with the JSON path of what is missing, unknown, double or of the wrong type.
[[nodiscard]] Film from_json(std::string_view text);

/// Something that must not be, where it is ("shots[1].dialogue[0].speaker") and why.
struct Finding {
  std::string path, sentence;
};

/// All that is wrong with a film in this world; empty for a film that can be made. Plans of the planner have no findings.
[[nodiscard]] std::vector<Finding> check(const Film&, const World&);
/// Throws Error(bad_data) with the findings, if there are any.
void require_valid(const Film&, const World&);

}  // namespace fabula::plan
