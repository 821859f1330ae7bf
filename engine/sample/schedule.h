// The rectified-flow schedule: how noisy a sample is at each point of its way. As diffusers' flow-matching schedulers count it.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

namespace fabula {

/// sigma falls from 1 (noise) to 0 (clean), t = 1 − sigma rises.
class Schedule {
 public:
  /// shift s > 0 bends the grid: sigma' = s·sigma / (1 + (s − 1)·sigma). Throws Error(bad_data) for any other.
  explicit Schedule(double shift);
  /// Reads `shift` from scheduler_config.json in `folder`. Throws Error: input_missing, bad_data.
  static Schedule load(const std::filesystem::path& folder);

  /// Sets n ≥ 2 grid points, the terminal sigma 0 included, less those that the shift makes equal: n − 1 steps at most. Throws
  /// Error(usage) outside 2 … 100000. The reference calls n num_inference_steps.
  void set_points(int n);
  [[nodiscard]] const std::vector<float>& sigmas() const { return sigmas_; }        ///< (points)
  [[nodiscard]] const std::vector<float>& timesteps() const { return timesteps_; }  ///< (points − 1): 1 − sigma of all but the last
  [[nodiscard]] std::size_t steps() const { return timesteps_.size(); }

 private:
  float shift_;
  std::vector<float> sigmas_, timesteps_;
};

/// The forward process at time t: sample = t·sample + (1 − t)·noise, in place.
void scale_noise(float t, std::span<const float> noise, std::span<float> sample);

}  // namespace fabula
