// Puts the result of a render on the terminal, or into JSON.
#include "tools/fabula/film_report.h"

#include <sys/resource.h>

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "library/output.h"
#include "tools/fabula/progress.h"
#include "tools/fabula/terminal.h"

namespace fabula::cli {

namespace {

double peak_megabytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024.0;
}

bool was_reused(const ShotReport& report) { return report.outcome == ShotStore::Outcome::reused; }

}  // namespace

std::vector<std::string> ids_of(const std::vector<ShotReport>& shots, bool reused) {
  std::vector<std::string> ids;
  for (const ShotReport& shot : shots) {
    if (was_reused(shot) == reused) ids.push_back(shot.id);
  }
  return ids;
}

std::vector<std::string> remade_ids(const std::vector<ShotReport>& shots) {
  std::vector<std::string> ids;
  for (const ShotReport& shot : shots) {
    if (shot.was_remade()) ids.push_back(shot.id);
  }
  return ids;
}

void report_notes(const RenderOptions& options, const std::vector<std::string>& notes) {
  if (options.quiet) return;
  for (const std::string& note : notes) say(note);
}

std::FILE* results_stream(const std::filesystem::path& output) { return !output.empty() && is_standard_output(output) ? stderr : stdout; }

void add_stage_times(std::vector<Stage>& stages, const ClipModel& model, double rendering) {
  for (const ClipModel::StageTime& stage : model.stage_times()) {
    stages.push_back({stage.stage, stage.seconds});
    rendering -= stage.seconds;
  }
  stages.push_back({"encode and mux", rendering});
}

void report(const RenderOptions& options, std::uint64_t seed, const plan::Film& film, const FinishedFilm& finished, Progress& progress) {
  std::FILE* out = results_stream(finished.output);
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

void report_shots(const RenderOptions& options, const std::vector<ShotReport>& shots, Progress& progress) {
  if (options.json || progress.takes_results()) {
    const nlohmann::ordered_json result = {
        {"shots_made", ids_of(shots, false)}, {"shots_reused", ids_of(shots, true)}, {"shots_remade", remade_ids(shots)}};
    return progress.takes_results() ? progress.event("result", result.dump()) : (void)std::printf("%s\n", result.dump(2).c_str());
  }
  for (const ShotReport& shot : shots) std::printf("%s %s\n", shot.id.c_str(), was_reused(shot) ? "reused" : "made");
}

}  // namespace fabula::cli
