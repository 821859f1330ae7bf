#include "engine/sample/scheduler.h"
#include "tools/golden_check/parameters.h"

namespace fabula::golden {

void run_scheduler(const Case& one, const Setup&, Comparison& compare) {
  Scheduler scheduler(real_number(one, "shift"));
  scheduler.set_timesteps(static_cast<int>(whole_number(one, "num_inference_steps", 2, 100000)));
  const auto count = [](const std::vector<float>& v) { return Shape{static_cast<std::int64_t>(v.size())}; };
  compare.values("out.sigmas", scheduler.sigmas(), count(scheduler.sigmas()));
  compare.values("out.timesteps", scheduler.timesteps(), count(scheduler.timesteps()));
  if (!compare.wants("out.trace")) return;

  const Tensor start = one.in("sample"), velocity = one.in("velocity");
  std::vector<float> sample = floats(start);
  const std::vector<float> velocities = floats(velocity), noise = floats(one.in("noise"));
  const std::size_t size = sample.size(), steps = scheduler.timesteps().size();
  if (velocities.size() != steps * size || noise.size() != size) throw Error(ExitCode::bad_data, "the case's inputs do not fit each other");
  std::vector<float> trace;
  for (std::size_t i = 0; i < steps; ++i) {
    scheduler.step(i, std::span(velocities).subspan(i * size, size), sample);
    trace.insert(trace.end(), sample.begin(), sample.end());
  }
  compare.values("out.trace", trace, velocity.shape);
  sample = floats(start);
  scale_noise(0.9F, noise, sample);
  compare.values("out.scale_noise_0p9", sample, start.shape);
}

}  // namespace fabula::golden
