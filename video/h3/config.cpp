// config.json of the transformer and of the video autoencoder: every field within limits, and fields that must agree.
#include "video/h3/config.h"

#include <functional>
#include <numeric>
#include <string>

#include "base/json_fields.h"

namespace fabula::h3 {
namespace {

constexpr std::int64_t max_width = 1 << 17;  // of any row: eight times that of the published checkpoint
constexpr std::int64_t max_layers = 1000;

std::int64_t product(const std::vector<std::int64_t>& factors) {
  return std::accumulate(factors.begin(), factors.end(), std::int64_t{1}, std::multiplies<>());
}

Pad padding_mode(const JsonFields& file) {
  const std::string mode = file.choice("spatial_padding_mode", {"reflect", "replicate", "constant"});
  if (mode == "constant") return Pad::zero;
  return mode == "reflect" ? Pad::reflect : Pad::replicate;
}

void read_encoder(const JsonFields& file, VaeConfig& config) {
  config.block_out_channels = file.integers("block_out_channels", 1, 32, 1, max_width);
  const std::size_t levels = config.block_out_channels.size();
  config.spatial_downsample_factors = file.integers("spatial_downsample_factors", levels, levels, 1, 2);
  config.temporal_downsample_factors = file.integers("temporal_downsample_factors", levels, levels, 1, 4);
  config.layers_per_block = file.integer("layers_per_block", 1, max_layers);
  config.norm_num_groups = file.integer("norm_num_groups", 1, max_width);
  config.norm_eps = static_cast<float>(file.real("norm_eps", 0.0, 1.0));
  config.spatial_padding = padding_mode(file);
  for (const std::int64_t channels : config.block_out_channels) {
    if (channels % config.norm_num_groups != 0)
      file.refuse("\"block_out_channels\" holds " + std::to_string(channels) + ", which \"norm_num_groups\" does not divide");
  }
  if (config.spatial_ratio() > 64 || config.temporal_ratio() > 64) file.refuse("the downsample factors multiply to more than 64");
}

void read_decoder(const JsonFields& file, VaeConfig& config) {
  config.decoder_num_layers = file.integer("decoder_num_layers", 1, max_layers);
  config.decoder_num_attention_heads = file.integer("decoder_num_attention_heads", 1, 1024);
  config.decoder_attention_head_dim = file.integer("decoder_attention_head_dim", 1, 1024);
  config.decoder_num_register_tokens = file.integer("decoder_num_register_tokens", 0, 4096);
  config.decoder_ffn_mult = file.integer("decoder_ffn_mult", 1, 64);
  config.decoder_rope_theta = file.real("decoder_rope_theta", 1.0, 1e9);
  config.decoder_rope_dim_ratio = file.real("decoder_rope_dim_ratio", 0.0, 1.0);
  config.decoder_norm_eps = static_cast<float>(file.real("decoder_norm_eps", 0.0, 1.0));
  const auto rotary = static_cast<std::int64_t>(static_cast<double>(config.decoder_attention_head_dim) * config.decoder_rope_dim_ratio);
  if (rotary < 6 || rotary % 6 != 0)
    file.refuse("\"decoder_rope_dim_ratio\" leaves " + std::to_string(rotary) + " rotary channels per head, expected a multiple of 6");
  if (config.decoder_dim() > max_width)
    file.refuse("the decoder is " + std::to_string(config.decoder_dim()) + " channels wide, expected at most " + std::to_string(max_width));
}

}  // namespace

DitConfig DitConfig::load(const std::filesystem::path& folder) {
  const JsonFields file = JsonFields::open(folder / "config.json");
  DitConfig config;
  config.num_attention_heads = file.integer("num_attention_heads", 1, 1024);
  config.attention_head_dim = file.integer("attention_head_dim", 1, 1024);
  config.hidden_size = file.integer("hidden_size", 1, max_width);
  config.num_layers = file.integer("num_layers", 1, max_layers);
  config.num_refiner_layers = file.integer("num_refiner_layers", 0, max_layers);
  config.ffn_dim = file.integer("ffn_dim", 1, 1 << 20);
  config.in_channels = file.integer("in_channels", 1, 4096);
  config.audio_in_channels = file.integer("audio_in_channels", 1, 4096);
  const auto patch = file.integers("patch_size", 3, 3, 1, 64);
  config.patch_t = patch[0], config.patch_h = patch[1], config.patch_w = patch[2];
  config.text_dim = file.integer("text_dim", 1, max_width);
  config.freq_dim = file.integer("freq_dim", 2, max_width);
  config.time_embed_hidden_dim = file.integer("time_embed_hidden_dim", 1, max_width);
  config.time_embed_dim = file.integer("time_embed_dim", 1, max_width);
  config.rope_freq_dim = file.integer("rope_freq_dim", 1, 512);
  config.rope_theta = file.real("rope_theta", 1.0, 1e9);
  config.norm_eps = static_cast<float>(file.real("norm_eps", 0.0, 1.0));
  config.qk_norm_eps = static_cast<float>(file.real("qk_norm_eps", 0.0, 1.0));
  config.final_norm_eps = static_cast<float>(file.real("final_norm_eps", 0.0, 1.0));
  if (config.rotary_dim() > config.attention_head_dim) {
    file.refuse("\"rope_freq_dim\" asks for " + std::to_string(config.rotary_dim()) + " rotary channels, and a head has " +
                std::to_string(config.attention_head_dim));
  }
  return config;
}

std::int64_t VaeConfig::spatial_ratio() const { return product(spatial_downsample_factors); }
std::int64_t VaeConfig::temporal_ratio() const { return product(temporal_downsample_factors); }

VaeConfig VaeConfig::load(const std::filesystem::path& folder) {
  const JsonFields file = JsonFields::open(folder / "config.json");
  VaeConfig config;
  config.in_channels = file.integer("in_channels", 1, 64);
  config.out_channels = file.integer("out_channels", 1, 64);
  config.latent_channels = file.integer("latent_channels", 1, 4096);
  read_encoder(file, config);
  read_decoder(file, config);
  config.clip_length = file.integer("clip_length", 1, 4096);
  config.token_drop = file.integer("token_drop", 0, 4096);
  if (config.token_drop >= config.latents_per_clip())
    file.refuse("\"token_drop\" is not less than the " + std::to_string(config.latents_per_clip()) + " latent frames of a clip");
  const auto channels = static_cast<std::size_t>(config.latent_channels);
  config.latents_mean = file.reals("latents_mean", channels, -1e6, 1e6);
  config.latents_std = file.reals("latents_std", channels, 1e-9, 1e6);
  return config;
}

}  // namespace fabula::h3
