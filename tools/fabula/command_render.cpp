#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <nlohmann/json.hpp>

#include "audio/mix.h"
#include "base/error.h"
#include "engine/bundle.h"
#include "engine/film/film.h"
#include "planner/schema/schema.h"
#include "tools/fabula/cast_join.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/progress.h"
#include "tools/fabula/stop.h"
#include "video/families.h"
#include "video/io/mp4.h"
#include "video/io/probe.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

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
  return (name.empty() ? "film" : name) + ".mp4";
}

// The names of one file, whether it is there or not.
bool same_name(const std::string& a, const std::string& b) {
  std::error_code failed;
  return fs::weakly_canonical(fs::absolute(a), failed) == fs::weakly_canonical(fs::absolute(b), failed) && !is_stream(a);
}

// What is to be written, refused before minutes of work, not after.
struct Wanted {
  bool film, plan;
};
Wanted wanted(const RenderOptions& options) {
  const std::string& film = options.output;
  if (!film.empty() && ending_of(film) != ".mp4" && !is_stream(film))
    throw Error(ExitCode::usage, "the output " + film + " does not end in .mp4");
  if (!film.empty() && !options.save_plan.empty() && same_name(film, options.save_plan))
    throw Error(ExitCode::usage, "the film and its plan are both to be " + film);
  std::vector<std::string> inputs = {options.cast.file};
  if (options.source == "-" || is_source_file(options.source)) inputs.push_back(options.source);
  if (film.empty()) check_output("film.mp4", Existing::keep_both);  // the name is known when there is a plan, the folder now
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

void check_memory(const ClipModel& model, const Direction& direction, const Bundle& bundle, int evaluations) {
  std::size_t needed = 0;
  for (const Conditioning& conditioning : direction.shots) {
    needed = std::max(needed, model.footprint({&conditioning, bundle.shot_frames.back(), 0, evaluations}));
  }
  const std::size_t available = available_memory();
  if (available != 0 && needed > available) {
    throw Error(ExitCode::out_of_memory,
                "a shot needs " + std::to_string(needed >> 20) + " MB of memory and " + std::to_string(available >> 20) + " MB are free");
  }
}

// Never a film that nobody has looked at: what was written is read back.
void verify_film(const fs::path& file, const std::string& name, const plan::Film& film) {
  const std::int64_t expected = frames_before(film.total_ms, film.fps);
  const FilmProbe probe = probe_film(file);
  if (probe.video_frames != expected || !probe.has_audio) {
    throw Error(ExitCode::check_failed, name + " did not pass its check: " + std::to_string(probe.video_frames) + " of " +
                                            std::to_string(expected) + " frames" + (probe.has_audio ? "" : ", no sound"));
  }
}

// A small canvas is delivered enlarged by a whole number, so that players need not do it worse.
Mp4Options sink_options(const RenderOptions& options, const ClipFormat& format, int fps) {
  constexpr int comfortable_height = 480;
  Mp4Options sink;
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
  std::FILE* out = is_standard_output(output) ? stderr : stdout;  // nothing may follow a film that goes there
  if (options.json) {
    nlohmann::ordered_json told = {{"film", output.string()},   {"title", film.title}, {"shots", film.shots.size()},
                                   {"total_ms", film.total_ms}, {"seed", seed},        {"unsupported", film.unsupported}};
    for (const Stage& stage : stages) told["seconds"][stage.name] = stage.seconds;
    told["peak_memory_mb"] = peak_megabytes();
    std::fprintf(out, "%s\n", told.dump(2).c_str());
    return;
  }
  std::fprintf(out, "%s\n", output.c_str());
  if (options.quiet) return;
  for (const Stage& stage : stages) std::fprintf(stderr, "  %-14s %7.2f s\n", stage.name.c_str(), stage.seconds);
  std::fprintf(stderr, "  %-14s %7.0f MB\n", "peak memory", peak_megabytes());
}

}  // namespace

void run_render(const RenderOptions& options) {
  const Source source = read_source(options.source);
  const auto [writes_film, writes_plan] = wanted(options);
  if (!writes_film) return;
  const Bundle bundle = Bundle::open(locate_bundle(options.model.model));
  const Precision precision = precision_of(options.model.precision);
  const int threads = thread_count(options.model.threads);
  const int evaluations = options.steps > 0 ? options.steps : bundle.steps;
  std::vector<Stage> stages;

  Clock::time_point start = Clock::now();
  const Direction direction = direct(source, bundle.folder, options);
  const plan::Film& film = direction.film;
  const std::uint64_t seed = options.seed.value_or(static_cast<std::uint64_t>(film.seed.value_or(0)));
  if (writes_plan) write_output(options.save_plan, plan::to_json(film) + "\n", options.overwriting);
  stages.push_back({"plan", seconds_since(start)});

  const std::string output = options.output.empty() ? file_name_of(film.title) : options.output;
  start = Clock::now();
  const auto model = load_clip_model(bundle.folder, precision, threads);
  check_memory(*model, direction, bundle, evaluations);
  stages.push_back({"load", seconds_since(start)});

  start = Clock::now();
  Mp4Options how = sink_options(options, model->format(), film.fps);
  how.title = film.title;
  how.language = film.language;
  how.check = [&](const fs::path& finished) { verify_film(finished, output, film); };
  Mp4Sink sink(output, how);
  {
    ProgressLine line(options.quiet || options.json);
    ShotSounds sounds;
    const SoundJoin join = [&](const Sound& sound, std::int64_t count, bool is_last) { return sounds.next(sound, count, is_last); };
    render_film(direction, *model, bundle.shot_frames, sink, join, {seed, evaluations}, [&](const FilmProgress& p) {
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
  remember_film(options.cast, film);
  report(options, seed, sink.output(), film, stages);
}

}  // namespace fabula::cli
