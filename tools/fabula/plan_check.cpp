// Checks a plan and prints the findings and the film's world from shot to shot.
#include "tools/fabula/plan_check.h"

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>

#include "base/error.h"
#include "engine/bundle.h"
#include "engine/world.h"
#include "library/source.h"
#include "planner/check/check.h"
#include "planner/check/simulate.h"
#include "planner/schema/schema.h"
#include "planner/text/text.h"
#include "tools/fabula/bundle_location.h"

namespace fabula::cli {

namespace {

using nlohmann::ordered_json;
using plan::Finding, plan::Severity;

const char* word_of(Severity severity) { return severity == Severity::error ? "error" : "warning"; }

// The model's world, or nothing where none is installed. One that was named must be there.
std::optional<World> model_world(const std::string& given) {
  try {
    return World::open(Bundle::open(locate_bundle(given)).folder / "world.json");
  } catch (const Error& error) {
    if (!given.empty() || error.code() != ExitCode::unavailable) throw;
    std::fputs("fabula: no model is installed, so whether it can be filmed is not checked; name one with --model DIR\n", stderr);
    return std::nullopt;
  }
}

struct Report {
  std::optional<plan::Film> film;  // absent if the file cannot be read as a plan
  std::vector<Finding> findings;   // independent of any model
  std::optional<std::vector<Finding>> model;
  plan::Timeline timeline;

  std::vector<Finding> all() const {
    std::vector<Finding> both = findings;
    if (model) both.insert(both.end(), model->begin(), model->end());
    return both;
  }
};

Report examine(const std::string& text, const std::string& model) {
  Report report;
  try {
    report.film = plan::from_json(text);
  } catch (const plan::PlanError& error) {
    report.findings = error.findings();
    return report;
  }
  report.findings = plan::check(*report.film);
  if (const auto world = model_world(model)) report.model = plan::check_model(*report.film, *world);
  report.timeline = plan::simulate(*report.film);
  return report;
}

ordered_json to_json(const Report& report) {
  ordered_json out = {{"valid", !has_errors(report.findings)}};
  if (report.model) out["filmable"] = !has_errors(report.all());
  out["findings"] = ordered_json::array();
  for (const Finding& f : report.all())
    out["findings"].push_back({{"path", f.path}, {"rule", f.rule}, {"severity", word_of(f.severity)}, {"sentence", f.sentence}});
  if (!report.film) return out;
  ordered_json start = ordered_json::array(), shots = ordered_json::array();
  for (const plan::Fact& fact : report.timeline.start)
    start.push_back({{"entity", fact.entity}, {"attribute", fact.attribute}, {"value", fact.value}});
  for (std::size_t i = 0; i < report.film->shots.size(); ++i) {
    ordered_json changes = ordered_json::array();
    for (const plan::Change& c : report.timeline.shots[i]) {
      changes.push_back({{"entity", c.entity},
                         {"attribute", c.attribute},
                         {"before", c.before.empty() ? ordered_json() : ordered_json(c.before)},
                         {"after", c.after}});
    }
    const plan::Shot& shot = report.film->shots[i];
    shots.push_back(
        {{"shot", shot.id}, {"start_ms", shot.start_ms}, {"place", shot.place}, {"cast", ids_of(shot.cast)}, {"changes", changes}});
  }
  out["timeline"] = {{"start", start}, {"shots", shots}};
  return out;
}

void print(const std::string& line) { std::printf("%s\n", printable(line).c_str()); }

std::string seconds(long long ms) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f s", static_cast<double>(ms) / 1000.0);
  return text;
}

void print_timeline(const plan::Film& film, const plan::Timeline& timeline) {
  print("the world at the start");
  if (timeline.start.empty()) print("  (nothing is said about it)");
  for (const plan::Fact& fact : timeline.start) print("  " + fact.entity + "." + fact.attribute + " = " + fact.value);
  for (std::size_t i = 0; i < film.shots.size(); ++i) {
    const plan::Shot& shot = film.shots[i];
    std::string cast;
    for (const plan::CastMember& member : shot.cast) cast += (cast.empty() ? ": " : ", ") + member.id;
    print(shot.id + "  " + seconds(shot.start_ms) + "  " + shot.place + cast);
    for (const plan::Change& c : timeline.shots[i])
      print("  " + c.entity + "." + c.attribute + " = " + c.after + (c.before.empty() ? "" : "  (was " + c.before + ")"));
  }
}

}  // namespace

void check_plan(const CheckOptions& options) {
  const Report report = examine(read_input(options.file, "the plan", plan::largest_file), options.model);
  const std::vector<Finding> findings = report.all();
  if (options.json) {
    std::printf("%s\n", to_json(report).dump(2, ' ', false, ordered_json::error_handler_t::replace).c_str());
  } else {
    for (const Finding& f : findings) print(std::string(word_of(f.severity)) + "  " + sentence_of(f) + "  [" + f.rule + "]");
    if (report.film) print_timeline(*report.film, report.timeline);
  }
  const auto errors = std::count_if(findings.begin(), findings.end(), [](const Finding& f) { return f.severity == Severity::error; });
  if (errors > 0)
    throw Error(ExitCode::bad_data, (options.file == "-" ? "the plan" : options.file) + " has " + std::to_string(errors) +
                                        (errors == 1 ? " error" : " errors"));
}

}  // namespace fabula::cli
