// config.json of AutoencoderKLMiniMaxH3Audio (diffusers).
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

namespace fabula::h3 {

/// Field names follow the file; its defaults are those of the published MiniMax-H3.
struct AudioVaeConfig {
  std::int64_t encoder_dim = 64;  ///< channels of the encoder's first convolution, doubled at every stage
  std::vector<int> encoder_rates = {2, 4, 4, 5, 5};
  std::int64_t latent_dim = 2048;  ///< width of the encoder's trunk and of the decoder's input
  std::int64_t latent_channels = 32;
  std::int64_t num_attention_heads = 8;
  std::int64_t decoder_dim = 1024;  ///< channels before the first upsampling, halved at every stage
  std::vector<int> decoder_rates = {5, 5, 2, 2, 2, 2, 2};
  std::vector<int> decoder_kernel_sizes = {9, 9, 4, 4, 4, 4, 4};
  std::vector<int> resblock_kernel_sizes = {3, 7, 11};
  std::vector<std::vector<int>> resblock_dilation_sizes = {{1, 3, 5}, {1, 3, 5}, {1, 3, 5}};
  int sampling_rate = 32000;
  std::vector<float> latents_mean;  ///< (latent_channels); zeros where the file has none
  std::vector<float> latents_std;   ///< (latent_channels), positive; ones where the file has none

  /// Samples that one latent stands for.
  [[nodiscard]] std::int64_t hop_length() const;

  /// Throws Error: input_missing without config.json, bad_data for a field that is malformed, out of bounds or at odds with another.
  static AudioVaeConfig read(const std::filesystem::path& folder);
};

}  // namespace fabula::h3
