// The groups of rules, one file per group, and the list of findings that they share.
#pragma once

#include <string>
#include <vector>

#include "engine/plan.h"
#include "engine/world.h"
#include "planner/schema/finding.h"
#include "planner/text/names.h"

namespace fabula::plan {

class Findings {
 public:
  void add(const std::string& path, const char* rule, const std::string& sentence) { all.push_back(finding(path, rule, sentence)); }
  std::vector<Finding> all;
};

void check_values(const Film&, Findings&);  ///< single values
void check_names(const Film&, Findings&);   ///< references to ids
void check_shots(const Film&, Findings&);   ///< the timing of shots and beats
void check_lines(const Film&, Findings&);   ///< dialogue

[[nodiscard]] inline long long end_ms(const Shot& shot) { return static_cast<long long>(shot.start_ms) + shot.duration_ms; }

}  // namespace fabula::plan
