// The config.json files of the H3 family's transformer and video autoencoder. Field names follow diffusers' configs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "engine/ops.h"

namespace fabula::h3 {

/// MiniMaxH3Transformer3DModel.
struct DitConfig {
  std::int64_t num_attention_heads = 0, attention_head_dim = 0, hidden_size = 0;
  std::int64_t num_layers = 0, num_refiner_layers = 0, ffn_dim = 0;
  std::int64_t in_channels = 0;        ///< of the video latents
  std::int64_t audio_in_channels = 0;  ///< of the audio latents
  std::int64_t patch_t = 1, patch_h = 1, patch_w = 1;
  std::int64_t text_dim = 0;  ///< width of a conditioning state
  std::int64_t freq_dim = 0, time_embed_hidden_dim = 0, time_embed_dim = 0;
  std::int64_t rope_freq_dim = 0;  ///< frequencies an axis
  double rope_theta = 0.0;
  float norm_eps = 0.0F, qk_norm_eps = 0.0F, final_norm_eps = 0.0F;

  /// Values in one video row.
  [[nodiscard]] std::int64_t patch_dim() const { return in_channels * patch_t * patch_h * patch_w; }
  [[nodiscard]] std::int64_t rotary_dim() const { return 2 * 3 * rope_freq_dim; }

  /// Reads folder/config.json. Throws Error: input_missing, or bad_data naming the field and what it may be.
  static DitConfig load(const std::filesystem::path& folder);
};

/// AutoencoderKLMiniMaxH3.
struct VaeConfig {
  std::int64_t in_channels = 0, out_channels = 0, latent_channels = 0;
  std::vector<std::int64_t> block_out_channels, spatial_downsample_factors, temporal_downsample_factors;
  std::int64_t layers_per_block = 0, norm_num_groups = 0;
  float norm_eps = 0.0F;
  Pad spatial_padding = Pad::reflect;
  std::int64_t decoder_num_layers = 0, decoder_num_attention_heads = 0, decoder_attention_head_dim = 0;
  std::int64_t decoder_num_register_tokens = 0, decoder_ffn_mult = 0;
  double decoder_rope_theta = 0.0, decoder_rope_dim_ratio = 0.0;
  float decoder_norm_eps = 0.0F;
  std::int64_t clip_length = 0;  ///< pixel frames that are encoded together
  std::int64_t token_drop = 0;   ///< latent frames dropped at the end of an encode
  std::vector<float> latents_mean, latents_std;

  [[nodiscard]] std::int64_t decoder_dim() const { return decoder_num_attention_heads * decoder_attention_head_dim; }
  [[nodiscard]] std::int64_t spatial_ratio() const;
  [[nodiscard]] std::int64_t temporal_ratio() const;
  /// Latent frames of one clip.
  [[nodiscard]] std::int64_t latents_per_clip() const { return (clip_length + temporal_ratio() - 1) / temporal_ratio(); }
  /// Pixel frames that a clip's first latent frame decodes to without having seen them.
  [[nodiscard]] std::int64_t frame_pre_padding() const { return latents_per_clip() * temporal_ratio() - clip_length; }
  /// Latent frames that two neighbouring decoded chunks share.
  [[nodiscard]] std::int64_t latent_overlap() const { return token_drop == 0 ? 0 : latents_per_clip() - token_drop; }

  /// Reads folder/config.json. Throws as DitConfig::load does.
  static VaeConfig load(const std::filesystem::path& folder);
};

}  // namespace fabula::h3
