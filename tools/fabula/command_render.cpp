// `fabula render`: a prompt or a plan becomes an MP4.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <sstream>

#include "audio/mix.h"
#include "base/error.h"
#include "base/stopwatch.h"
#include "engine/bundle.h"
#include "engine/film/film.h"
#include "engine/sample/samplers.h"
#include "planner/schema/schema.h"
#include "tools/fabula/bundle_location.h"
#include "tools/fabula/cast_join.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/delivery.h"
#include "tools/fabula/exit_codes.h"
#include "tools/fabula/options.h"
#include "tools/fabula/output.h"
#include "tools/fabula/planning.h"
#include "tools/fabula/progress.h"
#include "tools/fabula/source.h"
#include "tools/fabula/stop.h"
#include "tools/fabula/store_choice.h"
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
  std::string sampler = "euler";      // a name of engine/sample/samplers.h
  int crf = 16;                       // of x264
  int steps = 0;                      // of the sampler per shot; 0: what the bundle says
  int scale = 0;                      // size of the film over the model's canvas; 0: the smallest with at least 480 lines
  bool quiet = false, json = false;
  StoreChoice store;
  DeliveryChoice delivery;
  std::string shots;      // ids and ranges of ids: only these are made, into the store; empty: a film is made
  bool assemble = false;  // only of shots that the store has
};

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
  if (writes_film) check_beside(film, options.delivery, options.overwriting, inputs);
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
void verify_film(const fs::path& file, const std::string& name, std::int64_t expected) {
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
  sink.crf = options.crf;
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

bool was_reused(const ShotReport& report) { return report.outcome == ShotStore::Outcome::reused; }

std::vector<std::string> ids_of(const std::vector<ShotReport>& shots, bool reused) {
  std::vector<std::string> ids;
  for (const ShotReport& shot : shots) {
    if (was_reused(shot) == reused) ids.push_back(shot.id);
  }
  return ids;
}

// Transitions for which the model made too few frames.
void report_held_frames(const std::vector<ShotReport>& shots) {
  std::string held;
  for (const ShotReport& shot : shots) {
    if (shot.held_frames > 0) held += (held.empty() ? "" : ", ") + shot.id;
  }
  if (!held.empty())
    std::fprintf(stderr, "fabula: the model makes no longer shots, so the last picture of %s stands still under the transition after it\n",
                 held.c_str());
}

// What a user should know about the store, on standard error.
void report_store(const std::vector<ShotReport>& shots, const ShotStore* store) {
  if (store == nullptr) return;
  for (const ShotReport& shot : shots) {
    if (shot.outcome == ShotStore::Outcome::made_again)
      std::fprintf(stderr, "fabula: the store's copy of shot %s was damaged; the shot was made again\n", shot.id.c_str());
    if (shot.outcome == ShotStore::Outcome::made_for_this_profile)
      std::fprintf(stderr, "fabula: shot %s had been made by another kind of processor and was made again; --any-machine reuses it\n",
                   shot.id.c_str());
  }
  if (!store->failure().empty()) std::fprintf(stderr, "fabula: a finished shot could not be kept: %s\n", store->failure().c_str());
}

struct Finished {
  fs::path output;
  std::vector<ShotReport> shots;
  std::optional<Mastered> sound;
  std::vector<Stage> stages;
};

void report(const RenderOptions& options, std::uint64_t seed, const plan::Film& film, const Finished& finished) {
  std::FILE* out = is_standard_output(finished.output) ? stderr : stdout;  // nothing may follow a film that goes to standard output
  if (options.json) {
    nlohmann::ordered_json result = {{"film", finished.output.string()},
                                     {"title", film.title},
                                     {"shots", film.shots.size()},
                                     {"total_ms", film.total_ms},
                                     {"seed", seed},
                                     {"unsupported", film.unsupported},
                                     {"shots_made", ids_of(finished.shots, false)},
                                     {"shots_reused", ids_of(finished.shots, true)}};
    if (finished.sound && std::isfinite(finished.sound->lufs)) {
      result["loudness_lufs"] = finished.sound->lufs;
      result["true_peak_dbtp"] = finished.sound->true_peak_dbtp;
      result["gain_db"] = finished.sound->gain_db;
    }
    for (const Stage& stage : finished.stages) result["seconds"][stage.name] = stage.seconds;
    result["peak_memory_mb"] = peak_megabytes();
    std::fprintf(out, "%s\n", result.dump(2).c_str());
    return;
  }
  std::fprintf(out, "%s\n", finished.output.c_str());
  if (options.quiet) return;
  if (const auto reused = ids_of(finished.shots, true); !reused.empty())
    std::fprintf(stderr, "  %-14s %7zu of %zu shots\n", "reused", reused.size(), film.shots.size());
  for (const Stage& stage : finished.stages) std::fprintf(stderr, "  %-14s %7.2f s\n", stage.name.c_str(), stage.seconds);
  std::fprintf(stderr, "  %-14s %7.0f MB\n", "peak memory", peak_megabytes());
}

// "s010,s030-s050" -> indices in the film's order.
std::vector<std::size_t> selected_shots(const std::string& selection, const plan::Film& film) {
  const auto index_of = [&](const std::string& id) {
    const auto found = std::find_if(film.shots.begin(), film.shots.end(), [&](const plan::Shot& shot) { return shot.id == id; });
    if (found == film.shots.end()) throw Error(ExitCode::usage, "--shots: the film has no shot " + id);
    return static_cast<std::size_t>(found - film.shots.begin());
  };
  std::set<std::size_t> indices;
  std::istringstream parts(selection);
  for (std::string part; std::getline(parts, part, ',');) {
    const std::size_t dash = part.find('-');
    const std::size_t first = index_of(part.substr(0, dash));
    const std::size_t last = dash == std::string::npos ? first : index_of(part.substr(dash + 1));
    if (last < first) throw Error(ExitCode::usage, "--shots: " + part + " runs backwards");
    for (std::size_t i = first; i <= last; ++i) indices.insert(i);
  }
  return {indices.begin(), indices.end()};
}

// A planned film and what makes it.
struct Production {
  Bundle bundle;
  PlannedFilm planned;
  std::unique_ptr<ClipModel> model;
  std::unique_ptr<ShotStore> store;
  FilmRequest request;
  std::vector<Stage> stages;
};

Production prepare(const RenderOptions& options, const Source& source, bool writes_plan) {
  Production p{.bundle = Bundle::open(locate_bundle(options.planning.model.model)),
               .planned = {},
               .model = {},
               .store = open_store(options.store),
               .request = {},
               .stages = {}};
  const Stopwatch planning;
  p.planned = plan_by_model(source, p.bundle.folder, options.planning);
  const plan::Film& film = p.planned.film;
  p.request.seed = options.seed.value_or(static_cast<std::uint64_t>(film.seed.value_or(0)));
  p.request.settings.sampler = sampler_named(options.sampler).name;
  p.request.settings.steps = options.steps > 0 ? options.steps : p.bundle.steps;
  p.request.store = p.store.get();
  p.request.only_stored = options.assemble;
  if (writes_plan) write_output(options.save_plan, plan::to_json(film) + "\n", options.overwriting);
  p.stages.push_back({"plan", planning.seconds()});

  const Stopwatch loading;
  p.model = load_clip_model(p.bundle.folder, precision_of(options.planning.model.precision),
                            cpu_machine(thread_count(options.planning.model.threads)));
  check_memory(*p.model, p.planned, p.bundle, p.request.settings);
  p.stages.push_back({"load", loading.seconds()});
  return p;
}

// Shows how far the work is; false once it is to stop.
std::function<bool(const FilmProgress&)> shown_on(ProgressLine& line) {
  return [&line](const FilmProgress& p) {
    line.show(p.fraction, "shot " + std::to_string(p.shot + 1) + " of " + std::to_string(p.shots));
    return !stop_requested();
  };
}

void add_stage_times(std::vector<Stage>& stages, const ClipModel& model, double rendering) {
  for (const ClipModel::StageTime& stage : model.stage_times()) {
    stages.push_back({stage.stage, stage.seconds});
    rendering -= stage.seconds;
  }
  stages.push_back({"encode and mux", rendering});
}

std::unique_ptr<FileSink> open_film(const RenderOptions& options, const plan::Film& film, SinkOptions how) {
  const std::string output = options.output.empty() ? file_name_of(film.title) : options.output;
  const std::int64_t frames = frames_before(film.total_ms, film.fps) + card_frames(options.delivery, film.fps);
  how.check = [output, frames](const fs::path& finished) { verify_film(finished, output, frames); };
  const Container* container = container_of(ending_of(output));
  return (container != nullptr ? *container : containers().front()).open(output, std::move(how));
}

void make_film(const RenderOptions& options) {
  const Source source = read_source(options.source);
  const auto [writes_film, writes_plan] = wanted(options);
  if (!writes_film) return;
  Production p = prepare(options, source, writes_plan);
  const plan::Film& film = p.planned.film;

  const Stopwatch rendering;
  const World world = World::open(p.bundle.folder / "world.json");
  SinkOptions how = sink_options(options, p.model->format(), film.fps);
  const Subtitles subtitles = deliver(film, world, options.delivery, how);
  const auto sink = open_film(options, film, how);
  std::optional<StemRecording> stems;
  if (options.delivery.needs_stems()) {
    stems.emplace(film, world, options.delivery, options.overwriting);
    p.request.stems = &stems->request();
  }
  RecordedSink recorded(*sink, stems ? &*stems : nullptr);
  CardSink with_cards(recorded, cards_of(film, options.delivery, how));
  Finished finished;
  {
    ProgressLine line(options.quiet || options.json);
    ShotSounds sounds;
    const SoundJoin join = [&](const Sound& sound, const SoundEdges& edges) { return sounds.next(sound, edges); };
    finished.shots = render_film(p.planned, *p.model, p.bundle.shot_frames, with_cards, join, p.request, shown_on(line));
  }
  add_stage_times(p.stages, *p.model, rendering.seconds());
  finished.output = sink->output();
  finished.sound = sink->mastered();
  finished.stages = std::move(p.stages);
  if (stems && finished.sound) stems->finish(*finished.sound, how.loudness, options.quiet);
  write_sidecars(finished.output, !options.output.empty(), subtitles, options.delivery, options.overwriting);
  remember_film(options.planning.cast, film);
  if (!options.quiet) {
    report_held_frames(finished.shots);
    report_subtitles(subtitles, options.delivery);
    report_store(finished.shots, p.store.get());
    report_loudness(how.loudness, finished.sound);
  }
  report(options, p.request.seed, film, finished);
}

void make_selected_shots(const RenderOptions& options) {
  const Source source = read_source(options.source);
  Production p = prepare(options, source, false);
  if (p.store == nullptr) throw Error(ExitCode::usage, "--shots makes shots for a store: name one with --store DIR");
  const std::vector<std::size_t> indices = selected_shots(options.shots, p.planned.film);
  std::vector<ShotReport> shots;
  {
    ProgressLine line(options.quiet || options.json);
    shots = make_shots(p.planned, *p.model, p.bundle.shot_frames, indices, p.request, shown_on(line));
  }
  if (!p.store->failure().empty()) throw Error(ExitCode::io, p.store->failure());
  if (!options.quiet) report_store(shots, p.store.get());
  if (options.json) {
    const nlohmann::ordered_json result = {{"shots_made", ids_of(shots, false)}, {"shots_reused", ids_of(shots, true)}};
    std::printf("%s\n", result.dump(2).c_str());
    return;
  }
  for (const ShotReport& shot : shots) std::printf("%s %s\n", shot.id.c_str(), was_reused(shot) ? "reused" : "made");
}

void run(const RenderOptions& options) {
  if (options.shots.empty())
    make_film(options);
  else
    make_selected_shots(options);
}

// What `render` and `assemble` share.
void add_film_options(CLI::App& command, RenderOptions& options) {
  command
      .add_option("-o,--output", options.output,
                  "The film (default: named after its title, in this folder, with a number if that name is taken)")
      ->type_name("FILE.mp4");
  add_overwrite_options(command, options.overwriting);
  add_seed_option(command, "--seed", "seed", "Another seed gives another film, the same seed the same bytes (default: the plan's, or 0)",
                  [&options](std::uint64_t seed) { options.seed = seed; });
  command.add_option("--steps", options.steps, "Steps of the sampler per shot (default: the model's own number)")
      ->check(CLI::Range(1, 1000));
  command.add_option("--sampler", options.sampler, "How latents go from noise to clean: " + sampler_names())
      ->check([](const std::string& name) {
        try {
          (void)sampler_named(name);
          return std::string();
        } catch (const Error& error) {
          return std::string(error.what());
        }
      })
      ->capture_default_str();
  command.add_option("--crf", options.crf, "x264's constant rate factor: 0 is lossless, higher is smaller")
      ->check(CLI::Range(0, 51))
      ->capture_default_str();
  command.add_option("--scale", options.scale, "Size of the film as a multiple of the model's canvas (default: at least 480 lines)")
      ->check(CLI::Range(1, 16));
  command.add_flag("-q,--quiet", options.quiet, "No progress, no report");
  command.add_flag("--json", options.json, "Print the result as JSON");
  add_delivery_options(command, options.delivery);
  add_store_options(command, options.store);
  add_planning_options(command, options.planning);
}

}  // namespace

void add_render_command(CLI::App& app) {
  CLI::App* render = app.add_subcommand("render", "Render a prompt or a plan to an MP4");
  render->footer(
      footer("  fabula render \"A fox runs through a forest at night. It says: hello moon.\"\n"
             "  fabula render fox.json -o fox.mp4 --seed 7\n"
             "  fabula render story.fountain --save-plan story.json\n"
             "  fabula render film.json --shots s020 --store shots\n"
             "  echo \"A crab on the beach.\" | fabula render - -o crab.mp4",
             {0, 2, 65, 66, 69, 71, 73, 74, 76, 130}));
  const auto options = std::make_shared<RenderOptions>();
  render
      ->add_option("source", options->source,
                   "A prompt, a screenplay (FILE.fountain), a plan (FILE.json), or - to read a prompt or a plan from standard input")
      ->required();
  add_film_options(*render, *options);
  render->add_option("--save-plan", options->save_plan, "Also write the plan")->type_name("FILE.json");
  render->add_option("--shots", options->shots, "Make these shots into the store and no film: ids and ranges, such as s010,s030-s050")
      ->type_name("IDS")
      ->excludes("--output")
      ->excludes("--save-plan")
      ->excludes("--no-store");
  render->callback([options] { run(*options); });
}

void add_assemble_command(CLI::App& app) {
  CLI::App* assemble = app.add_subcommand("assemble", "Make the film of a plan from shots that are in the store already");
  assemble->footer(
      footer("  fabula render film.json --shots s010-s030 --store shots     (on one machine)\n"
             "  fabula render film.json --shots s040-s060 --store shots     (on another)\n"
             "  fabula assemble film.json --store shots -o film.mp4\n\n"
             "The seed, the steps and the model must be those that the shots were made with.",
             {0, 2, 65, 66, 69, 73, 74, 75, 76, 130}));
  const auto options = std::make_shared<RenderOptions>();
  options->assemble = true;
  assemble->add_option("plan", options->source, "A plan (FILE.json)")->required();
  add_film_options(*assemble, *options);
  assemble->callback([options] { run(*options); });
}

}  // namespace fabula::cli
