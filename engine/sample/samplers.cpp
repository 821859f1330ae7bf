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

constexpr Sampler samplers[] = {
    {"euler", euler},
};

}  // namespace

const Sampler& sampler_named(std::string_view name) {
  std::string known;
  for (const Sampler& sampler : samplers) {
    if (name == sampler.name) return sampler;
    known += std::string(known.empty() ? "" : ", ") + sampler.name;
  }
  throw Error(ExitCode::usage, "there is no sampler \"" + std::string(name) + "\"; known here: " + known);
}

}  // namespace fabula
