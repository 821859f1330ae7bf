// The denoising loop: noise becomes clean rows of picture and sound, each down its own schedule, both in one evaluation a step.
// Reference: MiniMaxH3DenoiseStep, MiniMaxH3PrepareLatentsStep, MiniMaxH3SetTimestepsStep (diffusers).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/ops.h"
#include "engine/sample/rng.h"
#include "engine/sample/scheduler.h"
#include "video/h3/dit.h"

namespace fabula::h3 {

/// What the transformer puts out. The reference's class speaks velocity; x0 is the clean sample, from which velocity follows.
enum class Prediction : std::uint8_t { velocity, x0 };

/// v = (x0 − x_t) / (1 − t), data-ward as MiniMaxH3Scheduler takes it. 1 − t counts as no less than this, in training as here.
constexpr float velocity_floor = 0.05F;

/// Turns the transformer's clean sample into velocity, in place. sample: x_t at `timestep`.
void velocity_from_x0(std::span<float> x0, std::span<const float> sample, float timestep);

/// The distinct timesteps of a packed sequence, rising, and each row's place in them.
struct RowTimesteps {
  std::vector<float> distinct;
  std::vector<std::int32_t> index;  ///< (rows)
};

/// The noise level that a given picture is brought to, just short of clean.
constexpr float given_video_timestep = 0.999F;

/// Generated rows take their schedule's timestep, text the video's, given pictures the later of the video's and `given_video`, given
/// sound 1.
[[nodiscard]] RowTimesteps row_timesteps(const Layout&, float video_timestep, float audio_timestep,
                                         float given_video = given_video_timestep);

/// Draws what torch.randn draws for the reference: the video's latents (channels, frames, height, width) first, then the audio's rows
/// (channels · latents, audio latent channels). Nothing is drawn on the dry device.
void draw_noise(TorchGenerator&, Tensor video_latents, Tensor audio_rows);

/// Both schedules, with their timesteps set. Equally long.
struct Schedules {
  Scheduler video, audio;
};

/// Called after each step with the number of steps done; returning false stops with Error(interrupted).
using AfterStep = std::function<bool(std::size_t done)>;

/// text (text rows, text_dim); video (video rows, patch_dim) and audio (audio rows, audio channels), noise on entry (but for given rows)
/// and clean on return.
void denoise(Context&, const Dit&, const Schedules&, const Layout&, Prediction, Tensor text, Tensor video, Tensor audio, const AfterStep&,
             float given_video = given_video_timestep);

}  // namespace fabula::h3
