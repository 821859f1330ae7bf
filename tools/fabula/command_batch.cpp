// `fabula plan --batch`: a file of prompts becomes a folder of plans.
#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "audio/phonemes.h"
#include "base/error.h"
#include "planner/compose/bundle_planner.h"
#include "planner/schema/schema.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/stop.h"

namespace fabula::cli {

namespace fs = std::filesystem;
using nlohmann::json;

namespace {

struct Job {
  std::size_t number = 0;  // of those in the file, from 1
  std::string prompt;
  fs::path output;
  std::optional<Error> fault;  // of its line
};

std::string three_digits(std::size_t number) {
  const std::string digits = std::to_string(number);
  return std::string(digits.size() < 3 ? 3 - digits.size() : 0, '0') + digits;
}

// A file of jobs may come from somebody else: it writes nothing outside the folder that the caller has named.
fs::path inside(const fs::path& folder, const fs::path& output) {
  const fs::path plain = output.lexically_normal();
  if (plain.empty() || output.native().find('\0') != std::string::npos)
    throw Error(ExitCode::bad_data, "the output of a job is the name of a file");
  if (plain.is_absolute() || *plain.begin() == "..") {
    throw Error(ExitCode::bad_data, "the output " + output.string() + " leaves the folder " + folder.string() + "; a job writes inside it");
  }
  return folder / plain;
}

// {"prompt": …, "output": …}; the output is optional and lies in the folder.
void read_object(const std::string& line, Job& job, const fs::path& folder) {
  const json object = json::parse(line, nullptr, /*allow_exceptions=*/false);
  const auto text = [&](const char* key) { return object.contains(key) && object[key].is_string(); };
  if (!object.is_object() || !text("prompt") || (object.contains("output") && !text("output"))) {
    throw Error(ExitCode::bad_data, R"(a job is a prompt, or {"prompt": "…", "output": "FILE.json"})");
  }
  for (const auto& [key, value] : object.items()) {
    if (key != "prompt" && key != "output") throw Error(ExitCode::bad_data, R"(a job has a "prompt" and an "output", nothing else)");
  }
  job.prompt = object["prompt"];
  if (object.contains("output")) job.output = inside(folder, object["output"].get<std::string>());
}

// A job a line; empty lines are none.
std::vector<Job> read_jobs(const std::string& file, const fs::path& folder) {
  constexpr std::size_t largest = std::size_t{64} << 20U;
  const std::string text = read_file(file, "the batch", largest);
  std::vector<Job> jobs;
  std::map<fs::path, std::size_t> taken;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    begin = end + 1;
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first == std::string::npos) continue;
    Job job;
    job.number = jobs.size() + 1;
    job.output = folder / (three_digits(job.number) + ".json");
    try {
      if (line[first] == '{')
        read_object(line, job, folder);
      else
        job.prompt = line;
      const auto [other, is_new] = taken.emplace(job.output.lexically_normal(), job.number);
      if (!is_new) throw Error(ExitCode::bad_data, "job " + std::to_string(other->second) + " writes " + job.output.string() + " already");
    } catch (const Error& error) {
      job.fault = error;
    }
    jobs.push_back(std::move(job));
  }
  if (jobs.empty()) throw Error(ExitCode::bad_data, "the batch " + file + " holds no job");
  return jobs;
}

void tell_done(const Job& job, const PlannedFilm& planned, const DecodingStats& stats, bool as_json) {
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

void tell_kept(const Job& job, bool as_json) {
  const json line = {{"job", job.number}, {"status", "kept"}, {"output", job.output.string()}};
  if (as_json)
    std::puts(line.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
  else
    std::printf("%s kept %s\n", three_digits(job.number).c_str(), job.output.c_str());
}

void tell_failed(const Job& job, const Error& error, bool as_json) {
  const json line = {{"job", job.number}, {"status", "failed"}, {"code", static_cast<int>(error.code())}, {"error", error.what()}};
  if (as_json)
    std::puts(line.dump(-1, ' ', false, json::error_handler_t::replace).c_str());
  else
    std::printf("%s failed %d %s\n", three_digits(job.number).c_str(), static_cast<int>(error.code()), error.what());
  std::fflush(stdout);
}

// Without those that cannot be done, which are told and counted, and those whose plan is there and is kept.
std::vector<Job> jobs_to_do(const std::vector<Job>& jobs, const PlanOptions& options, std::size_t& failures) {
  std::vector<Job> good;
  for (Job job : jobs) {
    try {
      if (job.fault) throw *job.fault;
      if (may_write(job.output, options.overwriting, {options.batch}))
        good.push_back(std::move(job));
      else
        tell_kept(job, options.json);
    } catch (const Error& error) {
      tell_failed(job, error, options.json);
      ++failures;
    }
  }
  return good;
}

// Returns how many failed.
std::size_t plan_jobs(const std::vector<Job>& good, const PlanOptions& options) {
  const auto planner = load_planner(locate_bundle(options.model.model), precision_of(options.model.precision),
                                    cpu_machine(thread_count(options.model.threads)), phones_of, {.sampling = options.sampling});
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
        } catch (const Error& told) {
          fault = told;
        }
        if (fault)
          tell_failed(job, *fault, options.json);
        else
          tell_done(job, std::get<PlannedFilm>(result.outcome), result.stats, options.json);
        failures += fault ? 1 : 0;
      });
  return failures;
}

}  // namespace

std::string stats_json(const DecodingStats& stats) {
  return json{{"tokens", stats.tokens},   {"given", stats.given},       {"chosen", stats.chosen},
              {"forced", stats.forced()}, {"passes", stats.passes},     {"read", stats.read},
              {"drafted", stats.drafted}, {"accepted", stats.accepted}, {"seconds", stats.seconds}}
      .dump();
}

void plan_batch(const PlanOptions& options) {
  const fs::path folder = options.output.empty() ? "." : options.output;
  const std::vector<Job> jobs = read_jobs(options.batch, folder);
  std::error_code failed;
  fs::create_directories(folder, failed);
  if (failed) throw Error(ExitCode::cannot_create, "cannot create the folder " + folder.string() + ": " + failed.message());
  std::size_t failures = 0;
  const std::vector<Job> good = jobs_to_do(jobs, options, failures);
  if (!good.empty()) failures += plan_jobs(good, options);
  if (stop_requested()) throw Error(ExitCode::interrupted, "stopped; the plans that were done are written");
  if (failures > 0)
    throw Error(ExitCode::some_jobs_failed, std::to_string(failures) + " of " + std::to_string(jobs.size()) + " jobs failed");
}

}  // namespace fabula::cli
