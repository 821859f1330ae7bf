// Denoising: noise becomes clean rows of picture and sound, each down its own schedule, both in one evaluation of the transformer.
// Reference: MiniMaxH3DenoiseStep, MiniMaxH3PrepareLatentsStep, MiniMaxH3SetTimestepsStep (diffusers).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "engine/ops.h"
#include "engine/sample/rng.h"
#include "engine/sample/samplers.h"
#include "video/h3/dit.h"

namespace fabula::h3 {

/// What the transformer predicts: the reference's class velocity, x_0 = x_t + (1 − t)·v; others the clean sample x0, from which velocity
/// follows.
enum class Prediction : std::uint8_t { velocity, x0 };

/// v = (x0 − x_t) / (1 − t) points towards the data, as MiniMaxH3Scheduler takes it. 1 − t counts as no less than this, in training as
/// here.
constexpr float velocity_floor = 0.05F;

/// Turns the transformer's clean sample into velocity, in place. sample: x_t at `timestep`, as x0.
void velocity_from_x0(Context&, Tensor x0, Tensor sample, float timestep);

/// The distinct timesteps of a packed sequence, rising, and each row's place in them.
struct RowTimesteps {
  std::vector<float> distinct;
  std::vector<std::int32_t> index;  ///< (rows)
};

/// The timestep of given pictures: just short of clean.
constexpr float given_video_timestep = 0.999F;

/// Generated rows take their schedule's timestep, text the video's, given pictures the later of the video's and `given_video`, given
/// sound 1.
[[nodiscard]] RowTimesteps row_timesteps(const Layout&, float video_timestep, float audio_timestep,
                                         float given_video = given_video_timestep);

/// A clip's latents: video (channels, frames, height, width), audio rows (channels · latents, audio latent channels).
struct ClipLatents {
  Tensor video, audio;
};

/// What torch.randn draws for the reference: the video's latents first, then the audio's rows.
[[nodiscard]] ClipLatents draw_noise(Context&, TorchGenerator&, Shape video, Shape audio);

/// Both as MiniMaxH3Scheduler (diffusers), with their points set. Equally long.
struct Schedules {
  Schedule video, audio;
};

/// How a clip is denoised.
struct Denoising {
  Schedules schedules;
  Prediction prediction = Prediction::velocity;
  const Sampler& sampler = sampler_named("euler");
  float given_video = given_video_timestep;
  std::function<void(const std::string&)> tell = {};  ///< of a graph that CUDA refuses, in a sentence
};

/// A clip's rows: text (text rows, text_dim), video (video rows, patch_dim), audio (audio rows, audio channels).
struct ClipRows {
  Tensor text, video, audio;
};

/// On entry rows.video and rows.audio hold noise except in given rows; on return they are clean. All of the video may be given: then only
/// sound is made, and text takes the timestep of the given pictures. Taps "velocity" and "audio_velocity", the transformer's output of
/// every evaluation, given rows first.
void denoise(Context&, const Dit&, const Layout&, const Denoising&, const ClipRows& rows, const AfterStep&, const Tap& = {});

}  // namespace fabula::h3
