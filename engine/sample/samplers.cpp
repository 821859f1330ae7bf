// The samplers, one function and one line of the table each.
#include "engine/sample/samplers.h"

#include <string>

#include "base/error.h"

namespace fabula {
namespace {

std::size_t common_steps(std::span<const Track> tracks) {
  for (const Track& track : tracks) {
    if (track.schedule.steps() != tracks.front().schedule.steps()) {
      throw Error(ExitCode::bad_data, "the schedules have " + std::to_string(tracks.front().schedule.steps()) + " and " +
                                          std::to_string(track.schedule.steps()) + " steps");
    }
  }
  return tracks.empty() ? 0 : tracks.front().schedule.steps();
}

std::vector<Tensor> evaluate_at(std::size_t point, Context& ctx, std::span<const Track> tracks, const Evaluate& evaluate) {
  std::vector<float> timesteps;
  for (const Track& track : tracks) timesteps.push_back(track.schedule.timesteps()[point]);
  return evaluate(ctx, timesteps);
}

// diffusers' flow-matching step with eta = 0, from point i to the next: x = r·x + (1 − r)·denoised, r = sigma[i + 1] / sigma[i].
void euler_step(Context& ctx, const Track& track, std::size_t i, Tensor denoised) {
  const std::vector<float>& sigmas = track.schedule.sigmas();
  const float ratio = sigmas[i + 1] / sigmas[i];
  blend_into(ctx, ratio, track.latents, 1.0F - ratio, denoised, track.latents);
}

// dx/dsigma at point i: (x − denoised) / sigma.
Tensor slope_at(Context& ctx, const Track& track, std::size_t i, Tensor denoised) {
  const float per_sigma = 1.0F / track.schedule.sigmas()[i];
  return axpby(ctx, per_sigma, track.latents, -per_sigma, denoised);
}

// Leads the tracks down their schedules by `step(i)`.
template <typename Step>
void walk(Context& ctx, std::span<const Track> tracks, const AfterStep& after_step, const Step& step) {
  const std::size_t steps = common_steps(tracks);
  for (std::size_t i = 0; i < steps; ++i) {
    const Arena::Scope scope(ctx.arena);
    step(i, i + 1 == steps);
    if (!after_step(i + 1)) throw Error(ExitCode::interrupted, "stopped while the shot was being made");
  }
}

void euler(Context& ctx, std::span<const Track> tracks, const Evaluate& evaluate, const AfterStep& after_step) {
  walk(ctx, tracks, after_step, [&](std::size_t i, bool) {
    const std::vector<Tensor> denoised = evaluate_at(i, ctx, tracks, evaluate);
    for (std::size_t k = 0; k < tracks.size(); ++k) euler_step(ctx, tracks[k], i, denoised[k]);
  });
}

// Karras et al. 2022, algorithm 1, without churn: an Euler step, then from its start again with the mean of the slopes at both ends. Two
// evaluations per step; the last step, to sigma 0, is Euler's alone.
void heun(Context& ctx, std::span<const Track> tracks, const Evaluate& evaluate, const AfterStep& after_step) {
  walk(ctx, tracks, after_step, [&](std::size_t i, bool is_last) {
    const std::vector<Tensor> denoised = evaluate_at(i, ctx, tracks, evaluate);
    std::vector<Tensor> start, slope;
    for (std::size_t k = 0; k < tracks.size(); ++k) {
      if (!is_last) {
        start.push_back(ctx.arena.take(tracks[k].latents.shape));
        copy(ctx, tracks[k].latents, start.back());
        slope.push_back(slope_at(ctx, tracks[k], i, denoised[k]));
      }
      euler_step(ctx, tracks[k], i, denoised[k]);
    }
    if (is_last) return;
    const std::vector<Tensor> corrected = evaluate_at(i + 1, ctx, tracks, evaluate);
    for (std::size_t k = 0; k < tracks.size(); ++k) {
      const std::vector<float>& sigmas = tracks[k].schedule.sigmas();
      const Tensor mean = axpby(ctx, 0.5F, slope[k], 0.5F, slope_at(ctx, tracks[k], i + 1, corrected[k]));
      blend_into(ctx, 1.0F, start[k], sigmas[i + 1] - sigmas[i], mean, tracks[k].latents);
    }
  });
}

constexpr Sampler samplers[] = {
    {"euler", euler},
    {"heun", heun},
};

}  // namespace

std::string sampler_names() {
  std::string names;
  for (const Sampler& sampler : samplers) names += std::string(names.empty() ? "" : ", ") + sampler.name;
  return names;
}

const Sampler& sampler_named(std::string_view name) {
  for (const Sampler& sampler : samplers) {
    if (name == sampler.name) return sampler;
  }
  throw Error(ExitCode::usage, "there is no sampler \"" + std::string(name) + "\"; known here: " + sampler_names());
}

}  // namespace fabula
