// The grid of a rectified flow, bent by its shift.
#include "engine/sample/schedule.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/json_fields.h"

namespace fabula {

Schedule::Schedule(double shift) : shift_(static_cast<float>(shift)) {
  if (!(shift > 0.0) || !std::isfinite(shift)) throw Error(ExitCode::bad_data, "a schedule's shift must be a positive number");
}

Schedule Schedule::load(const std::filesystem::path& folder) {
  return Schedule(JsonFields::open(folder / "scheduler_config.json").real("shift", 1e-6, 1e6));
}

void Schedule::set_points(int n) {
  if (n < 2 || n > 100000) throw Error(ExitCode::usage, "a schedule needs 2 to 100000 steps");
  // torch.linspace counts from both ends towards the middle, so that it is symmetric.
  const float increment = -1.0F / static_cast<float>(n - 1);
  sigmas_.clear();
  for (int i = 0; i < n; ++i) {
    const float base = i < n / 2 ? 1.0F + increment * static_cast<float>(i) : 0.0F - increment * static_cast<float>(n - 1 - i);
    const float sigma = shift_ * base / (1.0F + (shift_ - 1.0F) * base);
    if (sigmas_.empty() || sigma != sigmas_.back()) sigmas_.push_back(sigma);
  }
  timesteps_.clear();
  for (std::size_t i = 0; i + 1 < sigmas_.size(); ++i) timesteps_.push_back(1.0F - sigmas_[i]);
}

void scale_noise(float t, std::span<const float> noise, std::span<float> sample) {
  for (std::size_t k = 0; k < sample.size(); ++k) sample[k] = t * sample[k] + (1.0F - t) * noise[k];
}

}  // namespace fabula
