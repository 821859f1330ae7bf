// `fabula render`: a prompt or a plan becomes an MP4.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>

#include "audio/mix.h"
#include "base/error.h"
#include "engine/bundle.h"
#include "engine/film/film.h"
#include "planner/schema/schema.h"
#include "tools/fabula/bundle_location.h"
#include "tools/fabula/cast_join.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/exit_codes.h"
#include "tools/fabula/options.h"
#include "tools/fabula/output.h"
#include "tools/fabula/planning.h"
#include "tools/fabula/progress.h"
#include "tools/fabula/source.h"
#include "tools/fabula/stop.h"
#include "video/families.h"
#include "video/io/probe.h"
#include "video/io/sinks.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

struct RenderOptions {
  PlanningOptions planning;
  std::string source;                 // what read_source takes
  std::string output;                 // empty: named after the film's title
  std::string save_plan;              // empty: the plan is not kept
  OverwriteOptions overwriting;       // of both
  std::optional<std::uint64_t> seed;  // absent: the plan's, or 0
  int steps = 0;                      // of the sampler per shot; 0: what the bundle says
  int scale = 0;                      // size of the film over the model's canvas; 0: the smallest with at least 480 lines
  bool quiet = false, json = false;
};

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Stage {
  std::string name;
  double seconds;
};

// "A fox at night" -> "a_fox_at_night.mp4"
std::string file_name_of(const std::string& title) {
  constexpr std::size_t longest_title = 100;  // file systems take 255 bytes
  std::string name;
  for (const char c : title.substr(0, longest_title)) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (kept)
      name += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    else if (!name.empty() && name.back() != '_')
      name += '_';
  }
  while (!name.empty() && name.back() == '_') name.pop_back();
  return (name.empty() ? "film" : name) + containers().front().extension;
}

// Whether two names mean one file, which need not exist.
bool same_name(const std::string& a, const std::string& b) {
  std::error_code failed;
  return fs::weakly_canonical(fs::absolute(a), failed) == fs::weakly_canonical(fs::absolute(b), failed) && !is_stream(a);
}

// What is to be written. Refused before minutes of work, not after.
struct Wanted {
  bool film, plan;
};
Wanted wanted(const RenderOptions& options) {
  const std::string& film = options.output;
  if (!film.empty() && container_of(ending_of(film)) == nullptr && !is_stream(film))
    throw Error(ExitCode::usage, "the output " + film + " does not end in " + container_extensions());
  if (!film.empty() && !options.save_plan.empty() && same_name(film, options.save_plan))
    throw Error(ExitCode::usage, "the film and its plan are both to be " + film);
  std::vector<std::string> inputs = {options.planning.cast.file};
  if (options.source == "-" || is_source_file(options.source)) inputs.push_back(options.source);
  if (film.empty()) check_output("film.mp4", Existing::keep_both);  // the name comes with the plan, the folder is known now
  const bool writes_film = may_write(film, options.overwriting, inputs);
  return {writes_film, writes_film && !options.save_plan.empty() && may_write(options.save_plan, options.overwriting, inputs)};
}

std::size_t available_memory() {
  std::ifstream in("/proc/meminfo");
  std::string key;
  std::size_t kilobytes = 0;
  while (in >> key >> kilobytes) {
    if (key == "MemAvailable:") return kilobytes * 1024;
    in.ignore(64, '\n');
  }
  return 0;
}

void check_memory(const ClipModel& model, const PlannedFilm& planned, const Bundle& bundle, const ClipSettings& settings) {
  std::size_t needed = 0;
  for (const Conditioning& conditioning : planned.shots) {
    needed = std::max(needed, model.footprint({&conditioning, bundle.shot_frames.back(), 0, settings}));
  }
  const std::size_t available = available_memory();
  if (available != 0 && needed > available) {
    throw Error(ExitCode::out_of_memory,
                "a shot needs " + std::to_string(needed >> 20) + " MB of memory and " + std::to_string(available >> 20) + " MB are free");
  }
}

// Every film is read back before it gets its name.
void verify_film(const fs::path& file, const std::string& name, const plan::Film& film) {
  const std::int64_t expected = frames_before(film.total_ms, film.fps);
  const FilmProbe probe = probe_film(file);
  if (probe.video_frames != expected || !probe.has_audio) {
    throw Error(ExitCode::check_failed, name + " did not pass its check: " + std::to_string(probe.video_frames) + " of " +
                                            std::to_string(expected) + " frames" + (probe.has_audio ? "" : ", no sound"));
  }
}

// A small canvas is enlarged by a whole number, which players would do worse.
SinkOptions sink_options(const RenderOptions& options, const ClipFormat& format, int fps) {
  constexpr int comfortable_height = 480;
  SinkOptions sink;
  sink.fps = fps;
  const int factor = options.scale > 0 ? options.scale : (comfortable_height + format.height - 1) / format.height;
  sink.width = format.width * factor;
  sink.height = format.height * factor;
  sink.existing = options.output.empty() ? Existing::keep_both : existing_of(options.overwriting);
  return sink;
}

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

void report(const RenderOptions& options, std::uint64_t seed, const fs::path& output, const plan::Film& film,
            const std::vector<Stage>& stages) {
  std::FILE* out = is_standard_output(output) ? stderr : stdout;  // nothing may follow a film that goes to standard output
  if (options.json) {
    nlohmann::ordered_json result = {{"film", output.string()},   {"title", film.title}, {"shots", film.shots.size()},
                                     {"total_ms", film.total_ms}, {"seed", seed},        {"unsupported", film.unsupported}};
    for (const Stage& stage : stages) result["seconds"][stage.name] = stage.seconds;
    result["peak_memory_mb"] = peak_megabytes();
    std::fprintf(out, "%s\n", result.dump(2).c_str());
    return;
  }
  std::fprintf(out, "%s\n", output.c_str());
  if (options.quiet) return;
  for (const Stage& stage : stages) std::fprintf(stderr, "  %-14s %7.2f s\n", stage.name.c_str(), stage.seconds);
  std::fprintf(stderr, "  %-14s %7.0f MB\n", "peak memory", peak_megabytes());
}

void run(const RenderOptions& options) {
  const Source source = read_source(options.source);
  const auto [writes_film, writes_plan] = wanted(options);
  if (!writes_film) return;
  const Bundle bundle = Bundle::open(locate_bundle(options.planning.model.model));
  const Precision precision = precision_of(options.planning.model.precision);
  const int threads = thread_count(options.planning.model.threads);
  const ClipSettings settings{.steps = options.steps > 0 ? options.steps : bundle.steps};
  std::vector<Stage> stages;

  Clock::time_point start = Clock::now();
  const PlannedFilm planned = plan_by_model(source, bundle.folder, options.planning);
  const plan::Film& film = planned.film;
  const std::uint64_t seed = options.seed.value_or(static_cast<std::uint64_t>(film.seed.value_or(0)));
  if (writes_plan) write_output(options.save_plan, plan::to_json(film) + "\n", options.overwriting);
  stages.push_back({"plan", seconds_since(start)});

  const std::string output = options.output.empty() ? file_name_of(film.title) : options.output;
  start = Clock::now();
  const auto model = load_clip_model(bundle.folder, precision, cpu_machine(threads));
  check_memory(*model, planned, bundle, settings);
  stages.push_back({"load", seconds_since(start)});

  start = Clock::now();
  SinkOptions how = sink_options(options, model->format(), film.fps);
  how.check = [&](const fs::path& finished) { verify_film(finished, output, film); };
  const Container* container = container_of(ending_of(output));
  const auto sink = (container != nullptr ? *container : containers().front()).open(output, how);
  {
    ProgressLine line(options.quiet || options.json);
    render_film(planned, *model, bundle.shot_frames, *sink, conform_sound, {seed, settings}, [&](const FilmProgress& p) {
      line.show(p.fraction, "shot " + std::to_string(p.shot + 1) + " of " + std::to_string(p.shots));
      return !stop_requested();
    });
  }
  const double rendering = seconds_since(start);
  double inside = 0.0;
  for (const ClipModel::StageTime& stage : model->stage_times()) {
    stages.push_back({stage.stage, stage.seconds});
    inside += stage.seconds;
  }
  stages.push_back({"encode and mux", rendering - inside});
  remember_film(options.planning.cast, film);
  report(options, seed, sink->output(), film, stages);
}

}  // namespace

void add_render_command(CLI::App& app) {
  CLI::App* render = app.add_subcommand("render", "Render a prompt or a plan to an MP4");
  render->footer(
      footer("  fabula render \"A fox runs through a forest at night. It says: hello moon.\"\n"
             "  fabula render fox.json -o fox.mp4 --seed 7\n"
             "  fabula render story.fountain --save-plan story.json\n"
             "  echo \"A crab on the beach.\" | fabula render - -o crab.mp4",
             {0, 2, 65, 66, 69, 71, 73, 74, 76, 130}));
  const auto options = std::make_shared<RenderOptions>();
  render
      ->add_option("source", options->source,
                   "A prompt, a screenplay (FILE.fountain), a plan (FILE.json), or - to read a prompt or a plan from standard input")
      ->required();
  render
      ->add_option("-o,--output", options->output,
                   "The film (default: named after its title, in this folder, with a number if that name is taken)")
      ->type_name("FILE.mp4");
  render->add_option("--save-plan", options->save_plan, "Also write the plan")->type_name("FILE.json");
  add_overwrite_options(*render, options->overwriting);
  add_seed_option(*render, "--seed", "seed", "Another seed gives another film, the same seed the same bytes (default: the plan's, or 0)",
                  [options](std::uint64_t seed) { options->seed = seed; });
  render->add_option("--steps", options->steps, "Evaluations of the transformer per shot (default: the model's own number)")
      ->check(CLI::Range(1, 1000));
  render->add_option("--scale", options->scale, "Size of the film as a multiple of the model's canvas (default: at least 480 lines)")
      ->check(CLI::Range(1, 16));
  render->add_flag("-q,--quiet", options->quiet, "No progress, no report");
  render->add_flag("--json", options->json, "Print the result as JSON");
  add_planning_options(*render, options->planning);
  render->callback([options] { run(*options); });
}

}  // namespace fabula::cli
