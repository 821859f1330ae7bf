// The reference's denoising loop: noise to latents, to pixels and samples. Weights are the sibling folders' transformer, vae and audio_vae.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <vector>

#include "tools/golden_check/parameters.h"
#include "video/h3/decode.h"
#include "video/h3/denoise.h"
#include "video/h3/vae.h"

namespace fabula::golden {
namespace {

using nlohmann::json;

// The three networks of a case.
struct Parts {
  h3::Dit dit;
  h3::VideoVae vae;
  AudioVae audio_vae;

  static Parts load(const Case& one, Precision precision) {
    const auto siblings = one.file.parent_path() / "..";
    return {h3::Dit::load(weights_folder(siblings / "transformer"), precision),
            h3::VideoVae::load(weights_folder(siblings / "vae"), precision), AudioVae::load(weights_folder(siblings / "audio_vae"))};
  }
};

// Everything about a case but the networks. What is not in its metadata is as the published model has it.
struct Setting {
  int steps = 0, fps = 24;
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
  setting.steps = static_cast<int>(whole_number(one, "num_inference_steps", 2, 1000));
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

// The keyframes' rows, noised to their level: (given rows · patch_dim) values. in.keyframe_latents (keyframes or 1, channels, frames, h,
// w).
std::vector<float> keyframe_rows(const Case& one, const Setting& setting, const h3::ClipGeometry& clip, std::int64_t channels) {
  if (setting.anchors.empty()) return {};
  const Tensor latents = shaped(one, "keyframe_latents", 5), noise = shaped(one, "keyframe_noise", 5);
  if (!(latents.shape == noise.shape) || latents.shape[1] != channels)
    throw Error(ExitCode::bad_data, "the keyframes do not fit their noise");
  std::vector<float> values = floats(latents), rows(values.size());
  scale_noise(setting.keyframe_level, floats(noise), values);
  h3::ClipGeometry keyframe = clip;
  keyframe.frames = latents.shape[2], keyframe.height = latents.shape[3], keyframe.width = latents.shape[4];
  const std::size_t one_item = values.size() / static_cast<std::size_t>(latents.shape[0]);
  for (std::size_t at = 0; at < values.size(); at += one_item)
    patchify(std::span(values).subspan(at, one_item), channels, keyframe, std::span(rows).subspan(at, one_item));
  return rows;
}

std::span<float> values_of(Tensor tensor) { return {tensor.f32(), static_cast<std::size_t>(tensor.elements())}; }

// Noise to clean latents (channels, frames, height, width) and audio rows, both normalised.
struct Clean {
  Tensor video, audio;
};

Clean sample(Context& ctx, const Case& one, const Parts& parts, const Setting& setting, Comparison& compare) {
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
  const std::vector<float> given = keyframe_rows(one, setting, clip, channels);
  if (static_cast<std::int64_t>(given.size()) != layout.given_video_rows * patch_dim)
    throw Error(ExitCode::bad_data, "the keyframes do not fill their rows");
  if (!ctx.arena.is_dry()) {
    std::copy(given.begin(), given.end(), rows.f32());
    patchify(values_of(noise), channels, clip, values_of(made));
  }

  h3::Schedules schedules{Scheduler(setting.shift), Scheduler(setting.audio_shift)};
  schedules.video.set_timesteps(setting.steps);
  schedules.audio.set_timesteps(setting.steps);
  const auto after_step = [&](std::size_t done) {
    compare("tap.rows_after_step_" + std::to_string(done - 1), rows);
    compare("tap.audio_rows_after_step_" + std::to_string(done - 1), audio);
    return true;
  };
  denoise(ctx, parts.dit, schedules, layout, setting.prediction, text, rows, audio, after_step, setting.keyframe_level);
  if (!ctx.arena.is_dry()) unpatchify(values_of(made), channels, clip, values_of(noise));
  return {noise, audio};
}

}  // namespace

void run_sampler(const Case& one, const Setup& setup, Comparison& compare) {
  const Setting setting = setting_of(one);
  const Parts parts = Parts::load(one, setup.precision);
  run_sized(setup, [&](Context& ctx) {
    const Clean clean = sample(ctx, one, parts, setting, compare);
    compare("out.latents", clean.video);
    const std::int64_t channels = one.in("audio_noise").shape[0], latents = clean.audio.shape[0] / channels;
    compare("out.audio_latents", permute(ctx, clean.audio.view({channels, latents, clean.audio.shape[1]}), {0, 2, 1}));
    compare("out.wave", h3::decode_sound(ctx, parts.audio_vae, clean.audio, channels));

    const h3::VaeConfig& v = parts.vae.config;
    const std::int64_t frames = decoded_frames(v, clean.video.shape[1]);
    const Tensor video =
        ctx.arena.take({frames, v.out_channels, clean.video.shape[2] * v.spatial_ratio(), clean.video.shape[3] * v.spatial_ratio()});
    std::int64_t done = 0;
    decode(ctx, parts.vae, h3::denormalise(ctx, clean.video, v.latents_mean, v.latents_std), std::nullopt, [&](Tensor part) {
      h3::to_unit_range(part);
      copy(ctx, part, video.slice(done, part.shape[0]));
      done += part.shape[0];
    });
    compare("out.pixels", permute(ctx, video, {1, 0, 2, 3}));
  });
}

}  // namespace fabula::golden
