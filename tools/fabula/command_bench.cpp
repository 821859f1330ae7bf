// `fabula bench`: how fast this machine runs the kernels and the model, beside what it can do at most.
#include <CLI/CLI.hpp>
#include <cmath>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "audio/phonemes.h"
#include "base/error.h"
#include "engine/film/film.h"
#include "kernels/instruction_set.h"
#include "kernels/peak.h"
#include "kernels/timings.h"
#include "planner/compose/bundle_planner.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/exit_codes.h"
#include "tools/fabula/stop.h"
#include "tools/fabula/studio.h"

namespace fabula::cli {
namespace {

using nlohmann::ordered_json;

struct BenchOptions {
  ModelOptions model;
  double seconds = 0.3;  // for each kernel
  bool kernels_only = false, json = false;
};

// Prints rows as they come, and keeps them for --json.
class Table {
 public:
  explicit Table(bool json) : json_(json) {}

  // `peak` in the unit of `rate`; 0: there is none to compare with.
  void row(const std::string& what, const std::string& size, double seconds, double rate, const char* unit, double peak) {
    if (json_) {
      ordered_json row = {{"op", what}, {"size", size}, {"seconds", seconds}, {"achieved", rate}, {"unit", unit}};
      if (peak > 0.0) row["share_of_peak"] = rate / peak;
      rows_.push_back(std::move(row));
      return;
    }
    const std::string share = peak > 0.0 ? std::to_string(static_cast<int>(100.0 * rate / peak + 0.5)) + " %" : "";
    std::printf("%-22s %-22s %10.3f ms %9.1f %-10s %5s\n", what.c_str(), size.c_str(), 1e3 * seconds, rate, unit, share.c_str());
    std::fflush(stdout);
  }

  [[nodiscard]] const ordered_json& rows() const { return rows_; }

 private:
  bool json_;
  ordered_json rows_ = ordered_json::array();
};

struct Peak {
  double gflops, tile_gflops, gigabytes;  // a second

  [[nodiscard]] double of(Bound bound) const {
    switch (bound) {
      case Bound::operations:
        return gflops;
      case Bound::tiles:
        return tile_gflops;
      case Bound::bandwidth:
        return gigabytes;
      case Bound::other:
        return 0.0;
    }
    return 0.0;
  }
};

void kernel_rows(const Exec& exec, const Peak& peak, double seconds, Table& table) {
  time_kernels(exec, seconds, [&](const KernelTiming& t) {
    const double rate = t.amount / t.seconds / 1e9;
    table.row(t.op, t.size, t.seconds, rate, t.bound == Bound::bandwidth ? "GB/s" : "Gop/s", peak.of(t.bound));
    return !stop_requested();
  });
}

// One shot of the model: how it is planned, denoised and decoded.
void model_rows(const BenchOptions& options, Table& table) {
  RenderOptions render;
  render.planning.model = options.model;
  Studio studio = open_studio(render);
  load_model(studio, render);
  const auto alive = [](int) { return !stop_requested(); };
  const auto planner = load_planner(studio.bundle.folder, precision_of(options.model.precision),
                                    cpu_machine(thread_count(options.model.threads)), phones_of, {.shots = 1});
  const PlannedFilm planned = planner->plan_film("A fox runs in the forest at night.", alive);
  const DecodingStats& stats = planner->stats();
  table.row("planner", std::to_string(stats.tokens) + " tokens", stats.seconds, static_cast<double>(stats.tokens) / stats.seconds,
            "tokens/s", 0.0);

  FilmRequest request;
  request.settings.steps = studio.bundle.steps;
  const ClipRequest clip = clip_requests(planned, studio.model->format(), studio.bundle.shot_frames, request).front();
  const auto progress = [](int, int) { return !stop_requested(); };
  const CleanLatents latents = studio.model->denoise(clip, progress);
  (void)studio.model->decode(
      clip, latents, [](const Image&) {}, progress);
  const double film_seconds = static_cast<double>(clip.frames) / studio.model->format().fps;
  for (const ClipModel::StageTime& stage : studio.model->stage_times()) {
    const bool is_denoising = std::string(stage.stage) == "denoise";
    const double each = is_denoising ? stage.seconds / clip.settings.steps : stage.seconds;
    table.row(is_denoising ? "transformer" : stage.stage, is_denoising ? "an evaluation" : std::to_string(clip.frames) + " frames", each,
              film_seconds / stage.seconds, "x real time", 0.0);
  }
}

void run(const BenchOptions& options) {
  ThreadPool pool(thread_count(options.model.threads));
  const Exec exec{.pool = &pool};
  const Peak peak{peak_operations(exec) / 1e9, peak_tile_operations(exec) / 1e9, peak_bandwidth(exec) / 1e9};
  if (!options.json) {
    const std::string tiles = peak.tile_gflops > 0.0 ? std::to_string(std::llround(peak.tile_gflops)) + " Gop/s of bf16 tiles, " : "";
    std::printf("%s, %d threads; measured peak: %.1f Gop/s of float32, %s%.1f GB/s from memory\n\n", instruction_set_name().c_str(),
                pool.threads(), peak.gflops, tiles.c_str(), peak.gigabytes);
    std::printf("%-22s %-22s %13s %20s %5s\n", "op", "size", "fastest", "achieved", "peak");
  }
  Table table(options.json);
  kernel_rows(exec, peak, options.seconds, table);
  if (!options.kernels_only && !stop_requested()) model_rows(options, table);
  if (stop_requested()) throw Error(ExitCode::interrupted, "stopped while measuring");
  if (!options.json) return;
  const ordered_json all = {{"processor", instruction_set_name()},
                            {"threads", pool.threads()},
                            {"peak", {{"float32_gops", peak.gflops}, {"tile_gops", peak.tile_gflops}, {"memory_gbps", peak.gigabytes}}},
                            {"rows", table.rows()}};
  std::printf("%s\n", all.dump(2).c_str());
}

}  // namespace

void add_bench_command(CLI::App& app) {
  CLI::App* bench = app.add_subcommand("bench", "Measure how fast this machine runs kernels and model");
  bench->footer(
      footer("  fabula bench\n  fabula bench --threads 1 --kernels --json\n\n"
             "Each row is the fastest of several calls, with the share of what the processor (or its memory) was seen\n"
             "to reach in the same run. Other programs that run at the same time make all of it slower.",
             {0, 2, 69}));
  const auto options = std::make_shared<BenchOptions>();
  add_model_options(*bench, options->model);
  bench->add_option("--seconds", options->seconds, "Measure each kernel for this long")
      ->check(CLI::Range(0.001, 60.0))
      ->capture_default_str();
  bench->add_flag("--kernels", options->kernels_only, "Measure kernels alone: no model is needed");
  bench->add_flag("--json", options->json, "Print as JSON");
  bench->callback([options] { run(*options); });
}

}  // namespace fabula::cli
