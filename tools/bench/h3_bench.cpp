// Times one transformer evaluation and one VAE decode of a bundle. tools/train/bench_reference.py times the same through diffusers and
// prints the same lines, so that both together are one table:
//   h3_bench BUNDLE [--threads 2] [--precision fp32|bf16] [--text-rows 120] [--frames 22] [--repeats 9]
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "engine/bundle.h"
#include "kernels/error.h"
#include "video/h3/dit.h"
#include "video/h3/vae.h"

namespace {

using namespace fabula;

struct Options {
  std::string bundle, precision = "fp32";
  int threads = 2, text_rows = 120, frames = 22, repeats = 9;
};

// Median over the repeats, after one call that is not counted.
double milliseconds(const std::function<void()>& call, int repeats) {
  using Clock = std::chrono::steady_clock;
  call();
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) {
    const auto start = Clock::now();
    call();
    times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - start).count());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

// Runs `work` dry for its peak, then in an arena of that size, `repeats` times.
double time_in_arena(const std::function<void(Context&)>& work, ThreadPool& pool, int repeats) {
  Arena dry = Arena::dry();
  Context dry_context{dry_kernels(), dry, {&pool, nullptr}};
  work(dry_context);
  Arena arena(dry.peak());
  Context context{cpu_kernels(), arena, {&pool, nullptr}};
  return milliseconds(
      [&] {
        const Arena::Scope scope(arena);
        work(context);
      },
      repeats);
}

std::vector<float> noise(std::int64_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = normal(generator);
  return values;
}

// A sequence of text, then audio, then video. What the coordinates are does not matter to the time.
struct Rows {
  std::vector<double> positions;
  std::vector<std::int32_t> tags, text, audio, video, timestep_index;
  std::vector<float> timesteps = {0.25F, 0.5F};
};

Rows rows_of(std::int64_t text, std::int64_t audio, std::int64_t video) {
  Rows rows;
  for (std::int64_t i = 0; i < text + audio + video; ++i) {
    const auto row = static_cast<std::int32_t>(i);
    const bool is_text = i < text, is_audio = !is_text && i < text + audio;
    (is_text ? rows.text : is_audio ? rows.audio : rows.video).push_back(row);
    rows.tags.push_back(is_text ? 1 : is_audio ? 2 : 0);
    rows.timestep_index.push_back(is_audio ? 1 : 0);
    rows.positions.insert(rows.positions.end(), {static_cast<double>(i), 0.5, 0.25});
  }
  return rows;
}

void print(const char* what, std::int64_t count, const char* unit, const Options& options, double time) {
  std::printf("| fabula | %s, %lld %s | %s, %d threads | %.1f ms |\n", what, static_cast<long long>(count), unit, options.precision.c_str(), options.threads, time);
}

void bench(const Options& options) {
  const Bundle bundle = Bundle::open(options.bundle);
  const Precision precision = options.precision == "bf16" ? Precision::bf16 : Precision::fp32;
  const h3::Dit dit = h3::Dit::load(bundle.folder / "transformer", precision);
  const h3::VideoVae vae = h3::VideoVae::load(bundle.folder / "vae", precision);
  ThreadPool pool(options.threads);

  const h3::VaeConfig& v = vae.config;
  const h3::DitConfig& d = dit.config;
  const std::int64_t latent_frames = options.frames / v.clip_length * v.latents_per_clip() + v.latent_overlap();
  const std::int64_t height = bundle.height / v.spatial_ratio(), width = bundle.width / v.spatial_ratio();
  const std::int64_t audio = (options.frames * 40 + bundle.fps / 2) / bundle.fps * bundle.audio_channels;
  const std::int64_t video = latent_frames / d.patch_t * (height / d.patch_h) * (width / d.patch_w);
  const Rows rows = rows_of(options.text_rows, audio, video);
  const auto text_values = noise(options.text_rows * d.text_dim, 1), audio_values = noise(audio * d.audio_in_channels, 2);
  const auto video_values = noise(video * d.patch_dim(), 3), latent_values = noise(v.latent_channels * latent_frames * height * width, 4);

  const double step = time_in_arena(
      [&](Context& ctx) {
        const Tensor text = constant(ctx, text_values, {options.text_rows, d.text_dim});
        const auto sequence = prepare(ctx, dit, text, {rows.positions, rows.tags, rows.video, rows.audio, rows.text});
        const auto out = forward(ctx, dit, sequence, constant(ctx, video_values, {video, d.patch_dim()}), constant(ctx, audio_values, {audio, d.audio_in_channels}),
                                 rows.timesteps, rows.timestep_index);
        (void)out;
      },
      pool, options.repeats);
  print("transformer step", static_cast<std::int64_t>(rows.tags.size()), "rows", options, step);

  const double decoding = time_in_arena(
      [&](Context& ctx) { decode(ctx, vae, constant(ctx, latent_values, {v.latent_channels, latent_frames, height, width}), Tiling{}, [](Tensor) {}); }, pool,
      options.repeats);
  print("VAE decode", decoded_frames(v, latent_frames), "frames", options, decoding);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Times one transformer evaluation and one VAE decode of a bundle.");
  app.add_option("bundle", options.bundle, "folder with fabula.json")->required();
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 1024));
  app.add_option("--precision", options.precision)->check(CLI::IsMember({"fp32", "bf16"}));
  app.add_option("--text-rows", options.text_rows)->check(CLI::Range(1, 4096));
  app.add_option("--frames", options.frames)->check(CLI::Range(5, 100000));
  app.add_option("--repeats", options.repeats)->check(CLI::Range(1, 1000));
  CLI11_PARSE(app, argc, argv);
  try {
    bench(options);
  } catch (const Error& error) {
    std::fprintf(stderr, "h3_bench: %s\n", error.what());
    return static_cast<int>(error.code());
  }
  return 0;
}
