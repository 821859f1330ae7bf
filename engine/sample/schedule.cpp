#include "engine/sample/scheduler.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"

namespace fabula {

Scheduler::Scheduler(double shift) : shift_(static_cast<float>(shift)) {
  if (!(shift > 0.0) || !std::isfinite(shift)) throw Error(ExitCode::bad_data, "a scheduler's shift must be a positive number");
}

Scheduler Scheduler::load(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "scheduler_config.json";
  std::ifstream in(file);
  if (!in) throw Error(ExitCode::input_missing, "cannot read " + file.string());
  const nlohmann::json root = nlohmann::json::parse(in, nullptr, /*allow_exceptions=*/false);
  if (!root.is_object() || !root.contains("shift") || !root["shift"].is_number())
    throw Error(ExitCode::bad_data, file.string() + " has no number \"shift\"");
  return Scheduler(root["shift"].get<double>());
}

void Scheduler::set_timesteps(int num_inference_steps) {
  if (num_inference_steps < 2 || num_inference_steps > 100000) throw Error(ExitCode::usage, "a schedule needs 2 to 100000 steps");
  // torch.linspace counts from both ends towards the middle, so that it is symmetric.
  const int n = num_inference_steps;
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

void Scheduler::step(std::size_t i, std::span<const float> velocity, std::span<float> sample) const {
  // x0 with the sigma that the model was told (1 − t), the blend with the grid's: the reference keeps the two apart, and for
  // sigma < 0.5 they differ by a rounding.
  const float told = 1.0F - timesteps_.at(i);
  const float ratio = sigmas_.at(i + 1) / sigmas_.at(i);
  for (std::size_t k = 0; k < sample.size(); ++k) {
    const float denoised = sample[k] + told * velocity[k];
    sample[k] = ratio * sample[k] + (1.0F - ratio) * denoised;
  }
}

void scale_noise(float t, std::span<const float> noise, std::span<float> sample) {
  for (std::size_t k = 0; k < sample.size(); ++k) sample[k] = t * sample[k] + (1.0F - t) * noise[k];
}

}  // namespace fabula
