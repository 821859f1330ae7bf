// The groups of rules, a file each, and the list that they add to.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "engine/world.h"
#include "planner/schema/finding.h"

namespace fabula::plan {

class Findings {
 public:
  void add(const std::string& path, const char* rule, const std::string& sentence) { all.push_back(finding(path, rule, sentence)); }
  std::vector<Finding> all;
};

void check_values(const Film&, Findings&);  ///< every value by itself
void check_names(const Film&, Findings&);   ///< who and what is meant
void check_shots(const Film&, Findings&);   ///< shots and beats in time
void check_lines(const Film&, Findings&);   ///< what is said

[[nodiscard]] inline bool has(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

[[nodiscard]] inline long long end_ms(const Shot& shot) { return static_cast<long long>(shot.start_ms) + shot.duration_ms; }

}  // namespace fabula::plan
