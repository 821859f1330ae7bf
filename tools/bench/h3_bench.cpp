// Times one transformer evaluation and one VAE decode of a bundle. tools/train/judge/bench_reference.py times the same through diffusers
// and prints the same lines, so that both together are one table:
//   h3_bench BUNDLE [--device cpu|cuda] [--threads 2] [--precision fp32|bf16] [--text-rows 120] [--frames 22] [--repeats 9]
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <functional>
#include <random>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/stopwatch.h"
#include "engine/bundle.h"
#include "engine/machine.h"
#include "kernels/device.h"
#include "video/h3/denoise.h"
#include "video/h3/vae.h"

namespace {

using namespace fabula;

struct Options {
  std::string bundle, precision = "fp32", device = "cpu";
  int threads = 2, text_rows = 120, frames = 22, repeats = 9;
};

// Median over the repeats, after one call that is not counted.
double milliseconds(const std::function<void()>& call, int repeats) {
  call();
  std::vector<double> times;
  for (int i = 0; i < repeats; ++i) {
    const Stopwatch watch;
    call();
    times.push_back(1e3 * watch.seconds());
  }
  std::sort(times.begin(), times.end());
  return times[times.size() / 2];
}

// Runs `work` dry for its peak, then in an arena of that size, `repeats` times.
double time_in_arena(const std::function<void(Context&)>& work, const Machine& machine, int repeats) {
  return run_in(machine, footprint_of(machine, work), [&](Context& ctx) {
    return milliseconds(
        [&] {
          const Arena::Scope scope(ctx.arena);
          work(ctx);
          if (machine.stream) machine.stream->wait();
        },
        repeats);
  });
}

std::vector<float> noise(std::int64_t count, unsigned seed) {
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal;
  std::vector<float> values(static_cast<std::size_t>(count));
  for (float& value : values) value = normal(generator);
  return values;
}

void print(const char* what, std::int64_t count, const char* unit, const Options& options, double time) {
  const std::string where = options.device == "cuda" ? "CUDA" : std::to_string(options.threads) + " threads";
  std::printf("| fabula | %s, %lld %s | %s, %s | %.1f ms |\n", what, static_cast<long long>(count), unit, options.precision.c_str(),
              where.c_str(), time);
}

void bench(const Options& options) {
  const Bundle bundle = Bundle::open(options.bundle);
  const Precision precision = options.precision == "bf16" ? Precision::bf16 : Precision::fp32;
  const Machine machine = options.device == "cuda" ? cuda_machine(0, precision) : cpu_machine(options.threads, precision);
  const h3::Dit dit = h3::Dit::load(bundle.folder / "transformer", precision, machine.device);
  const h3::VideoVae vae = h3::VideoVae::load(bundle.folder / "vae", precision, machine.device);

  const h3::VaeConfig& v = vae.config;
  const h3::DitConfig& d = dit.config;
  h3::ClipGeometry clip;
  clip.frames =
      h3::latent_frames(h3::align_frames(options.frames, v.clip_length, v.latents_per_clip()), v.clip_length, v.latents_per_clip());
  clip.height = bundle.height / v.spatial_ratio(), clip.width = bundle.width / v.spatial_ratio();
  clip.audio_latents = h3::audio_latents(options.frames, bundle.fps);
  clip.audio_channels = bundle.audio_channels;
  clip.patch = {d.patch_t, d.patch_h, d.patch_w};
  clip.fps = bundle.fps;
  const h3::Layout layout = h3::pack(clip, std::vector<std::int32_t>(static_cast<std::size_t>(options.text_rows), h3::text_tag));
  const h3::RowTimesteps times = h3::row_timesteps(layout, 0.25F, 0.5F);
  const auto video = static_cast<std::int64_t>(layout.video.size()), audio = static_cast<std::int64_t>(layout.audio.size());
  const Shape latent_shape{v.latent_channels, clip.frames, clip.height, clip.width};
  const auto text_values = noise(options.text_rows * d.text_dim, 1), audio_values = noise(audio * d.audio_in_channels, 2);
  const auto video_values = noise(video * d.patch_dim(), 3), latent_values = noise(latent_shape.elements(), 4);

  const double step = time_in_arena(
      [&](Context& ctx) {
        const Tensor text = constant(ctx, text_values, {options.text_rows, d.text_dim});
        const auto sequence = prepare(ctx, dit, text, layout, times.distinct);
        const auto out = forward(ctx, dit, sequence, constant(ctx, video_values, {video, d.patch_dim()}),
                                 constant(ctx, audio_values, {audio, d.audio_in_channels}), times.index);
        (void)out;
      },
      machine, options.repeats);
  print("transformer step", layout.rows(), "rows", options, step);

  // An evaluation as a clip's loop runs it: its sequence is prepared, and on CUDA its kernels are one graph.
  for (const bool graphs : {false, true}) {
    if (!machine.stream) break;
    Machine one = machine;
    one.graphs = graphs;
    const auto work = [&](Context& ctx) {
      const Tensor text = constant(ctx, text_values, {options.text_rows, d.text_dim});
      const auto sequence = prepare(ctx, dit, text, layout, times.distinct);
      const Tensor rows = constant(ctx, video_values, {video, d.patch_dim()}),
                   sound = constant(ctx, audio_values, {audio, d.audio_in_channels});
      Replay replay;
      const auto evaluate = [&] {
        const Arena::Scope scope(ctx.arena);
        (void)forward(ctx, dit, sequence, rows, sound, times.index, {}, &replay);
        one.stream->wait();
      };
      evaluate();  // the one before the capture
      return milliseconds(evaluate, ctx.arena.is_dry() ? 1 : options.repeats);
    };
    print(graphs ? "evaluation, as a graph" : "evaluation, kernel by kernel", layout.rows(), "rows", options, run_sized(one, work));
  }

  const double decoding =
      time_in_arena([&](Context& ctx) { decode(ctx, vae, constant(ctx, latent_values, latent_shape), Tiling{}, [](Tensor) {}); }, machine,
                    options.repeats);
  print("VAE decode", decoded_frames(v, clip.frames), "frames", options, decoding);
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  CLI::App app("Times one transformer evaluation and one VAE decode of a bundle.");
  app.add_option("bundle", options.bundle, "folder with fabula.json")->required();
  app.add_option("--threads", options.threads)->check(CLI::Range(1, 1024));
  app.add_option("--device", options.device)->check(CLI::IsMember({"cpu", "cuda"}));
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
