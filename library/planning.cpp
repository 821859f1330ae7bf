// Plans a source and tells how the plan came about.
#include "library/planning.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "audio/phonemes.h"
#include "base/error.h"
#include "engine/world.h"
#include "library/cast_join.h"
#include "library/device_choice.h"
#include "planner/compose/bundle_planner.h"
#include "planner/compose/repair.h"
#include "planner/oracle/oracle.h"
#include "planner/schema/caps.h"
#include "planner/text/prompt.h"
#include "planner/text/text.h"

namespace fabula {

namespace fs = std::filesystem;

std::vector<std::string> planning_notes(const Origin& origin, bool verbose) {
  std::vector<std::string> notes;
  if (verbose && origin.by_rules) {
    notes.emplace_back("the rules planned this film; what the model's own plan lacked:");
    for (const std::string& fault : origin.faults) notes.back() += "\n  " + printable(fault);
  } else if (verbose && origin.repairs > 0) {
    notes.emplace_back(std::string("the model has revised its plan ") + (origin.repairs == 1 ? "once" : "twice"));
  }
  for (const std::string& note : origin.notes) notes.push_back(printable(note));
  return notes;
}

namespace {

// Gives a film the title of its screenplay, as much of it as a plan holds; returns whether that changed it.
bool set_title(plan::Film& film, const std::string& title) {
  const std::string fitting = prompt_words(title, PlanCaps::title);
  if (fitting.empty() || fitting == film.title) return false;
  film.title = fitting;
  return true;
}

}  // namespace

void report_planning(const plan::Film& film, const Origin& origin, const PlanningOptions& options) {
  for (const std::string& note : planning_notes(origin, options.verbose)) options.caller.tell(note);
  report_unsupported(film, options.caller);
}

int shots_of(double duration_s, const World& world) {
  if (duration_s <= 0.0) return 0;
  const int shots = oracle::shots_in(duration_s, world);
  if (shots > world.max_shots) {
    char longest[32];
    std::snprintf(longest, sizeof longest, "%.1f", world.film_ms(world.max_shots) / 1000.0);
    throw Error(ExitCode::usage, std::string("--duration: a film of this model lasts ") + longest + " s at most");
  }
  return shots;
}

PlannedFilm plan_by_model_quietly(const Source& given, const fs::path& bundle, const PlanningOptions& options, DecodingStats* stats) {
  Source source = given;
  const World world = World::open(bundle / "world.json");
  const CastJoin join(options.cast, source, world);
  const auto planner = load_planner(
      bundle, precision_of(options.model.precision), machine_of(options.model), phones_of,
      {.sampling = options.sampling, .names = join.names(), .leniency = options.leniency, .shots = shots_of(options.duration_s, world)});
  const auto alive = [&options](int) { return options.caller.waits(); };
  PlannedFilm planned = source.is_plan ? planner->read_plan(source.film, alive) : planner->plan_film(source.prompt, alive);
  if (stats != nullptr) *stats = planner->stats();
  Origin origin = planned.origin;
  std::vector<std::string> members;
  // The cast has changed names, looks or voices: the model reads the plan once more, so that the states are those of the bound plan.
  // So does the title of a screenplay.
  const bool is_bound = join.bind(planned.film, members), is_titled = set_title(planned.film, source.title);
  if (is_bound || is_titled) planned = planner->read_plan(plan::Film(planned.film), alive);
  origin.notes.insert(origin.notes.begin(), members.begin(), members.end());
  planned.origin = origin;
  oracle::set_fades(planned.film, source.fades);
  return planned;
}

PlannedFilm plan_by_model(const Source& source, const fs::path& bundle, const PlanningOptions& options, DecodingStats* stats) {
  PlannedFilm planned = plan_by_model_quietly(source, bundle, options, stats);
  report_planning(planned.film, planned.origin, options);
  return planned;
}

plan::Film plan_by_rules(const Source& given, const fs::path& bundle, const PlanningOptions& options) {
  Source source = given;
  if (source.is_plan) throw Error(ExitCode::usage, "--oracle plans a prompt; this is a plan already");
  const World world = World::open(bundle / "world.json");
  const CastJoin join(options.cast, source, world);
  World named = world;
  oracle::add_names(named, join.names());
  const std::string prompt = prepare_prompt(source.prompt);
  Assignment assignment = assignment_of(prompt, named, phones_of, shots_of(options.duration_s, world));
  oracle::require_filmable(prompt, assignment.story, assignment.by_rules, named, options.leniency);
  plan::Film film = std::move(assignment.by_rules);
  Origin origin;
  join.bind(film, origin.notes);
  set_title(film, source.title);
  oracle::set_fades(film, source.fades);
  const std::vector<std::string> notes = oracle::notes_of(assignment.story, film, named);
  origin.notes.insert(origin.notes.end(), notes.begin(), notes.end());
  report_planning(film, origin, options);
  return film;
}

void report_unsupported(const plan::Film& film, const Caller& caller) {
  for (const std::string& missing : film.unsupported)
    caller.tell("this model cannot show \"" + printable(missing) + "\"; the plan leaves it out");
}

std::string stats_json(const DecodingStats& stats) {
  return nlohmann::json{{"tokens", stats.tokens},   {"given", stats.given},       {"chosen", stats.chosen},
                        {"forced", stats.forced()}, {"passes", stats.passes},     {"read", stats.read},
                        {"drafted", stats.drafted}, {"accepted", stats.accepted}, {"seconds", stats.seconds}}
      .dump();
}

}  // namespace fabula
