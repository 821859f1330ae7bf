// From a source to a plan, by a bundle's planner or by rules.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "engine/planner.h"
#include "engine/world.h"
#include "library/options.h"
#include "library/source.h"
#include "planner/lm/decoding_stats.h"

namespace fabula {

/// The plan of a source by the planner of a bundle, and the states kept for it. The caller is told of repairs, what the model cannot show
/// and who of the cast appears.
[[nodiscard]] PlannedFilm plan_by_model(const Source&, const std::filesystem::path& bundle, const PlanningOptions&,
                                        DecodingStats* stats = nullptr);

/// As plan_by_model, and tells nothing: see planning_notes.
[[nodiscard]] PlannedFilm plan_by_model_quietly(const Source&, const std::filesystem::path& bundle, const PlanningOptions&,
                                                DecodingStats* stats = nullptr);

/// The plan of a prompt by rules alone; reads nothing of the bundle but its world. Reports as plan_by_model does. Throws Error(usage) for a
/// source that is a plan.
[[nodiscard]] plan::Film plan_by_rules(const Source&, const std::filesystem::path& bundle, const PlanningOptions&);

/// What a user should know about how a plan came about, sentence by sentence; not what it leaves out.
[[nodiscard]] std::vector<std::string> planning_notes(const Origin&, bool verbose);
/// Tells the caller both.
void report_planning(const plan::Film&, const Origin&, const PlanningOptions&);
/// The shots that fill a time in seconds; 0 for no time. Throws Error(usage) if a film of the world's model cannot be as long.
[[nodiscard]] int shots_of(double duration_s, const World&);
/// Names what a film leaves out.
void report_unsupported(const plan::Film&, const Caller&);

/// One line of JSON.
[[nodiscard]] std::string stats_json(const DecodingStats&);

}  // namespace fabula
