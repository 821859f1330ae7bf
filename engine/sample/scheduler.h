// The rectified-flow schedule of MiniMaxH3Scheduler (diffusers) and its Euler step.
#pragma once

#include <filesystem>
#include <span>
#include <vector>

namespace fabula {

/// scheduler_config.json. Field names follow the file; see scheduler.cpp for each one's meaning.
class Scheduler {
 public:
  static Scheduler load(const std::filesystem::path& folder);
  ~Scheduler() = default;

  /// n inference steps give n timesteps of which the last is terminal: n − 1 evaluations of the model, as in the reference.
  void set_timesteps(int num_inference_steps);
  [[nodiscard]] const std::vector<float>& sigmas() const { return sigmas_; }
  [[nodiscard]] const std::vector<float>& timesteps() const { return timesteps_; }

  /// One Euler step from index i to i + 1, in place.
  void step(std::size_t i, std::span<const float> velocity, std::span<float> sample) const;

 private:
  std::vector<float> sigmas_;
  std::vector<float> timesteps_;
  // config fields are added by the implementation
};

}  // namespace fabula
