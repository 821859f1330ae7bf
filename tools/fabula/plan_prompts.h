// `fabula plan --batch`.
#pragma once

#include <string>

#include "library/options.h"
#include "library/output.h"

namespace fabula::cli {

struct PlanPromptsOptions {
  std::string file;    ///< of prompts, one per line, or "-"
  std::string folder;  ///< for the plans; empty: the current one
  OverwriteOptions overwriting;
  PlanningOptions planning;
  int jobs = 8;  ///< at once
  bool json = false;
};

/// Writes a plan for each line of a file, several at once, and prints a line about each. Throws Error: some_jobs_failed at the end if any
/// failed; interrupted; input_missing, bad_data, cannot_create.
void plan_prompts(const PlanPromptsOptions&);

}  // namespace fabula::cli
