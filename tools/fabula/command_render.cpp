// `fabula render`: a prompt or a plan becomes an MP4.
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
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
#include "tools/batch/names.h"
#include "tools/fabula/bundle_location.h"
#include "tools/fabula/cast_join.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/delivery.h"
#include "tools/fabula/dry_run.h"
#include "tools/fabula/exit_codes.h"
#include "tools/fabula/film_receipt.h"
#include "tools/fabula/gate_choice.h"
#include "tools/fabula/options.h"
#include "tools/fabula/output.h"
#include "tools/fabula/planning.h"
#include "tools/fabula/preview.h"
#include "tools/fabula/progress.h"
#include "tools/fabula/render.h"
#include "tools/fabula/shot_pictures.h"
#include "tools/fabula/source.h"
#include "tools/fabula/stop.h"
#include "tools/fabula/store_choice.h"
#include "video/families.h"
#include "video/io/probe.h"
#include "video/io/sinks.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

struct Stage {
  std::string name;
  double seconds;
};

// "A fox at night" -> "a_fox_at_night.mp4"
std::string file_name_of(const std::string& title) { return batch::file_word(title) + containers().front().extension; }

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
  std::vector<std::string> inputs = {options.planning.cast.file, options.from_receipt};
  if (options.source == "-" || is_source_file(options.source)) inputs.push_back(options.source);
  if (film.empty()) check_output("film.mp4", Existing::keep_both);  // the name comes with the plan, the folder is known now
  const bool writes_film = may_write(film, options.overwriting, inputs);
  if (writes_film) check_beside(film, options.delivery, options.overwriting, inputs);
  if (writes_film) check_receipt_options(options.receipt, film, options.overwriting.overwrite);
  return {writes_film, writes_film && !options.save_plan.empty() && may_write(options.save_plan, options.overwriting, inputs)};
}

}  // namespace

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

void check_memory(const Studio& studio, const PlannedFilm& planned, const FilmRequest& request) {
  const auto needed_for = [&](int frames) {
    std::size_t needed = 0;
    for (const Conditioning& conditioning : planned.shots)
      needed = std::max(needed, studio.model->footprint({&conditioning, frames, 0, request.settings}));
    return needed;
  };
  const std::size_t available = available_memory();
  std::size_t needed = 0;
  for (const ClipRequest& clip : clip_requests(planned, studio.model->format(), studio.bundle.shot_frames, request))
    needed = std::max(needed, studio.model->footprint(clip));
  if (available == 0 || needed <= available) return;
  std::string sentence =
      "a shot needs " + std::to_string(needed >> 20) + " MB of memory and " + std::to_string(available >> 20) + " MB are free";
  int fits = 0;
  for (const int frames : studio.bundle.shot_frames) {
    if (frames > fits && needed_for(frames) <= available) fits = frames;
  }
  if (fits > 0) sentence += "; shots of at most " + std::to_string(fits * 1000 / studio.model->format().fps) + " ms would fit";
  throw Error(ExitCode::out_of_memory, sentence);
}

namespace {

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

void report_notes(const RenderOptions& options, const std::vector<std::string>& notes) {
  if (options.quiet) return;
  for (const std::string& note : notes) std::fprintf(stderr, "fabula: %s\n", note.c_str());
}

}  // namespace

std::vector<std::string> ids_of(const std::vector<ShotReport>& shots, bool reused) {
  std::vector<std::string> ids;
  for (const ShotReport& shot : shots) {
    if (was_reused(shot) == reused) ids.push_back(shot.id);
  }
  return ids;
}

std::vector<std::string> shot_notes(const std::vector<ShotReport>& shots, const ShotStore* store) {
  std::vector<std::string> notes = gate_notes(shots);
  std::string held;  // shots for whose transitions the model made too few frames
  for (const ShotReport& shot : shots) {
    if (shot.held_frames > 0) held += (held.empty() ? "" : ", ") + shot.id;
  }
  if (!held.empty())
    notes.push_back("the model makes no longer shots, so the last picture of " + held + " stands still under the transition after it");
  for (const ShotReport& shot : shots) {
    if (shot.outcome == ShotStore::Outcome::made_again)
      notes.push_back("the store's copy of shot " + shot.id + " was damaged; the shot was made again");
    if (shot.outcome == ShotStore::Outcome::made_for_this_profile)
      notes.push_back("shot " + shot.id + " had been made by another kind of processor and was made again; --any-machine reuses it");
  }
  if (store != nullptr && !store->failure().empty()) notes.push_back("a finished shot could not be kept: " + store->failure());
  return notes;
}

std::vector<std::string> film_notes(const FilmInTheMaking& film, const ShotStore* store) {
  std::vector<std::string> notes = shot_notes(film.shots, store);
  const std::vector<std::string> more[] = {subtitle_notes(film.beside->subtitles, film.beside->options.delivery),
                                           loudness_notes(film.how.loudness, film.file->mastered())};
  for (const std::vector<std::string>& part : more) notes.insert(notes.end(), part.begin(), part.end());
  return notes;
}

namespace {

// Where results go: nothing may follow a film that goes to standard output.
std::FILE* machines_of(const fs::path& output) { return !output.empty() && is_standard_output(output) ? stderr : stdout; }

struct Finished {
  fs::path output;
  int width, height;
  std::vector<ShotReport> shots;
  std::optional<Mastered> sound;
  std::vector<Stage> stages;
};

void report(const RenderOptions& options, std::uint64_t seed, const plan::Film& film, const Finished& finished, Progress& progress) {
  std::FILE* out = machines_of(finished.output);
  if (options.json || progress.takes_results()) {
    nlohmann::ordered_json result = {
        {"film", finished.output.string()},
        {"receipt", makes_receipt(options.receipt, finished.output) ? receipt_of(finished.output).string() : ""},
        {"title", film.title},
        {"shots", film.shots.size()},
        {"total_ms", film.total_ms},
        {"width", finished.width},
        {"height", finished.height},
        {"aspect", aspect_of(finished.width, finished.height)},
        {"seed", seed},
        {"unsupported", film.unsupported},
        {"shots_made", ids_of(finished.shots, false)},
        {"shots_reused", ids_of(finished.shots, true)},
        {"shots_remade", remade_ids(finished.shots)}};
    if (finished.sound && std::isfinite(finished.sound->lufs)) {
      result["loudness_lufs"] = finished.sound->lufs;
      result["true_peak_dbtp"] = finished.sound->true_peak_dbtp;
      result["gain_db"] = finished.sound->gain_db;
    }
    for (const Stage& stage : finished.stages) result["seconds"][stage.name] = stage.seconds;
    result["peak_memory_mb"] = peak_megabytes();
    return progress.takes_results() ? progress.event("result", result.dump()) : (void)std::fprintf(out, "%s\n", result.dump(2).c_str());
  }
  std::fprintf(out, "%s\n", finished.output.c_str());
  if (options.quiet) return;
  if (const auto reused = ids_of(finished.shots, true); !reused.empty())
    std::fprintf(stderr, "  %-14s %7zu of %zu shots\n", "reused", reused.size(), film.shots.size());
  std::fprintf(stderr, "  %-14s %d x %d (%s)\n", "picture", finished.width, finished.height,
               aspect_of(finished.width, finished.height).c_str());
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

}  // namespace

Studio open_studio(const RenderOptions& options) {
  const bool may_make_store = !options.dry_run || fs::is_directory(store_folder(options.store.folder));
  return {.bundle = Bundle::open(locate_bundle(options.planning.model.model)),
          .store = may_make_store ? open_store(options.store) : nullptr,
          .model = {}};
}

void load_model(Studio& studio, const RenderOptions& options) {
  studio.model = load_clip_model(studio.bundle.folder, precision_of(options.planning.model.precision),
                                 cpu_machine(thread_count(options.planning.model.threads)));
}

FilmRequest film_request(const RenderOptions& options, const Studio& studio, const plan::Film& film) {
  FilmRequest request;
  request.seed = options.seed.value_or(static_cast<std::uint64_t>(film.seed.value_or(0)));
  request.settings.sampler = sampler_named(options.sampler).name;
  request.settings.steps = options.steps > 0 ? options.steps : studio.bundle.steps;
  request.store = studio.store.get();
  request.only_stored = options.assemble;
  request.gate = !options.no_gate;
  return request;
}

namespace {

// A planned film and what makes it.
struct Production {
  Studio studio;
  PlannedFilm planned;
  FilmRequest request;
  std::vector<Stage> stages;
};

Production prepare(const RenderOptions& options, const Source& source, bool writes_plan) {
  Production p{.studio = open_studio(options), .planned = {}, .request = {}, .stages = {}};
  const Stopwatch planning;
  p.planned = plan_by_model(source, p.studio.bundle.folder, options.planning);
  p.request = film_request(options, p.studio, p.planned.film);
  if (writes_plan) write_output(options.save_plan, plan::to_json(p.planned.film) + "\n", options.overwriting);
  p.stages.push_back({"plan", planning.seconds()});

  const Stopwatch loading;
  load_model(p.studio, options);
  check_memory(p.studio, p.planned, p.request);
  p.stages.push_back({"load", loading.seconds()});
  return p;
}

// The shares of a film's time. Shots take nearly all of it; writing goes on beside them, and ends after them.
constexpr double shots_begin = 0.03, shots_end = 0.96;

// Shows how far the shots are; false once the work is to stop.
std::function<bool(const FilmProgress&)> shown_on(Progress& progress) {
  progress.pace_from(shots_begin);
  return [&progress](const FilmProgress& p) {
    progress.show(shots_begin + p.fraction * (shots_end - shots_begin), {.shot = p.shot, .shots = p.shots, .attempt = p.attempt});
    return !stop_requested();
  };
}

// What fails is told to those who follow the progress, too.
template <typename Work>
void followed(const RenderOptions& options, Work&& work) {
  Progress progress(options.progress, options.quiet || options.json || options.dry_run, machines_of(options.output));
  try {
    progress.show(0.0, {.stage = "planning"});
    work(progress);
  } catch (const Error& error) {
    progress.fail(error);
    throw;
  }
}

void add_stage_times(std::vector<Stage>& stages, const ClipModel& model, double rendering) {
  for (const ClipModel::StageTime& stage : model.stage_times()) {
    stages.push_back({stage.stage, stage.seconds});
    rendering -= stage.seconds;
  }
  stages.push_back({"encode and mux", rendering});
}

// What the receipt of a film needs to know of its making.
Receipt receipt_draft(const RenderOptions& options, const plan::Film& film, std::uint64_t seed, const SinkOptions& how) {
  Receipt receipt;
  receipt.width = how.width;
  receipt.height = how.height;
  receipt.seed = seed;
  receipt.precision = name_of(precision_of(options.planning.model.precision));
  receipt.plan = film;
  return receipt;
}

}  // namespace

FilmInTheMaking make_film(const RenderOptions& options, Studio& studio, const PlannedFilm& planned, const std::string& output,
                          const FilmHooks& hooks) {
  const plan::Film& film = planned.film;
  FilmInTheMaking making;
  making.output = output;
  making.how = sink_options(options, studio.model->format(), film.fps);
  making.beside.reset(new BesideTheFilm{.options = options, .film = film, .world = World::open(studio.bundle.folder / "world.json")});
  BesideTheFilm& beside = *making.beside;
  const DeliveryChoice& delivery = beside.options.delivery;
  beside.subtitles = deliver(beside.film, beside.world, delivery, making.how);
  check_disk(output, estimated_film_bytes(making.how, film.total_ms), film.total_ms);
  const std::int64_t frames = frames_before(film.total_ms, film.fps) + card_frames(delivery, film.fps);
  making.how.check = [output, hooks, frames](const fs::path& finished) {
    verify_film(finished, output, frames);
    if (hooks.on_whole) hooks.on_whole(finished);
  };
  FilmRequest request = film_request(options, studio, film);
  beside.receipt.emplace(beside.options.receipt, options.output, studio.bundle.folder,
                         receipt_draft(options, film, request.seed, making.how));
  beside.receipt->prepare(making.how);
  if (delivery.needs_stems()) {
    beside.stems.emplace(beside.film, beside.world, delivery, beside.options.overwriting);
    request.stems = &beside.stems->request();
  }
  const Container* container = container_of(ending_of(output));
  auto file = (container != nullptr ? *container : containers().front()).open(output, making.how);
  making.file = file.get();
  making.writing = std::make_unique<BackgroundSink>(std::move(file));
  RecordedSink recorded(*making.writing, beside.stems ? &*beside.stems : nullptr);
  CardSink with_cards(recorded, cards_of(film, delivery, making.how));
  ShotPictures pictures(with_cards, film, hooks.on_picture);
  ShotSounds sounds;
  const SoundJoin join = [&](const Sound& sound, const SoundEdges& edges) { return sounds.next(sound, edges); };
  making.shots = render_film(planned, *studio.model, studio.bundle.shot_frames, pictures, join, request, hooks.progress);
  return making;
}

void complete(FilmInTheMaking& making) {
  making.writing->wait();
  BesideTheFilm& beside = *making.beside;
  const RenderOptions& options = beside.options;
  const std::optional<Mastered>& sound = making.file->mastered();
  if (beside.stems && sound) beside.stems->finish(*sound, making.how.loudness, options.quiet);
  write_sidecars(making.file->output(), !options.output.empty(), beside.subtitles, options.delivery, options.overwriting);
  beside.receipt->write(making.file->output(), making.shots, sound, options.overwriting.overwrite);
}

namespace {

Source source_of(const RenderOptions& options) {
  if (options.receipt.again) return {.prompt = {}, .is_plan = true, .film = options.receipt.again->plan};
  return read_source(options.source, options.planning.format);
}

void film_planned(const RenderOptions& options, Production p, Progress& progress) {
  const plan::Film& film = p.planned.film;
  const std::string output = options.output.empty() ? file_name_of(film.title) : options.output;
  if (options.dry_run)
    return print_dry_run(options, p.studio, p.planned, p.request, output, sink_options(options, p.studio.model->format(), film.fps));
  const Stopwatch rendering;
  Preview preview(output, options.preview);
  const auto shown = shown_on(progress);
  const FilmHooks hooks{.progress =
                            [&](const FilmProgress& at) {
                              preview.poll();
                              return shown(at);
                            },
                        .on_picture = [&](const Image& picture) { preview.add(picture); },
                        .on_whole = {}};
  FilmInTheMaking making = make_film(options, p.studio, p.planned, output, hooks);
  progress.show(shots_end, {.stage = "writing"});
  complete(making);
  progress.show(1.0, {.stage = "done"});
  progress.clear();
  add_stage_times(p.stages, *p.studio.model, rendering.seconds());
  remember_film(options.planning.cast, film);
  report_notes(options, film_notes(making, p.studio.store.get()));
  report(options, p.request.seed, film,
         {making.file->output(), making.how.width, making.how.height, making.shots, making.file->mastered(), std::move(p.stages)},
         progress);
}

void film_source(const RenderOptions& options) {
  const Source source = source_of(options);
  const auto [writes_film, writes_plan] = wanted(options);
  if (!writes_film) return;
  followed(options, [&, plans = writes_plan && !options.dry_run](Progress& progress) {
    film_planned(options, prepare(options, source, plans), progress);
  });
}

void report_shots(const RenderOptions& options, const std::vector<ShotReport>& shots, Progress& progress) {
  if (options.json || progress.takes_results()) {
    const nlohmann::ordered_json result = {
        {"shots_made", ids_of(shots, false)}, {"shots_reused", ids_of(shots, true)}, {"shots_remade", remade_ids(shots)}};
    return progress.takes_results() ? progress.event("result", result.dump()) : (void)std::printf("%s\n", result.dump(2).c_str());
  }
  for (const ShotReport& shot : shots) std::printf("%s %s\n", shot.id.c_str(), was_reused(shot) ? "reused" : "made");
}

// The options that a receipt's film was made with, with those of this command line that say where things are.
RenderOptions options_of_receipt(const RenderOptions& given) {
  if (!given.source.empty()) throw Error(ExitCode::usage, "--from-receipt makes the receipt's film again and takes no prompt or plan");
  if (!given.receipt.recorded.empty() || given.seed || given.planning.model.precision != "auto")
    throw Error(ExitCode::usage, "--from-receipt takes the film's options from the receipt; leave out " +
                                     (!given.receipt.recorded.empty() ? given.receipt.recorded.front()
                                      : given.seed                    ? "--seed"
                                                                      : "--precision"));
  const Receipt receipt = read_receipt(given.from_receipt);
  RenderOptions options;
  CLI::App recorded;
  add_film_options(recorded, options);
  try {
    recorded.parse(std::vector<std::string>(receipt.options.rbegin(), receipt.options.rend()));  // the order that CLI11 takes them in
  } catch (const CLI::ParseError& error) {
    throw Error(ExitCode::bad_data, given.from_receipt + " has an option that this version does not know: " + error.what());
  }
  options.receipt.recorded = receipt.options;
  options.seed = receipt.seed;
  options.planning.model = {given.planning.model.model, receipt.precision, given.planning.model.threads};
  options.planning.cast.none = true;  // the plan is as it was filmed
  options.from_receipt = given.from_receipt;
  options.receipt.again = receipt;
  options.output = given.output;
  options.save_plan = given.save_plan;
  options.overwriting = given.overwriting;
  options.quiet = given.quiet;
  options.json = given.json;
  options.store = given.store;
  options.receipt.none = given.receipt.none;
  return options;
}

void make_shots_of(const RenderOptions& options, Production p, Progress& progress) {
  ShotStore* store = p.studio.store.get();
  if (store == nullptr) throw Error(ExitCode::usage, "--shots makes shots for a store: name one with --store DIR");
  const std::vector<std::size_t> indices = selected_shots(options.shots, p.planned.film);
  const auto shots = make_shots(p.planned, *p.studio.model, p.studio.bundle.shot_frames, indices, p.request, shown_on(progress));
  progress.show(1.0, {.stage = "done"});
  progress.clear();
  if (!store->failure().empty()) throw Error(ExitCode::io, store->failure());
  report_notes(options, shot_notes(shots, store));
  report_shots(options, shots, progress);
}

void make_selected_shots(const RenderOptions& options) {
  const Source source = source_of(options);
  followed(options, [&](Progress& progress) { make_shots_of(options, prepare(options, source, false), progress); });
}

void run(const RenderOptions& given) {
  if (given.from_receipt.empty() && given.source.empty())
    throw Error(ExitCode::usage, "render needs a prompt, a plan, a screenplay, or --from-receipt FILE");
  const RenderOptions options = given.from_receipt.empty() ? given : options_of_receipt(given);
  if (options.shots.empty())
    film_source(options);
  else
    make_selected_shots(options);
}

void add_output_options(CLI::App& command, RenderOptions& options) {
  command
      .add_option("-o,--output", options.output,
                  "The film (default: named after its title, in this folder, with a number if that name is taken)")
      ->type_name("FILE.mp4");
  add_overwrite_options(command, options.overwriting);
}

}  // namespace

void add_film_options(CLI::App& command, RenderOptions& options) {
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
  add_gate_option(command, options.no_gate);
  add_receipt_options(command, options.receipt);
  add_delivery_options(command, options.delivery);
  command.add_flag("--preview", options.preview,
                   "Write a contact sheet beside the film, FILE.preview.jpg, as shots are made (SIGUSR1 asks for one at any time)");
  command.add_flag("-q,--quiet", options.quiet, "No progress, no report");
  command.add_flag("--json", options.json, "Print the result as JSON");
  add_progress_option(command, options.progress);
  add_store_options(command, options.store);
  add_planning_options(command, options.planning);
}

CLI::Option* add_save_plan_option(CLI::App& command, RenderOptions& options) {
  return command.add_option("--save-plan", options.save_plan, "Also write the plan")->type_name("FILE.json");
}

void add_render_command(CLI::App& app) {
  CLI::App* render = app.add_subcommand("render", "Render a prompt or a plan to an MP4");
  render->footer(
      footer("  fabula render \"A fox runs through a forest at night. It says: hello moon.\"\n"
             "  fabula render fox.json -o fox.mp4 --seed 7\n"
             "  fabula render story.fountain --save-plan story.json\n"
             "  fabula render film.json --shots s020 --store shots\n"
             "  fabula render --from-receipt fox.fabula.json -o again.mp4\n"
             "  fabula render film.json --dry-run\n"
             "  echo \"A crab on the beach.\" | fabula render - -o crab.mp4",
             {0, 2, 65, 66, 69, 71, 73, 74, 76, 78, 130}));
  const auto options = std::make_shared<RenderOptions>();
  render->add_option("source", options->source,
                     "A prompt, a screenplay (FILE.fountain), a plan (FILE.json), or - to read a prompt or a plan from standard input");
  add_output_options(*render, *options);
  add_film_options(*render, *options);
  add_save_plan_option(*render, *options);
  render->add_flag(
      "--dry-run", options->dry_run,
      "Print the plan, the paths, the shots to make and to reuse, the memory, and about how much disk and time; write nothing");
  render->add_option("--shots", options->shots, "Make these shots into the store and no film: ids and ranges, such as s010,s030-s050")
      ->type_name("IDS")
      ->excludes("--output")
      ->excludes("--save-plan")
      ->excludes("--dry-run")
      ->excludes("--no-store");
  render->add_option("--from-receipt", options->from_receipt, "Make the film of a receipt again, to the byte, or say what differs")
      ->type_name("FILM.fabula.json")
      ->excludes("--c2pa")
      ->excludes("--shots");
  render->callback([options, render] {
    options->receipt.recorded = recorded_options(*render);
    run(*options);
  });
}

void add_assemble_command(CLI::App& app) {
  CLI::App* assemble = app.add_subcommand("assemble", "Make the film of a plan from shots that are in the store already");
  assemble->footer(
      footer("  fabula render film.json --shots s010-s030 --store shots     (on one machine)\n"
             "  fabula render film.json --shots s040-s060 --store shots     (on another)\n"
             "  fabula assemble film.json --store shots -o film.mp4\n\n"
             "The seed, the steps and the model must be those that the shots were made with.",
             {0, 2, 65, 66, 69, 73, 74, 75, 76, 78, 130}));
  const auto options = std::make_shared<RenderOptions>();
  options->assemble = true;
  assemble->add_option("plan", options->source, "A plan (FILE.json)")->required();
  add_output_options(*assemble, *options);
  add_film_options(*assemble, *options);
  assemble->callback([options, assemble] {
    options->receipt.recorded = recorded_options(*assemble);
    run(*options);
  });
}

}  // namespace fabula::cli
