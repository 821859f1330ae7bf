// One clip, stage by stage: denoise, decode the sound, decode the pictures.
#include "video/h3/model.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>
#include <string>
#include <utility>

#include "base/error.h"
#include "base/sha256.h"
#include "base/stopwatch.h"
#include "video/h3/decode.h"
#include "video/h3/given.h"
#include "video/h3/layout.h"
#include "video/h3/patches.h"

namespace fabula::h3 {
namespace {

// A change of the networks' arithmetic changes this, and with it the key of every kept shot.
constexpr const char* numerics = "4";

void require(bool holds, const Bundle& bundle, const std::string& sentence) {
  if (!holds) throw Error(ExitCode::bad_data, bundle.folder.string() + ": " + sentence);
}

std::vector<std::int64_t> extents(const Shape& shape) {
  std::vector<std::int64_t> extents;
  for (int i = 0; i < shape.rank(); ++i) extents.push_back(shape[i]);
  return extents;
}

Schedule schedule_of(const std::optional<double>& shift, const std::filesystem::path& folder) {
  return shift ? Schedule(*shift) : Schedule::load(folder);
}

// samples (channels, count), interleaved.
Sound interleaved(const Bundle& bundle, const std::vector<float>& samples) {
  Sound sound{bundle.sample_rate, bundle.audio_channels, {}};
  const auto channels = static_cast<std::size_t>(bundle.audio_channels), count = samples.size() / channels;
  sound.samples.reserve(samples.size());
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t channel = 0; channel < channels; ++channel) sound.samples.push_back(samples[channel * count + i]);
  }
  return sound;
}

}  // namespace

ModelParts ModelParts::in(const std::filesystem::path& folder) {
  return {folder / "transformer", folder / "vae", folder / "audio_vae", folder / "scheduler", folder / "audio_scheduler"};
}

H3Model::H3Model(Bundle bundle, const BundleBlock& block, Precision precision, Machine machine)
    : H3Model(bundle, block, precision, std::move(machine), ModelParts::in(bundle.folder)) {}

H3Model::H3Model(Bundle bundle, const BundleBlock& block, Precision precision, Machine machine, ModelParts parts, const Holding& holding)
    : bundle_(std::move(bundle)),
      block_(block),
      parts_(std::move(parts)),
      holding_(holding),
      dit_config_(DitConfig::load(parts_.transformer)),
      vae_config_(VaeConfig::load(parts_.vae)),
      audio_vae_(AudioVae::load(parts_.audio_vae, machine.device)),
      schedules_{schedule_of(holding_.shift, parts_.scheduler), schedule_of(holding_.audio_shift, parts_.audio_scheduler)},
      precision_(precision),
      machine_(std::move(machine)) {
  const DitConfig& d = dit_config_;
  const std::int64_t cell_h = vae_config_.spatial_ratio() * d.patch_h, cell_w = vae_config_.spatial_ratio() * d.patch_w;
  require(d.in_channels == vae_config_.latent_channels, bundle_, "transformer and vae differ in their latent channels");
  require(d.audio_in_channels == audio_vae_.latent_channels(), bundle_, "transformer and audio_vae differ in their latent channels");
  require(vae_config_.out_channels == 3, bundle_, "the vae does not decode to RGB");
  require(bundle_.height % cell_h == 0 && bundle_.width % cell_w == 0, bundle_, "the canvas is not made of whole patches");
  require(audio_vae_.sample_rate() == bundle_.sample_rate, bundle_, "sample_rate is not the audio_vae's");
  require(static_cast<double>(audio_vae_.hop_length()) * ticks_per_second == bundle_.sample_rate, bundle_,
          "the audio_vae does not make 40 latents a second");
  if (holding_.memory == 0) {
    dit_ = taken(Weights::open(parts_.transformer, dit_precision(), machine_.device), Residence::resident);
    vae_ = VideoVae::load(parts_.vae, precision_, machine_.device);
  } else {
    resident_dit_ = taken(Weights::measure(parts_.transformer, dit_precision()), Residence::resident);
    streamed_dit_ = taken(Weights::measure(parts_.transformer, dit_precision()), Residence::streamed);
    measured_vae_ = VideoVae::measure(parts_.vae, precision_);
  }
}

Dit H3Model::taken(Weights weights, Residence residence) const {
  for (const AdapterFile& adapter : holding_.adapters) add_adapter(weights, adapter, parts_.follows);
  return Dit::take(dit_config_, std::move(weights), residence);
}

const Dit& H3Model::transformer(std::size_t activations) {
  if (holding_.memory == 0) return *dit_;
  const std::size_t sound = audio_vae_.parameter_bytes();
  const PhaseNeeds needs = {resident_dit_->bytes() + sound, streamed_dit_->bytes() + sound, activations};
  const Residence residence = residence_within(holding_.memory, needs, "the transformer");
  const std::size_t held = (residence == Residence::resident ? needs.resident : needs.streamed) + activations;
  if (held + measured_vae_->weights.bytes() > holding_.memory) vae_.reset();
  if (dit_ && residence_ == residence) return *dit_;
  dit_.reset();
  dit_ = taken(Weights::open(parts_.transformer, dit_precision(), machine_.device), residence);
  residence_ = residence;
  return *dit_;
}

const VideoVae& H3Model::decoder(std::size_t activations) {
  if (holding_.memory == 0) return *vae_;
  const std::size_t weights = measured_vae_->weights.bytes() + audio_vae_.parameter_bytes();
  (void)residence_within(holding_.memory, {weights, weights, activations}, "the decoder");
  if (dit_ && weights + activations + dit_->bytes() > holding_.memory) dit_.reset();
  if (!vae_) vae_ = VideoVae::load(parts_.vae, precision_, machine_.device);
  return *vae_;
}

ClipFormat H3Model::format() const { return {bundle_.width, bundle_.height, bundle_.fps, bundle_.sample_rate, bundle_.audio_channels}; }

ClipGeometry H3Model::geometry(const ClipRequest& request) const {
  const VaeConfig& v = vae_config_;
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
  g.patch = {dit_config_.patch_t, dit_config_.patch_h, dit_config_.patch_w};
  g.fps = bundle_.fps;
  return g;
}

Shape H3Model::video_shape(const ClipGeometry& g) const { return {dit_config_.in_channels, g.frames, g.height, g.width}; }

Shape H3Model::audio_shape(const ClipGeometry& g) const { return {g.audio_latents * g.audio_channels, dit_config_.audio_in_channels}; }

int H3Model::chunks(const ClipRequest& request) const { return static_cast<int>(decoded_chunks(vae_config_, geometry(request).frames)); }

ClipLatents H3Model::make(Context& ctx, const Dit& dit, const ClipRequest& request, const AfterStep& after_step,
                          const LatentTensor* picture) const {
  const ClipGeometry g = geometry(request);
  if (request.conditioning == nullptr || request.conditioning->untimed() < 0)
    throw Error(ExitCode::internal, "a shot without conditioning");
  const Conditioning& conditioning = *request.conditioning;
  Layout layout = pack_given(g, conditioning);
  const std::int64_t given_video = layout.given_video_rows, given_audio = layout.given_audio_rows;
  if (picture != nullptr) layout.given_video_rows = static_cast<std::int64_t>(layout.video.size());
  Denoising how{.schedules = schedules_, .prediction = block_.prediction, .sampler = sampler_named(request.settings.sampler)};
  how.tell = [this](const std::string& note) { notes_.insert(note); };
  how.schedules.video.set_points(request.settings.steps + 1);  // sigma 0 is a point, too
  how.schedules.audio.set_points(request.settings.steps + 1);

  // The sound's noise is the same whether the picture is given or not.
  const ClipLatents clip{ctx.arena.take(video_shape(g)), ctx.arena.take(audio_shape(g))};
  const Arena::Scope scope(ctx.arena);
  const Tensor rows = ctx.arena.take({static_cast<std::int64_t>(layout.video.size()), dit_config_.patch_dim()});
  const Tensor audio = ctx.arena.take({static_cast<std::int64_t>(layout.audio.size()), dit_config_.audio_in_channels});
  const Tensor made = rows.slice(given_video, rows.shape[0] - given_video), sound = audio.slice(given_audio, audio.shape[0] - given_audio);
  TorchGenerator generator(request.seed);
  write_given(ctx, g, conditioning.given, how.given_video, generator, rows.slice(0, given_video), audio.slice(0, given_audio));
  ClipLatents noise = draw_noise(ctx, generator, video_shape(g), audio_shape(g));
  if (picture != nullptr) noise.video = constant(ctx, picture->values, video_shape(g));
  patchify(ctx, noise.video, g, made);
  copy(ctx, noise.audio, sound);
  const Tensor text = constant(ctx, conditioning.states, {conditioning.rows(), conditioning.dim});
  h3::denoise(ctx, dit, layout, how, {text, rows, audio}, after_step);
  unpatchify(ctx, made, g, clip.video);
  copy(ctx, sound, clip.audio);
  return clip;
}

// All of decode(), on any device; the dry one yields no samples and no frames.
Sound H3Model::decode_clip(Context& ctx, const VideoVae& vae, const ClipLatents& clip, const FrameReceiver& receive,
                           const std::function<bool()>& go_on, Seconds& seconds) const {
  const Stopwatch sounding;
  const std::vector<float> samples = to_host(ctx, h3::decode_sound(ctx, audio_vae_, clip.audio, bundle_.audio_channels));
  seconds.sound += sounding.seconds();

  const Stopwatch decoding;
  double outside = 0.0;  // spent by the receiver, which is not ours
  const Arena::Scope scope(ctx.arena);
  const Tensor latents = denormalise(ctx, clip.video, vae.config.latents_mean, vae.config.latents_std);
  h3::decode(ctx, vae, latents, Tiling{}, [&](Tensor frames) {
    for (const Image& image : images_of(ctx, frames)) {
      const Stopwatch receiving;
      receive(image);
      outside += receiving.seconds();
    }
    if (!go_on()) throw Error(ExitCode::interrupted, "stopped while the shot was being decoded");
  });
  seconds.picture += decoding.seconds() - outside;
  return interleaved(bundle_, samples);
}

// Weights and schedules are hashed as they lie on disk: a bundle whose files were exchanged is another model.
std::string fingerprint_of(const Bundle& bundle, const BundleBlock& block, Precision precision, const ModelParts& parts,
                           const Holding& holding) {
  Sha256 hash;
  hash.field("h3")
      .field(numerics)
      .field(std::to_string(static_cast<int>(holding.transformer.value_or(precision))))
      .field(block.prediction == Prediction::x0 ? "x0" : "velocity");
  for (const int number : {bundle.fps, bundle.sample_rate, bundle.audio_channels, bundle.width, bundle.height})
    hash.field(std::to_string(number));
  for (const std::filesystem::path& part : {parts.transformer, parts.scheduler, parts.audio_scheduler}) {
    std::set<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(part)) files.insert(entry.path());
    for (const auto& file : files) hash.field(file.filename().string()).field(holding.digest(file));
  }
  // What the latents' shapes follow from.
  for (const std::filesystem::path& part : {parts.vae, parts.audio_vae}) hash.field(holding.digest(part / "config.json"));
  for (const AdapterFile& adapter : holding.adapters) add_to_hash(hash, adapter, holding.digest);
  const auto add_shift = [&](const char* name, const std::optional<double>& shift) {
    char text[32];
    std::snprintf(text, sizeof text, "%.17g", shift.value_or(0.0));
    if (shift) hash.field(name).field(text);
  };
  add_shift("shift", holding.shift);
  add_shift("audio_shift", holding.audio_shift);
  return hash.hex();
}

std::string H3Model::fingerprint() const { return fingerprint_of(bundle_, block_, precision_, parts_, holding_); }

std::size_t H3Model::denoise_footprint(const ClipRequest& request) const {
  return footprint_of(machine_, [&](Context& ctx) { return make(ctx, shape_of_dit(), request, [](std::size_t) { return true; }); });
}

std::size_t H3Model::decode_footprint(const ClipRequest& request) const {
  const ClipGeometry g = geometry(request);
  return footprint_of(machine_, [&](Context& ctx) {
    Seconds unused;
    return decode_clip(
        ctx, shape_of_vae(), {ctx.arena.take(video_shape(g)), ctx.arena.take(audio_shape(g))}, [](const Image&) {}, [] { return true; },
        unused);
  });
}

std::size_t H3Model::footprint(const ClipRequest& request) const { return std::max(denoise_footprint(request), decode_footprint(request)); }

CleanLatents H3Model::denoise(const ClipRequest& request, const Progress& progress) {
  const int total = request.settings.steps + chunks(request);
  const Stopwatch denoising;
  const std::size_t bytes = denoise_footprint(request);
  const Dit& dit = transformer(bytes);
  CleanLatents latents = run_in(machine_, bytes, [&](Context& ctx) {
    const ClipLatents clip = make(ctx, dit, request, [&](std::size_t done) { return progress(static_cast<int>(done), total); });
    last_peak_ = ctx.arena.peak();
    return CleanLatents{{extents(clip.video.shape), to_host(ctx, clip.video)}, {extents(clip.audio.shape), to_host(ctx, clip.audio)}};
  });
  seconds_.denoise += denoising.seconds();
  return latents;
}

LatentTensor H3Model::denoise_sound(const ClipRequest& request, const LatentTensor& picture, const Progress& progress) {
  if (picture.shape != extents(video_shape(geometry(request))))
    throw Error(ExitCode::bad_data, "a picture of another shape than the shot's");
  const auto run = [&](Context& ctx, const Dit& dit, const AfterStep& after_step) {
    return make(ctx, dit, request, after_step, &picture).audio;
  };
  const std::size_t bytes =
      footprint_of(machine_, [&](Context& ctx) { return run(ctx, shape_of_dit(), [](std::size_t) { return true; }); });
  const Stopwatch denoising;
  const Dit& dit = transformer(bytes);
  LatentTensor sound = run_in(machine_, bytes, [&](Context& ctx) {
    const Tensor audio = run(ctx, dit, [&](std::size_t done) { return progress(static_cast<int>(done), request.settings.steps); });
    return LatentTensor{extents(audio.shape), to_host(ctx, audio)};
  });
  seconds_.denoise += denoising.seconds();
  return sound;
}

Sound H3Model::decode_sound(const ClipRequest& request, const LatentTensor& sound) {
  const Shape shape = audio_shape(geometry(request));
  if (sound.shape != extents(shape)) throw Error(ExitCode::bad_data, "a sound of another shape than the shot's");
  const Stopwatch sounding;
  const std::vector<float> samples = run_sized(machine_, [&](Context& ctx) {
    return to_host(ctx, h3::decode_sound(ctx, audio_vae_, constant(ctx, sound.values, shape), bundle_.audio_channels));
  });
  seconds_.sound += sounding.seconds();
  return interleaved(bundle_, samples);
}

Sound H3Model::decode(const ClipRequest& request, const CleanLatents& latents, const FrameReceiver& receive, const Progress& progress) {
  const ClipGeometry g = geometry(request);
  if (latents.video.shape != extents(video_shape(g)) || latents.audio.shape != extents(audio_shape(g)))
    throw Error(ExitCode::bad_data, "latents of another shape than the shot's");
  const int total = request.settings.steps + chunks(request);
  int done = request.settings.steps;
  const std::size_t bytes = decode_footprint(request);
  const VideoVae& vae = decoder(bytes);
  return run_in(machine_, bytes, [&](Context& ctx) {
    const ClipLatents clip{constant(ctx, latents.video.values, video_shape(g)), constant(ctx, latents.audio.values, audio_shape(g))};
    Sound sound = decode_clip(
        ctx, vae, clip, receive, [&] { return progress(std::min(++done, total), total); }, seconds_);
    last_peak_ = std::max(last_peak_, ctx.arena.peak());
    return sound;
  });
}

std::vector<ClipModel::StageTime> H3Model::stage_times() const {
  return {{"denoise", seconds_.denoise}, {"voice decoder", seconds_.sound}, {"video decoder", seconds_.picture}};
}

}  // namespace fabula::h3
