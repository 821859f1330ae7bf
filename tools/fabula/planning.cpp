// Plans a source and reports on standard error how the plan came about.
#include "tools/fabula/planning.h"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "audio/phonemes.h"
#include "base/error.h"
#include "engine/world.h"
#include "planner/compose/bundle_planner.h"
#include "planner/oracle/oracle.h"
#include "planner/text/text.h"
#include "tools/fabula/cast_join.h"
#include "tools/fabula/stop.h"

namespace fabula::cli {

namespace fs = std::filesystem;

std::vector<std::string> planning_notes(const Origin& origin) {
  const std::string rounds = std::to_string(origin.repairs) + (origin.repairs == 1 ? " round" : " rounds") + " of repair";
  if (origin.by_rules) {
    std::string note = "planned by rules, since the model's plan still had faults after " + rounds + ":";
    for (const std::string& fault : origin.faults) note += "\n  " + printable(fault);
    return {note};
  }
  if (origin.repairs > 0) return {"the plan took " + rounds};
  return {};
}

namespace {

void report(const plan::Film& film, const Origin& origin) {
  for (const std::string& note : planning_notes(origin)) std::fprintf(stderr, "fabula: %s\n", note.c_str());
  report_unsupported(film);
}

}  // namespace

PlannedFilm plan_by_model_quietly(const Source& given, const fs::path& bundle, const PlanningOptions& options, DecodingStats* stats) {
  Source source = given;
  const World world = World::open(bundle / "world.json");
  const CastJoin join(options.cast, source, world);
  const auto planner = load_planner(bundle, precision_of(options.model.precision), cpu_machine(thread_count(options.model.threads)),
                                    phones_of, {.sampling = options.sampling, .names = join.names()});
  const auto alive = [](int) { return !stop_requested(); };
  PlannedFilm planned = source.is_plan ? planner->read_plan(source.film, alive) : planner->plan_film(source.prompt, alive);
  if (stats != nullptr) *stats = planner->stats();
  const Origin origin = planned.origin;
  // The cast has changed names, looks or voices: the model reads the plan once more, so that the states are those of the bound plan.
  const bool bound_to_cast = join.bind(planned.film);
  if (bound_to_cast) planned = planner->read_plan(plan::Film(planned.film), alive);
  planned.origin = origin;
  return planned;
}

PlannedFilm plan_by_model(const Source& source, const fs::path& bundle, const PlanningOptions& options, DecodingStats* stats) {
  PlannedFilm planned = plan_by_model_quietly(source, bundle, options, stats);
  report(planned.film, planned.origin);
  return planned;
}

plan::Film plan_by_rules(const Source& given, const fs::path& bundle, const CastChoice& choice) {
  Source source = given;
  if (source.is_plan) throw Error(ExitCode::usage, "--oracle plans a prompt; this is a plan already");
  const World world = World::open(bundle / "world.json");
  const CastJoin join(choice, source, world);
  World named = world;
  oracle::add_names(named, join.names());
  plan::Film film = oracle::plan_by_rules(source.prompt, named, phones_of);
  join.bind(film);
  report(film, {});
  return film;
}

void report_unsupported(const plan::Film& film) {
  for (const std::string& missing : film.unsupported)
    std::fprintf(stderr, "fabula: this model cannot show \"%s\"; the plan leaves it out\n", missing.c_str());
}

std::string stats_json(const DecodingStats& stats) {
  return nlohmann::json{{"tokens", stats.tokens},   {"given", stats.given},       {"chosen", stats.chosen},
                        {"forced", stats.forced()}, {"passes", stats.passes},     {"read", stats.read},
                        {"drafted", stats.drafted}, {"accepted", stats.accepted}, {"seconds", stats.seconds}}
      .dump();
}

}  // namespace fabula::cli
