// The transformer as a sampler's model: row timesteps in, clean samples out.
#include "video/h3/denoise.h"

#include <algorithm>
#include <set>

#include "base/error.h"

namespace fabula::h3 {
namespace {

// The generated rows of a modality: those after the given ones.
Tensor made(Tensor rows, std::int64_t given) { return rows.slice(given, rows.shape[0] - given); }

// The clean sample that the output predicts, in the output's memory.
Tensor clean_sample(Context& ctx, Prediction prediction, Tensor output, Tensor sample, float timestep) {
  if (prediction == Prediction::x0) velocity_from_x0(ctx, output, sample, timestep);
  blend_into(ctx, 1.0F, sample, 1.0F - timestep, output, output);
  return output;
}

// The timesteps of every evaluation of a run, rising: a sampler evaluates at points of the schedules.
std::vector<float> all_timesteps(const Layout& layout, const Denoising& how, bool makes_video) {
  const std::vector<float>&video = how.schedules.video.timesteps(), &audio = how.schedules.audio.timesteps();
  std::set<float> all;
  for (std::size_t i = 0; i < std::min(video.size(), audio.size()); ++i) {
    const RowTimesteps rows = row_timesteps(layout, makes_video ? video[i] : how.given_video, audio[i], how.given_video);
    all.insert(rows.distinct.begin(), rows.distinct.end());
  }
  return {all.begin(), all.end()};
}

// Each row's place among `all`.
std::vector<std::int32_t> places_in(std::span<const float> all, const RowTimesteps& rows) {
  std::vector<std::int32_t> places;
  for (const std::int32_t i : rows.index) {
    const auto found = std::lower_bound(all.begin(), all.end(), rows.distinct[static_cast<std::size_t>(i)]);
    if (found == all.end() || *found != rows.distinct[static_cast<std::size_t>(i)])
      throw Error(ExitCode::internal, "a sampler evaluates between the points of its schedule");
    places.push_back(static_cast<std::int32_t>(found - all.begin()));
  }
  return places;
}

}  // namespace

void velocity_from_x0(Context& ctx, Tensor x0, Tensor sample, float timestep) {
  difference_into(ctx, x0, sample, std::max(1.0F - timestep, velocity_floor), x0);
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

ClipLatents draw_noise(Context& ctx, TorchGenerator& generator, Shape video, Shape audio) {
  const auto draw = [&](std::span<float> values) { generator.normal(values); };
  return {filled(ctx, video, draw), filled(ctx, audio, draw)};
}

void denoise(Context& ctx, const Dit& dit, const Layout& layout, const Denoising& how, const ClipRows& rows, const AfterStep& after_step,
             const Tap& tap) {
  const Arena::Scope scope(ctx.arena);
  const bool makes_video = layout.given_video_rows < rows.video.shape[0];
  const std::vector<float> timesteps_of_all = all_timesteps(layout, how, makes_video);
  const DitSequence sequence = prepare(ctx, dit, rows.text, layout, timesteps_of_all);
  // A modality that is given whole is not on a track: nothing of it is made.
  std::vector<Track> tracks;
  if (makes_video) tracks.push_back({made(rows.video, layout.given_video_rows), how.schedules.video});
  tracks.push_back({made(rows.audio, layout.given_audio_rows), how.schedules.audio});
  Replay replay;
  const auto evaluate = [&](Context& c, std::span<const float> timesteps) {
    const float video_timestep = makes_video ? timesteps.front() : how.given_video;
    const RowTimesteps times = row_timesteps(layout, video_timestep, timesteps.back(), how.given_video);
    const DitOutput out = forward(c, dit, sequence, rows.video, rows.audio, places_in(timesteps_of_all, times), {}, &replay);
    tap("velocity", out.video);
    tap("audio_velocity", out.audio);
    std::vector<Tensor> outputs;
    if (makes_video) outputs.push_back(made(out.video, layout.given_video_rows));
    outputs.push_back(made(out.audio, layout.given_audio_rows));
    std::vector<Tensor> clean;
    for (std::size_t k = 0; k < tracks.size(); ++k)
      clean.push_back(clean_sample(c, how.prediction, outputs[k], tracks[k].latents, timesteps[k]));
    return clean;
  };
  how.sampler.run(ctx, tracks, evaluate, after_step);
  if (how.tell && !replay.refusal().empty()) how.tell(replay.refusal());
}

}  // namespace fabula::h3
