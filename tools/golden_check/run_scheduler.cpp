// MiniMaxH3Scheduler: its grid, and the steps of the Euler sampler along it.
#include "engine/sample/samplers.h"
#include "tools/golden_check/parameters.h"

namespace fabula::golden {
namespace {

// The reference's velocities, one evaluation after the other.
void check_trace(const Case& one, const Setup& setup, const Schedule& schedule, Comparison& compare) {
  const Tensor start = one.in("sample"), velocity = one.in("velocity");
  const std::vector<float> sample = floats(start), velocities = floats(velocity);
  const std::size_t size = sample.size();
  if (velocities.size() != schedule.steps() * size) throw Error(ExitCode::bad_data, "the case's inputs do not fit each other");
  run_sized(setup, [&](Context& ctx) {
    const Track track{constant(ctx, sample, {start.elements()}), schedule};
    const Tensor trace = ctx.arena.take({static_cast<std::int64_t>(schedule.steps()), start.elements()});
    std::size_t step = 0;
    const auto evaluate = [&](Context& c, std::span<const float> timesteps) {
      const Tensor v = constant(c, std::span(velocities).subspan(step * size, size), {start.elements()});
      blend_into(c, 1.0F, track.latents, 1.0F - timesteps[0], v, v);
      return std::vector{v};
    };
    sampler_named("euler").run(ctx, std::span(&track, 1), evaluate, [&](std::size_t done) {
      copy(ctx, track.latents, trace.slice(static_cast<std::int64_t>(step), 1));
      step = done;
      return true;
    });
    compare("out.trace", trace.view(velocity.shape));
  });
}

}  // namespace

void run_scheduler(const Case& one, const Setup& setup, Comparison& compare) {
  Schedule schedule(real_number(one, "shift"));
  schedule.set_points(static_cast<int>(whole_number(one, "num_inference_steps", 2, 100000)));
  const auto count = [](const std::vector<float>& v) { return Shape{static_cast<std::int64_t>(v.size())}; };
  compare.values("out.sigmas", schedule.sigmas(), count(schedule.sigmas()));
  compare.values("out.timesteps", schedule.timesteps(), count(schedule.timesteps()));
  if (!compare.wants("out.trace")) return;

  check_trace(one, setup, schedule, compare);
  std::vector<float> sample = floats(one.in("sample"));
  const std::vector<float> noise = floats(one.in("noise"));
  if (noise.size() != sample.size()) throw Error(ExitCode::bad_data, "the case's inputs do not fit each other");
  scale_noise(0.9F, noise, sample);
  compare.values("out.scale_noise_0p9", sample, one.in("sample").shape);
}

}  // namespace fabula::golden
