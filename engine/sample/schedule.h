// The rectified-flow schedule of MiniMaxH3Scheduler (diffusers) and its Euler step (eta = 0).
#pragma once

#include <filesystem>
#include <span>
#include <vector>

namespace fabula {

/// t = 1 − sigma runs from 0 (noise) to 1 (clean); the model speaks data-ward velocity: x0 = x_t + (1 − t)·v.
class Scheduler {
 public:
  /// shift s > 0 bends the grid: sigma' = s·sigma / (1 + (s − 1)·sigma). Throws Error(bad_data) for any other.
  explicit Scheduler(double shift);
  /// Reads `shift` from scheduler_config.json in `folder`. Throws Error: input_missing, bad_data.
  static Scheduler load(const std::filesystem::path& folder);

  /// n grid points, the terminal 0 included, less those that the shift makes equal: n − 1 evaluations of the model. n ≥ 2.
  void set_timesteps(int num_inference_steps);
  [[nodiscard]] const std::vector<float>& sigmas() const { return sigmas_; }
  [[nodiscard]] const std::vector<float>& timesteps() const { return timesteps_; }

  /// The Euler step from timesteps()[i] to the next, in place.
  void step(std::size_t i, std::span<const float> velocity, std::span<float> sample) const;

 private:
  float shift_;
  std::vector<float> sigmas_, timesteps_;
};

/// The forward process at time t: sample = t·sample + (1 − t)·noise, in place.
void scale_noise(float t, std::span<const float> noise, std::span<float> sample);

}  // namespace fabula
