// The plans of several jobs, written together.
#pragma once

#include <span>
#include <variant>
#include <vector>

#include "engine/planner.h"
#include "tools/fabula/batch_job.h"

namespace fabula::cli {

using PlanOutcome = std::variant<PlannedFilm, Error>;

/// One outcome per job, in their order. Prompts are planned several at once, `plans` in number; plans, and prompts that name somebody of
/// the cast, one by one. A failure affects no other job. Throws Error: interrupted, or where no planner can be loaded.
[[nodiscard]] std::vector<PlanOutcome> plan_jobs(std::span<const BatchJob* const> jobs, const std::filesystem::path& bundle, int plans);

}  // namespace fabula::cli
