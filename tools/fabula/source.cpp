// What a command is given to work on: read here, once, with a limit, and directed.
#include <cstdio>
#include <fstream>
#include <iostream>

#include "audio/phonemes.h"
#include "base/error.h"
#include "planner/compose/bundle_planner.h"
#include "planner/oracle/oracle.h"
#include "planner/schema/schema.h"
#include "planner/screenplay/prose.h"
#include "planner/text/text.h"
#include "tools/fabula/cast_join.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/stop.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

std::string prompt_of_screenplay(const std::string& file) {
  const screenplay::Prose prose = screenplay::prose_of_fountain(read_file(file, "the screenplay", screenplay::largest_screenplay));
  constexpr std::size_t most_told = 20;
  for (std::size_t i = 0; i < prose.left_out.size() && i < most_told; ++i)
    std::fprintf(stderr, "fabula: %s: %s\n", file.c_str(), prose.left_out[i].c_str());
  if (prose.left_out.size() > most_told)
    std::fprintf(stderr, "fabula: %s: and %zu more\n", file.c_str(), prose.left_out.size() - most_told);
  return prose.prompt;
}

}  // namespace

std::string read_file(const fs::path& file, const std::string& what, std::size_t most_bytes) {
  const bool standard_input = file == "-";
  std::ifstream opened;
  if (!standard_input) {
    opened.open(file, std::ios::binary);
    if (!opened || fs::is_directory(file)) throw Error(ExitCode::input_missing, "cannot read " + what + " " + file.string());
  }
  std::istream& in = standard_input ? std::cin : opened;
  std::string bytes;
  constexpr std::size_t block = 1U << 16U;
  while (in && bytes.size() <= most_bytes) {
    const std::size_t before = bytes.size();
    bytes.resize(before + block);
    in.read(bytes.data() + before, block);
    bytes.resize(before + static_cast<std::size_t>(in.gcount()));
  }
  if (in.bad()) throw Error(ExitCode::io, "reading " + what + " " + file.string() + " failed");
  if (bytes.size() > most_bytes) {
    throw Error(ExitCode::bad_data, what + " " + (standard_input ? "on standard input" : file.string()) + " is larger than " +
                                        std::to_string(most_bytes >> 20U) + " MB");
  }
  return bytes;
}

bool is_source_file(const std::string& given) { return ending_of(given) == ".fountain" || ending_of(given) == ".json"; }

Source read_source(const std::string& given) {
  Source source;
  const std::string extension = ending_of(given);
  if (extension == ".fountain") {
    source.prompt = prompt_of_screenplay(given);
    return source;
  }
  const bool plan_file = extension == ".json";
  const std::string text = given == "-" || plan_file ? read_file(given, plan_file ? "the plan" : "the prompt", plan::largest_file) : given;
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  source.is_plan = plan_file || (first != std::string::npos && text[first] == '{');
  if (source.is_plan)
    source.film = plan::from_json(text);
  else
    source.prompt = text;
  return source;
}

namespace {

void tell(const plan::Film& film, const Origin& origin) {
  if (origin.by_rules) {
    std::fprintf(stderr, "fabula: planned by rules; what the model wrote still had faults after %d %s of repair:\n", origin.repairs,
                 origin.repairs == 1 ? "round" : "rounds");
    for (const std::string& fault : origin.faults) std::fprintf(stderr, "  %s\n", printable(fault).c_str());
  } else if (origin.repairs > 0) {
    std::fprintf(stderr, "fabula: the plan stands after %d %s of repair\n", origin.repairs, origin.repairs == 1 ? "round" : "rounds");
  }
  tell_unsupported(film);
}

}  // namespace

PlannedFilm plan_source(const Source& given, const fs::path& bundle, const DirectOptions& options, DecodingStats* stats) {
  Source source = given;
  const World world = World::open(bundle / "world.json");
  const CastJoin join(options.cast, source, world);
  const auto planner = load_planner(bundle, precision_of(options.model.precision), cpu_machine(thread_count(options.model.threads)),
                                    phones_of, {.sampling = options.sampling, .names = join.names()});
  const auto alive = [](int) { return !stop_requested(); };
  PlannedFilm planned = source.is_plan ? planner->read_plan(source.film, alive) : planner->plan_film(source.prompt, alive);
  if (stats != nullptr) *stats = planner->stats();
  const Origin origin = planned.origin;
  // The cast has changed names, looks or voices of the plan: the model reads it once more, so that the states are those of the bound plan.
  const bool bound_to_cast = join.bind(planned.film);
  if (bound_to_cast) planned = planner->read_plan(plan::Film(planned.film), alive);
  planned.origin = origin;
  tell(planned.film, origin);
  return planned;
}

plan::Film plan_source_by_rules(const Source& given, const fs::path& bundle, const CastChoice& choice) {
  Source source = given;
  if (source.is_plan) throw Error(ExitCode::usage, "--oracle plans a prompt, and this is a plan already");
  const World world = World::open(bundle / "world.json");
  const CastJoin join(choice, source, world);
  World named = world;
  oracle::add_names(named, join.names());
  plan::Film film = oracle::plan_by_rules(source.prompt, named, phones_of);
  join.bind(film);
  tell(film, {});
  return film;
}

void tell_unsupported(const plan::Film& film) {
  for (const std::string& missing : film.unsupported)
    std::fprintf(stderr, "fabula: this model cannot show \"%s\"; the plan leaves it out\n", missing.c_str());
}

}  // namespace fabula::cli
