// Runs all groups of rules, and compares locked fields of two plans.
#include "planner/check/check.h"

#include <algorithm>

#include "planner/check/rules.h"
#include "planner/check/simulate.h"
#include "planner/schema/schema.h"

namespace fabula::plan {
namespace {

std::vector<Finding> joined(std::vector<Finding> first, const std::vector<Finding>& second) {
  first.insert(first.end(), second.begin(), second.end());
  return first;
}

}  // namespace

std::vector<Finding> check(const Film& film) {
  Findings findings;
  for (const auto group : {check_values, check_names, check_shots, check_lines}) group(film, findings);
  return joined(std::move(findings.all), simulate(film).findings);
}

std::vector<Finding> check(const Film& film, const World& world) { return joined(check(film), check_model(film, world)); }

void require_valid(const Film& film, const World& world) {
  std::vector<Finding> findings = check(film, world);
  if (has_errors(findings)) throw PlanError("the plan cannot be filmed", std::move(findings));
}

std::vector<Finding> locked_changes(const Film& before, const Film& after) {
  Findings changes;
  for (std::size_t i = 0; i < before.shots.size(); ++i) {
    const Shot& old = before.shots[i];
    const auto now = std::find_if(after.shots.begin(), after.shots.end(), [&](const Shot& s) { return s.id == old.id; });
    for (const std::string& path : old.locked) {
      if (now == after.shots.end()) {
        changes.add(at("shots", i) + "." + path, "locked-changed", "is locked, but the shot " + old.id + " is gone");
      } else if (const auto was = value_at(old, path), is = value_at(*now, path); was != is) {
        const std::string here = at("shots", static_cast<std::size_t>(now - after.shots.begin()));
        changes.add(here + "." + path, "locked-changed", "is locked as " + was.value_or("nothing") + ", now it is " + is.value_or("gone"));
      }
    }
  }
  return changes.all;
}

}  // namespace fabula::plan
