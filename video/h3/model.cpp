#include "video/h3/model.h"

#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "base/error.h"
#include "video/h3/decode.h"
#include "video/h3/layout.h"

namespace fabula::h3 {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

std::span<float> values(Tensor tensor) { return {tensor.f32(), static_cast<std::size_t>(tensor.elements())}; }

void require(bool holds, const Bundle& bundle, const std::string& sentence) {
  if (!holds) throw Error(ExitCode::bad_data, bundle.folder.string() + ": " + sentence);
}

}  // namespace

H3Model::H3Model(Bundle bundle, Precision precision, int threads)
    : bundle_(std::move(bundle)),
      dit_(Dit::load(bundle_.folder / "transformer", precision)),
      vae_(VideoVae::load(bundle_.folder / "vae", precision)),
      audio_vae_(AudioVae::load(bundle_.folder / "audio_vae")),
      schedules_{Scheduler::load(bundle_.folder / "scheduler"), Scheduler::load(bundle_.folder / "audio_scheduler")},
      pool_(threads) {
  const DitConfig& d = dit_.config;
  const std::int64_t cell_h = vae_.config.spatial_ratio() * d.patch_h, cell_w = vae_.config.spatial_ratio() * d.patch_w;
  require(d.in_channels == vae_.config.latent_channels, bundle_, "transformer and vae differ in their latent channels");
  require(d.audio_in_channels == audio_vae_.latent_channels(), bundle_, "transformer and audio_vae differ in their latent channels");
  require(vae_.config.out_channels == 3, bundle_, "the vae does not decode to RGB");
  require(bundle_.height % cell_h == 0 && bundle_.width % cell_w == 0, bundle_, "the canvas is not made of whole patches");
  require(audio_vae_.sample_rate() == bundle_.sample_rate, bundle_, "sample_rate is not the audio_vae's");
  require(static_cast<double>(audio_vae_.hop_length()) * ticks_per_second == bundle_.sample_rate, bundle_,
          "the audio_vae does not make 40 latents a second");
}

ClipFormat H3Model::format() const { return {bundle_.width, bundle_.height, bundle_.fps, bundle_.sample_rate, bundle_.audio_channels}; }

ClipGeometry H3Model::geometry(const ClipRequest& request) const {
  const VaeConfig& v = vae_.config;
  ClipGeometry g;
  g.frames = latent_frames(align_frames(request.frames, v.clip_length, v.latents_per_clip()), v.clip_length, v.latents_per_clip());
  if (decoded_frames(v, g.frames) != request.frames) {
    throw Error(ExitCode::usage, "a shot of " + std::to_string(request.frames) + " frames cannot be made; the next length is " +
                                     std::to_string(decoded_frames(v, g.frames)));
  }
  g.height = bundle_.height / v.spatial_ratio();
  g.width = bundle_.width / v.spatial_ratio();
  g.audio_latents = audio_latents(request.frames, bundle_.fps);
  g.audio_channels = bundle_.audio_channels;
  g.patch = {dit_.config.patch_t, dit_.config.patch_h, dit_.config.patch_w};
  g.fps = bundle_.fps;
  return g;
}

H3Model::Clean H3Model::make(Context& ctx, const ClipRequest& request, const AfterStep& after_step) const {
  const ClipGeometry g = geometry(request);
  if (request.conditioning == nullptr || request.conditioning->untimed() < 0)
    throw Error(ExitCode::internal, "a shot without conditioning");
  const Conditioning& conditioning = *request.conditioning;
  const std::vector<std::int32_t> text_tags(static_cast<std::size_t>(conditioning.rows()), text_tag);
  const Layout layout = pack(g, text_tags, {}, conditioning.score_start);
  Schedules schedules = schedules_;
  schedules.video.set_timesteps(request.evaluations + 1);  // the terminal 0 counts as a step
  schedules.audio.set_timesteps(request.evaluations + 1);

  const std::int64_t channels = dit_.config.in_channels, width = dit_.config.audio_in_channels;
  const Clean clean{ctx.arena.take({channels, g.frames, g.height, g.width}), ctx.arena.take({g.audio_latents * g.audio_channels, width})};
  TorchGenerator generator(request.seed);
  draw_noise(generator, clean.video, clean.audio);

  const Arena::Scope scope(ctx.arena);
  const Tensor rows = ctx.arena.take({static_cast<std::int64_t>(layout.video.size()), dit_.config.patch_dim()});
  const Tensor text = constant(ctx, conditioning.states, {conditioning.rows(), conditioning.dim});
  if (!ctx.arena.is_dry()) patchify(values(clean.video), channels, g, values(rows));
  denoise(ctx, dit_, schedules, layout, bundle_.predicts_x0 ? Prediction::x0 : Prediction::velocity, text, rows, clean.audio, after_step);
  if (!ctx.arena.is_dry()) unpatchify(values(rows), channels, g, values(clean.video));
  return clean;
}

void H3Model::make_pictures(Context& ctx, const Clean& clean, const FramesReceiver& receive) const {
  const Arena::Scope scope(ctx.arena);
  decode(ctx, vae_, denormalise(ctx, clean.video, vae_.config.latents_mean, vae_.config.latents_std), Tiling{}, [&](Tensor frames) {
    to_unit_range(frames);
    receive(frames);
  });
}

// The whole of generate(), on whatever device. -> samples (channels, count)
Tensor H3Model::run(Context& ctx, const ClipRequest& request, const FrameReceiver& receive, const Progress& progress,
                    Seconds& seconds) const {
  const int chunks = static_cast<int>(decoded_chunks(vae_.config, geometry(request).frames)), total = request.evaluations + chunks;
  int done = 0;
  const auto go_on = [&] { return progress(std::min(++done, total), total); };

  auto start = Clock::now();
  const Clean clean = make(ctx, request, [&](std::size_t) { return go_on(); });
  seconds.denoise += seconds_since(start);

  start = Clock::now();
  const Tensor sound = decode_sound(ctx, audio_vae_, clean.audio, bundle_.audio_channels);
  seconds.sound += seconds_since(start);

  start = Clock::now();
  double outside = 0.0;  // spent by the receiver, which is not ours
  make_pictures(ctx, clean, [&](Tensor frames) {
    const auto handed = Clock::now();
    for (std::int64_t i = 0; frames.data != nullptr && i < frames.shape[0]; ++i)
      receive(to_image(frames.slice(i, 1).view({3, frames.shape[2], frames.shape[3]})));
    outside += seconds_since(handed);
    if (!go_on()) throw Error(ExitCode::interrupted, "stopped while the shot was being decoded");
  });
  seconds.picture += seconds_since(start) - outside;
  return sound;
}

std::size_t H3Model::footprint(const ClipRequest& request) const {
  Arena dry = Arena::dry();
  Context ctx{dry_kernels(), dry, {&pool_, nullptr}};
  Seconds unused;
  (void)run(
      ctx, request, [](const Image&) {}, [](int, int) { return true; }, unused);
  return dry.peak();
}

Sound H3Model::generate(const ClipRequest& request, const FrameReceiver& receive, const Progress& progress) {
  Arena arena(footprint(request));
  Context ctx{cpu_kernels(), arena, {&pool_, nullptr}};
  const Tensor samples = run(ctx, request, receive, progress, seconds_);
  last_peak_ = arena.peak();

  Sound sound{bundle_.sample_rate, bundle_.audio_channels, {}};
  const std::int64_t count = samples.shape[1];
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t channel = 0; channel < samples.shape[0]; ++channel) sound.samples.push_back(samples.f32()[channel * count + i]);
  }
  return sound;
}

H3Model::Latents H3Model::latents(const ClipRequest& request) {
  Arena arena(footprint(request));
  Context ctx{cpu_kernels(), arena, {&pool_, nullptr}};
  const Clean clean = make(ctx, request, [](std::size_t) { return true; });
  const auto video = values(clean.video), audio = values(clean.audio);
  return {{video.begin(), video.end()}, {audio.begin(), audio.end()}};
}

std::vector<ClipModel::StageTime> H3Model::stage_times() const {
  return {{"denoise", seconds_.denoise}, {"voice decoder", seconds_.sound}, {"video decoder", seconds_.picture}};
}

}  // namespace fabula::h3
