#include "video/h3/denoise.h"

#include <algorithm>
#include <string>

#include "base/error.h"

namespace fabula::h3 {
namespace {

std::span<float> values(Tensor rows) { return {rows.f32(), static_cast<std::size_t>(rows.elements())}; }

// One Euler step of the rows that are made. rows is updated in place, output is used up.
void step(const Scheduler& schedule, std::size_t i, Prediction prediction, Tensor output, Tensor rows, std::int64_t given) {
  const std::int64_t made = rows.shape[0] - given;
  const std::span<float> velocity = values(output.slice(given, made)), sample = values(rows.slice(given, made));
  if (prediction == Prediction::x0) velocity_from_x0(velocity, sample, schedule.timesteps()[i]);
  schedule.step(i, velocity, sample);
}

}  // namespace

void velocity_from_x0(std::span<float> x0, std::span<const float> sample, float timestep) {
  const float left = std::max(1.0F - timestep, velocity_floor);
  for (std::size_t i = 0; i < x0.size(); ++i) x0[i] = (x0[i] - sample[i]) / left;
}

RowTimesteps row_timesteps(const Layout& layout, float video_timestep, float audio_timestep, float given_video) {
  std::vector<float> each(layout.tags.size(), video_timestep);
  const auto assign = [&](std::span<const std::int32_t> indices, std::int64_t given, float of_given, float of_made) {
    for (std::size_t i = 0; i < indices.size(); ++i)
      each.at(static_cast<std::size_t>(indices[i])) = static_cast<std::int64_t>(i) < given ? of_given : of_made;
  };
  assign(layout.video, layout.given_video_rows, std::max(video_timestep, given_video), video_timestep);
  assign(layout.audio, layout.given_audio_rows, 1.0F, audio_timestep);

  RowTimesteps result;
  result.distinct = each;
  std::sort(result.distinct.begin(), result.distinct.end());
  result.distinct.erase(std::unique(result.distinct.begin(), result.distinct.end()), result.distinct.end());
  for (const float t : each) {
    const auto found = std::lower_bound(result.distinct.begin(), result.distinct.end(), t);
    result.index.push_back(static_cast<std::int32_t>(found - result.distinct.begin()));
  }
  return result;
}

void draw_noise(TorchGenerator& generator, Tensor video_latents, Tensor audio_rows) {
  if (video_latents.data == nullptr) return;
  generator.normal(values(video_latents));
  generator.normal(values(audio_rows));
}

void denoise(Context& ctx, const Dit& dit, const Schedules& schedules, const Layout& layout, Prediction prediction, Tensor text,
             Tensor video, Tensor audio, const AfterStep& after_step, float given_video) {
  const std::vector<float>&video_times = schedules.video.timesteps(), &audio_times = schedules.audio.timesteps();
  if (video_times.size() != audio_times.size()) {
    throw Error(ExitCode::bad_data, "the schedules of video and audio have " + std::to_string(video_times.size()) + " and " +
                                        std::to_string(audio_times.size()) + " steps");
  }
  const Arena::Scope scope(ctx.arena);
  const DitSequence sequence = prepare(ctx, dit, text, layout);
  for (std::size_t i = 0; i < video_times.size(); ++i) {
    const Arena::Scope step_scope(ctx.arena);
    const RowTimesteps times = row_timesteps(layout, video_times[i], audio_times[i], given_video);
    const DitOutput out = forward(ctx, dit, sequence, video, audio, times.distinct, times.index);
    if (!ctx.arena.is_dry()) {
      step(schedules.video, i, prediction, out.video, video, layout.given_video_rows);
      step(schedules.audio, i, prediction, out.audio, audio, layout.given_audio_rows);
    }
    if (!after_step(i + 1)) throw Error(ExitCode::interrupted, "stopped while the shot was being made");
  }
}

}  // namespace fabula::h3
