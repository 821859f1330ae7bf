// A file of prompts becomes a folder of plans.
#include "tools/fabula/plan_prompts.h"

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "audio/phonemes.h"
#include "base/error.h"
#include "base/json_fields.h"
#include "library/device_choice.h"
#include "library/planning.h"
#include "library/source.h"
#include "planner/compose/bundle_planner.h"
#include "planner/schema/schema.h"
#include "tools/batch/jobs.h"
#include "tools/fabula/batch_job.h"
#include "tools/fabula/bundle_location.h"
#include "tools/fabula/output.h"
#include "tools/fabula/stop.h"
#include "tools/fabula/terminal.h"

namespace fabula::cli {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

struct Job {
  std::size_t number = 0;  // in the file, from 1
  std::string prompt;
  fs::path output;
  std::optional<Error> fault;  // what is wrong with its line
};

// The jobs of the file, each with its output: a file in the folder.
std::vector<Job> read_jobs(const std::string& file, const fs::path& folder) {
  constexpr std::size_t largest = std::size_t{64} << 20U;
  std::vector<Job> jobs;
  std::map<fs::path, std::size_t> taken;
  for (const batch::Job& read : batch::parse_jobs(read_input(file, "the batch", largest), file)) {
    Job job{.number = read.number, .prompt = read.source, .output = {}, .fault = read.fault};
    try {
      if (!job.fault && (!read.options.empty() || (read.kind != batch::Job::Kind::any && read.kind != batch::Job::Kind::prompt)))
        throw Error(ExitCode::bad_data, R"(a job has a "prompt" and an "output", nothing else)");
      job.output = inside(folder, read.output.empty() ? three_digits(job.number) + ".json" : read.output);
      const auto [other, is_new] = taken.emplace(job.output.lexically_normal(), job.number);
      if (!is_new) throw Error(ExitCode::bad_data, "job " + std::to_string(other->second) + " already writes " + job.output.string());
    } catch (const Error& error) {
      job.fault = error;
    }
    jobs.push_back(std::move(job));
  }
  return jobs;
}

void report_done(const Job& job, const PlannedFilm& planned, const DecodingStats& stats, bool as_json) {
  const char* by = planned.origin.by_rules ? "rules" : "model";
  const json line = {{"job", job.number},
                     {"status", "done"},
                     {"output", job.output.string()},
                     {"by", by},
                     {"repairs", planned.origin.repairs},
                     {"unsupported", planned.film.unsupported},
                     {"stats", json::parse(stats_json(stats))}};
  if (as_json)
    std::puts(line.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
  else
    std::printf("%s done %s%s\n", three_digits(job.number).c_str(), job.output.c_str(), planned.origin.by_rules ? " (by rules)" : "");
  std::fflush(stdout);
}

void report_kept(const Job& job, bool as_json) {
  const json line = {{"job", job.number}, {"status", "kept"}, {"output", job.output.string()}};
  if (as_json)
    std::puts(line.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
  else
    std::printf("%s kept %s\n", three_digits(job.number).c_str(), job.output.c_str());
}

void report_failed(const Job& job, const Error& error, bool as_json) {
  const json line = {{"job", job.number}, {"status", "failed"}, {"code", static_cast<int>(error.code())}, {"error", error.what()}};
  if (as_json)
    std::puts(line.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
  else
    std::printf("%s failed %d %s\n", three_digits(job.number).c_str(), static_cast<int>(error.code()), error.what());
  std::fflush(stdout);
}

// Leaves out jobs that cannot be done, which are reported and counted, and jobs whose plan is there and kept.
std::vector<Job> jobs_to_do(const std::vector<Job>& jobs, const PlanPromptsOptions& options, std::size_t& failures) {
  std::vector<Job> good;
  for (Job job : jobs) {
    try {
      if (job.fault) throw *job.fault;
      if (may_write(job.output, options.overwriting, terminal(), {options.file}))
        good.push_back(std::move(job));
      else
        report_kept(job, options.json);
    } catch (const Error& error) {
      report_failed(job, error, options.json);
      ++failures;
    }
  }
  return good;
}

// Returns the number of jobs that failed.
std::size_t plan_jobs(const std::vector<Job>& good, const PlanPromptsOptions& options) {
  const ModelOptions& model = options.planning.model;
  const auto planner = load_planner(locate_bundle(model.model), precision_of(model.precision), machine_of(model), phones_of,
                                    {.sampling = options.planning.sampling});
  std::vector<std::string> prompts;
  std::size_t failures = 0;
  for (const Job& job : good) prompts.push_back(job.prompt);
  const BatchOptions batch{.plans = options.jobs};
  std::fprintf(stderr, "fabula: %zu prompts, %d at once; the language model's cache takes %.1f MB\n", prompts.size(), options.jobs,
               static_cast<double>(planner->cache_bytes(batch)) / (1 << 20U));
  planner->plan_all(
      prompts, batch, [](int) { return !stop_requested(); },
      [&](BatchResult result) {
        const Job& job = good[result.prompt];
        const auto* error = std::get_if<Error>(&result.outcome);
        std::optional<Error> fault;
        if (error != nullptr) fault = *error;
        try {
          if (!fault) write_output(job.output, plan::to_json(std::get<PlannedFilm>(result.outcome).film) + "\n", options.overwriting);
        } catch (const Error& failed) {
          fault = failed;
        }
        if (fault)
          report_failed(job, *fault, options.json);
        else
          report_done(job, std::get<PlannedFilm>(result.outcome), result.stats, options.json);
        failures += fault ? 1 : 0;
      });
  return failures;
}

}  // namespace

void plan_prompts(const PlanPromptsOptions& options) {
  const fs::path folder = options.folder.empty() ? "." : options.folder;
  const std::vector<Job> jobs = read_jobs(options.file, folder);
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) throw Error(ExitCode::cannot_create, "cannot create the folder " + folder.string() + ": " + failed.message());
  std::size_t failures = 0;
  const std::vector<Job> good = jobs_to_do(jobs, options, failures);
  if (!good.empty()) failures += plan_jobs(good, options);
  if (stop_requested()) throw Error(ExitCode::interrupted, "stopped; finished plans are kept");
  if (failures > 0)
    throw Error(ExitCode::some_jobs_failed, std::to_string(failures) + " of " + std::to_string(jobs.size()) + " jobs failed");
}

}  // namespace fabula::cli
