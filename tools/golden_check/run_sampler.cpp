// The reference's denoising loop: noise to latents, to pixels and samples. Weights are the sibling folders' transformer, vae and audio_vae.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "tools/golden_check/parameters.h"
#include "video/h3/decode.h"
#include "video/h3/denoise.h"
#include "video/h3/patches.h"
#include "video/h3/vae.h"

namespace fabula::golden {
namespace {

using nlohmann::json;

// The three networks of a case.
struct Parts {
  h3::Dit dit;
  h3::VideoVae vae;
  h3::AudioVae audio_vae;

  static Parts load(const Case& one, Precision precision, DeviceKind device) {
    const auto siblings = one.file.parent_path() / "..";
    return {h3::Dit::load(weights_folder(siblings / "transformer"), precision, device),
            h3::VideoVae::load(weights_folder(siblings / "vae"), precision, device),
            h3::AudioVae::load(weights_folder(siblings / "audio_vae"), device)};
  }
};

// Everything about a case but the networks. What is not in its metadata is as the published model has it.
struct Setting {
  int points = 0, fps = 24;  // points of the schedules
  double shift = 0.0, audio_shift = 0.0;
  float keyframe_level = h3::given_video_timestep;
  h3::Prediction prediction = h3::Prediction::velocity;
  std::vector<h3::Anchor> anchors;
  std::vector<double> score_start;
};

Tensor shaped(const Case& one, const char* name, int rank) {
  const Tensor tensor = one.in(name);
  if (tensor.shape.rank() != rank || tensor.elements() == 0)
    throw Error(ExitCode::bad_data, std::string("in.") + name + " has shape " + tensor.shape.text());
  return tensor;
}

Setting setting_of(const Case& one) {
  const json parameters = json::parse(one.parameters);
  Setting setting;
  setting.points = static_cast<int>(whole_number(one, "num_inference_steps", 2, 1000));
  setting.shift = real_number(one, "shift");
  setting.audio_shift = real_number(one, "audio_shift");
  if (parameters.contains("fps")) setting.fps = static_cast<int>(whole_number(one, "fps", 1, 240));
  if (parameters.contains("keyframe_noise_aug")) setting.keyframe_level = static_cast<float>(real_number(one, "keyframe_noise_aug"));
  const std::string prediction = parameters.value("prediction_type", "velocity");
  if (prediction != "x0" && prediction != "velocity") throw Error(ExitCode::bad_data, "its prediction_type is neither x0 nor velocity");
  if (prediction == "x0") setting.prediction = h3::Prediction::x0;
  for (const auto& anchor : parameters.value("keyframe_anchors", std::vector<std::string>{})) {
    if (anchor != "first" && anchor != "last") throw Error(ExitCode::bad_data, "a keyframe is neither first nor last");
    setting.anchors.push_back(anchor == "first" ? h3::Anchor::first : h3::Anchor::last);
  }
  if (one.has("in.score_start")) {
    const Tensor starts = one.in("score_start");
    if (starts.dtype != DType::f64) throw Error(ExitCode::bad_data, "in.score_start is not float64");
    setting.score_start.resize(static_cast<std::size_t>(starts.elements()));
    std::copy_n(starts.as<const char>(), starts.bytes(), reinterpret_cast<char*>(setting.score_start.data()));
  }
  return setting;
}

h3::ClipGeometry geometry_of(const Case& one, const Parts& parts, int fps) {
  const Shape video = shaped(one, "noise", 5).shape, audio = shaped(one, "audio_noise", 3).shape;
  const h3::DitConfig& d = parts.dit.config;
  if (video[0] != 1 || video[1] != d.in_channels || video[1] != parts.vae.config.latent_channels)
    throw Error(ExitCode::bad_data, "in.noise does not fit the networks");
  if (audio[0] > 2 || audio[1] != d.audio_in_channels || audio[1] != parts.audio_vae.latent_channels())
    throw Error(ExitCode::bad_data, "in.audio_noise does not fit the networks");
  h3::ClipGeometry g;
  g.frames = video[2], g.height = video[3], g.width = video[4];
  g.audio_latents = audio[2];
  g.audio_channels = static_cast<int>(audio[0]);
  g.patch = {d.patch_t, d.patch_h, d.patch_w};
  g.fps = fps;
  return g;
}

// The keyframes, noised to their level, as rows: given (given rows, patch_dim). in.keyframe_latents (keyframes or 1, channels, frames, h,
// w).
void write_keyframes(Context& ctx, const Case& one, const Setting& setting, const h3::ClipGeometry& clip, std::int64_t channels,
                     Tensor given) {
  if (setting.anchors.empty()) return;
  const Tensor latents = shaped(one, "keyframe_latents", 5), noise = shaped(one, "keyframe_noise", 5);
  if (!(latents.shape == noise.shape) || latents.shape[1] != channels)
    throw Error(ExitCode::bad_data, "the keyframes do not fit their noise");
  std::vector<float> values = floats(latents);
  scale_noise(setting.keyframe_level, floats(noise), values);
  h3::ClipGeometry keyframe = clip;
  keyframe.frames = latents.shape[2], keyframe.height = latents.shape[3], keyframe.width = latents.shape[4];
  const std::int64_t items = latents.shape[0];
  if (latents.elements() != given.elements()) throw Error(ExitCode::bad_data, "the keyframes do not fill their rows");
  const Tensor all = constant(ctx, values, {items * channels, keyframe.frames, keyframe.height, keyframe.width});
  for (std::int64_t item = 0; item < items; ++item) {
    const std::int64_t rows = given.shape[0] / items;
    patchify(ctx, all.slice(item * channels, channels), keyframe, given.slice(item * rows, rows));
  }
}

// Noise to clean latents, both normalised.
h3::ClipLatents sample(Context& ctx, const Case& one, const Parts& parts, const Setting& setting, Comparison& compare) {
  const h3::ClipGeometry clip = geometry_of(one, parts, setting.fps);
  const std::int64_t channels = parts.dit.config.in_channels, width = parts.dit.config.audio_in_channels,
                     patch_dim = parts.dit.config.patch_dim();
  const Tensor embeds = shaped(one, "prompt_embeds", 3);
  if (embeds.shape[0] != 1 || static_cast<std::int64_t>(setting.score_start.size()) > embeds.shape[1])
    throw Error(ExitCode::bad_data, "in.prompt_embeds has shape " + embeds.shape.text());
  const std::vector<std::int32_t> tags(static_cast<std::size_t>(embeds.shape[1]), h3::text_tag);
  const h3::Layout layout = h3::pack(clip, tags, setting.anchors, setting.score_start);

  const Tensor text = constant(ctx, floats(embeds), {embeds.shape[1], embeds.shape[2]});
  const Tensor noise = constant(ctx, floats(one.in("noise")), {channels, clip.frames, clip.height, clip.width});
  const Tensor sound = constant(ctx, floats(one.in("audio_noise")), {clip.audio_channels, width, clip.audio_latents});
  const Tensor audio = permute(ctx, sound, {0, 2, 1}).view({clip.audio_channels * clip.audio_latents, width});
  const Tensor rows = ctx.arena.take({static_cast<std::int64_t>(layout.video.size()), patch_dim});
  const Tensor made = rows.slice(layout.given_video_rows, rows.shape[0] - layout.given_video_rows);
  write_keyframes(ctx, one, setting, clip, channels, rows.slice(0, layout.given_video_rows));
  patchify(ctx, noise, clip, made);

  h3::Denoising how{.schedules = {Schedule(setting.shift), Schedule(setting.audio_shift)},
                    .prediction = setting.prediction,
                    .given_video = setting.keyframe_level};
  how.schedules.video.set_points(setting.points);
  how.schedules.audio.set_points(setting.points);
  const auto after_step = [&](std::size_t done) {
    compare("tap.rows_after_step_" + std::to_string(done - 1), rows);
    compare("tap.audio_rows_after_step_" + std::to_string(done - 1), audio);
    return true;
  };
  denoise(ctx, parts.dit, layout, how, {text, rows, audio}, after_step);
  unpatchify(ctx, made, clip, noise);
  return {noise, audio};
}

}  // namespace

void run_sampler(const Case& one, const Setup& setup, Comparison& compare) {
  const Setting setting = setting_of(one);
  const Parts parts = Parts::load(one, setup.precision, setup.machine.device);
  run_sized(setup, [&](Context& ctx) {
    const h3::ClipLatents clean = sample(ctx, one, parts, setting, compare);
    compare("out.latents", clean.video);
    const std::int64_t channels = one.in("audio_noise").shape[0], latents = clean.audio.shape[0] / channels;
    compare("out.audio_latents", permute(ctx, clean.audio.view({channels, latents, clean.audio.shape[1]}), {0, 2, 1}));
    compare("out.wave", h3::decode_sound(ctx, parts.audio_vae, clean.audio, channels));

    const h3::VaeConfig& v = parts.vae.config;
    const std::int64_t height = clean.video.shape[2] * v.spatial_ratio(), width = clean.video.shape[3] * v.spatial_ratio();
    std::vector<float> pixels;
    decode(ctx, parts.vae, h3::denormalise(ctx, clean.video, v.latents_mean, v.latents_std), std::nullopt, [&](Tensor part) {
      std::vector<float> values = to_host(ctx, part);
      h3::to_unit_range(values, height * width);
      pixels.insert(pixels.end(), values.begin(), values.end());
    });
    const Tensor video = filled(ctx, {decoded_frames(v, clean.video.shape[1]), v.out_channels, height, width},
                                [&](std::span<float> to) { std::copy_n(pixels.begin(), std::min(to.size(), pixels.size()), to.begin()); });
    compare("out.pixels", permute(ctx, video, {1, 0, 2, 3}));
  });
}

}  // namespace fabula::golden
