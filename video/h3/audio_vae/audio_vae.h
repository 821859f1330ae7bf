// The audio autoencoder: mono samples <-> latents. Reference: AutoencoderKLMiniMaxH3Audio (diffusers).
#pragma once

#include <filesystem>
#include <memory>

#include "engine/context.h"
#include "engine/tap.h"
#include "video/h3/audio_vae/config.h"

namespace fabula::h3 {

/// Stereo is two calls. Always float32: the reference keeps these modules so, because bfloat16 makes decodes audibly quieter.
/// Immutable once loaded; calls with different contexts may run side by side.
class AudioVae {
 public:
  struct Posterior {
    Tensor mean, log_std;  ///< (latent_channels, frames)
  };

  /// Throws Error: input_missing or bad_data, naming file and field or tensor.
  static AudioVae load(const std::filesystem::path& folder, DeviceKind device = DeviceKind::cpu);
  ~AudioVae();
  AudioVae(AudioVae&&) noexcept;
  AudioVae& operator=(AudioVae&&) noexcept;

  [[nodiscard]] const AudioVaeConfig& config() const;
  [[nodiscard]] int sample_rate() const { return config().sampling_rate; }
  [[nodiscard]] std::int64_t hop_length() const { return config().hop_length(); }
  [[nodiscard]] std::int64_t latent_channels() const { return config().latent_channels; }
  [[nodiscard]] std::size_t parameter_bytes() const;

  /// samples (n), n ≥ 1, padded at the end with zeros to whole latents -> the posterior's mean (latent_channels, ceil(n / hop_length)).
  /// Not yet normalised: subtract latents_mean and divide by latents_std for the transformer.
  [[nodiscard]] Tensor encode(Context&, Tensor samples, const Tap& tap = {}) const;
  [[nodiscard]] Posterior posterior(Context&, Tensor samples, const Tap& tap = {}) const;

  /// latents (latent_channels, frames), denormalised (· latents_std + latents_mean) -> samples (frames · hop_length) in [-1, 1].
  [[nodiscard]] Tensor decode(Context&, Tensor latents, const Tap& tap = {}) const;

 private:
  struct Impl;
  explicit AudioVae(std::unique_ptr<const Impl> impl);
  std::unique_ptr<const Impl> impl_;
};

}  // namespace fabula::h3
