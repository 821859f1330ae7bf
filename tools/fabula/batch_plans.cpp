// Sorts jobs by how they are planned.
#include "tools/fabula/batch_plans.h"

#include <list>
#include <new>
#include <tuple>

#include "audio/phonemes.h"
#include "engine/world.h"
#include "library/cast_join.h"
#include "library/device_choice.h"
#include "library/planning.h"
#include "planner/compose/bundle_planner.h"
#include "tools/fabula/stop.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

bool same(const Sampling& a, const Sampling& b) {
  const auto all = [](const Sampling& s) { return std::tie(s.temperature, s.top_p, s.min_p, s.seed); };
  return all(a) == all(b);
}

// Jobs that one planner can plan together.
struct Group {
  const PlanningOptions* options;
  std::vector<std::size_t> jobs;
};

bool stands_alone(const BatchJob& job, const World& world) {
  if (job.source.is_plan) return true;
  Source copy = job.source;
  return !CastJoin(job.options.planning.cast, copy, world).names().empty();
}

PlanOutcome plan_alone(const BatchJob& job, const fs::path& bundle) {
  try {
    return plan_by_model_quietly(job.source, bundle, job.options.planning);
  } catch (const Error& error) {
    return error;
  } catch (const std::bad_alloc&) {
    return Error(ExitCode::out_of_memory, "out of memory");
  }
}

void plan_group(const Group& group, std::span<const BatchJob* const> jobs, const fs::path& bundle, int plans,
                std::vector<PlanOutcome>& outcomes) {
  const ModelOptions& model = group.options->model;
  const auto planner =
      load_planner(bundle, precision_of(model.precision), machine_of(model), phones_of, {.sampling = group.options->sampling});
  std::vector<std::string> prompts;
  for (const std::size_t job : group.jobs) prompts.push_back(jobs[job]->source.prompt);
  planner->plan_all(
      prompts, {.plans = plans}, [](int) { return !stop_requested(); },
      [&](BatchResult result) { outcomes[group.jobs[result.prompt]] = std::move(result.outcome); });
}

}  // namespace

std::vector<PlanOutcome> plan_jobs(std::span<const BatchJob* const> jobs, const fs::path& bundle, int plans) {
  const World world = World::open(bundle / "world.json");
  std::vector<PlanOutcome> outcomes(jobs.size(), Error(ExitCode::internal, "this job was not planned"));
  std::list<Group> groups;
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    const PlanningOptions& options = jobs[i]->options.planning;
    try {
      if (stands_alone(*jobs[i], world)) {
        outcomes[i] = plan_alone(*jobs[i], bundle);
        continue;
      }
    } catch (const Error& error) {  // of the cast
      outcomes[i] = error;
      continue;
    }
    auto group = groups.begin();
    while (group != groups.end() && !same(group->options->sampling, options.sampling)) ++group;
    if (group == groups.end()) group = groups.insert(group, {&options, {}});
    group->jobs.push_back(i);
  }
  for (const Group& group : groups) plan_group(group, jobs, bundle, plans, outcomes);
  if (stop_requested()) throw Error(ExitCode::interrupted, "stopped while planning");
  return outcomes;
}

}  // namespace fabula::cli
