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

// diffusers' flow-matching step with eta = 0: x = r·x + (1 − r)·denoised, r = sigma[i + 1] / sigma[i].
void euler(Context& ctx, std::span<const Track> tracks, const Evaluate& evaluate, const AfterStep& after_step) {
  const std::size_t steps = common_steps(tracks);
  std::vector<float> timesteps(tracks.size());
  for (std::size_t i = 0; i < steps; ++i) {
    const Arena::Scope scope(ctx.arena);
    for (std::size_t k = 0; k < tracks.size(); ++k) timesteps[k] = tracks[k].schedule.timesteps()[i];
    const std::vector<Tensor> denoised = evaluate(ctx, timesteps);
    for (std::size_t k = 0; k < tracks.size(); ++k) {
      const std::vector<float>& sigmas = tracks[k].schedule.sigmas();
      const float ratio = sigmas[i + 1] / sigmas[i];
      blend_into(ctx, ratio, tracks[k].latents, 1.0F - ratio, denoised[k], tracks[k].latents);
    }
    if (!after_step(i + 1)) throw Error(ExitCode::interrupted, "stopped while the shot was being made");
  }
}

// Heun's method on dx/dsigma = (x − denoised) / sigma (Karras et al. 2022, algorithm 1, without churn): an Euler step, then the mean of the
// slopes at both of its ends. Two evaluations per step; the last step, to sigma 0, is Euler's alone.
void heun(Context& ctx, std::span<const Track> tracks, const Evaluate& evaluate, const AfterStep& after_step) {
  const std::size_t steps = common_steps(tracks);
  std::vector<float> timesteps(tracks.size());
  const auto evaluate_at = [&](std::size_t point) {
    for (std::size_t k = 0; k < tracks.size(); ++k) timesteps[k] = tracks[k].schedule.timesteps()[point];
    return evaluate(ctx, timesteps);
  };
  for (std::size_t i = 0; i < steps; ++i) {
    const Arena::Scope scope(ctx.arena);
    const std::vector<Tensor> denoised = evaluate_at(i);
    std::vector<Tensor> start, slope;
    for (std::size_t k = 0; k < tracks.size(); ++k) {
      const Tensor x = tracks[k].latents;
      const float sigma = tracks[k].schedule.sigmas()[i], ratio = tracks[k].schedule.sigmas()[i + 1] / sigma;
      start.push_back(axpby(ctx, 1.0F, x, 0.0F, x));
      slope.push_back(axpby(ctx, 1.0F / sigma, x, -1.0F / sigma, denoised[k]));
      blend_into(ctx, ratio, x, 1.0F - ratio, denoised[k], x);
    }
    if (i + 1 < steps) {
      const std::vector<Tensor> corrected = evaluate_at(i + 1);
      for (std::size_t k = 0; k < tracks.size(); ++k) {
        const Tensor x = tracks[k].latents;
        const float from = tracks[k].schedule.sigmas()[i], to = tracks[k].schedule.sigmas()[i + 1];
        const Tensor end_slope = axpby(ctx, 1.0F / to, x, -1.0F / to, corrected[k]);
        const Tensor mean = axpby(ctx, 0.5F, slope[k], 0.5F, end_slope);
        blend_into(ctx, 1.0F, start[k], to - from, mean, x);
      }
    }
    if (!after_step(i + 1)) throw Error(ExitCode::interrupted, "stopped while the shot was being made");
  }
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
