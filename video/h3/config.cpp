// Reads the config.json files within bounds, so that nothing later has to doubt them.
#include "video/h3/config.h"

#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>
#include <string>

#include "base/error.h"

namespace fabula::h3 {
namespace {

using nlohmann::json;

// One config.json whose fields are read within stated limits, so that nothing later has to doubt them.
class ConfigFile {
 public:
  explicit ConfigFile(const std::filesystem::path& folder) : path_(folder / "config.json") {
    std::ifstream in(path_);
    if (!in) throw Error(ExitCode::input_missing, path_.string() + " cannot be read");
    root_ = json::parse(in, nullptr, /*allow_exceptions=*/false);
    if (!root_.is_object()) throw Error(ExitCode::bad_data, path_.string() + " is not a JSON object");
  }

  [[noreturn]] void refuse(const std::string& sentence) const { throw Error(ExitCode::bad_data, path_.string() + ": " + sentence); }

  std::int64_t integer(const char* name, std::int64_t low, std::int64_t high) const { return integer(at(name), name, low, high); }

  double real(const char* name, double low, double high) const { return real(at(name), name, low, high); }

  std::vector<std::int64_t> integers(const char* name, std::size_t least, std::size_t most, std::int64_t low, std::int64_t high) const {
    std::vector<std::int64_t> values;
    for (const json& value : list(name, least, most)) values.push_back(integer(value, name, low, high));
    return values;
  }

  std::vector<float> reals(const char* name, std::size_t count, double low, double high) const {
    std::vector<float> values;
    for (const json& value : list(name, count, count)) values.push_back(static_cast<float>(real(value, name, low, high)));
    return values;
  }

  std::string text(const char* name) const {
    if (!at(name).is_string()) refuse(std::string("\"") + name + "\" is not a string");
    return at(name).get<std::string>();
  }

 private:
  const json& at(const char* name) const {
    const auto found = root_.find(name);
    if (found == root_.end()) refuse(std::string("the field \"") + name + "\" is missing");
    return *found;
  }

  std::int64_t integer(const json& value, const char* name, std::int64_t low, std::int64_t high) const {
    const bool fits = value.is_number_integer() && (!value.is_number_unsigned() || value.get<std::uint64_t>() <= INT64_MAX);
    if (!fits || value.get<std::int64_t>() < low || value.get<std::int64_t>() > high) {
      refuse(std::string("\"") + name + "\" holds " + shown(value) + ", expected an integer from " + std::to_string(low) + " to " +
             std::to_string(high));
    }
    return value.get<std::int64_t>();
  }

  double real(const json& value, const char* name, double low, double high) const {
    if (!value.is_number() || !(value.get<double>() >= low && value.get<double>() <= high)) {
      refuse(std::string("\"") + name + "\" holds " + shown(value) + ", expected a number from " + std::to_string(low) + " to " +
             std::to_string(high));
    }
    return value.get<double>();
  }

  const json& list(const char* name, std::size_t least, std::size_t most) const {
    const json& value = at(name);
    if (!value.is_array() || value.size() < least || value.size() > most) {
      refuse(std::string("\"") + name + "\" is not a list of " + std::to_string(least) +
             (least == most ? "" : " to " + std::to_string(most)) + " values");
    }
    return value;
  }

  static std::string shown(const json& value) {
    const std::string text = value.dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace);
    return text.size() <= 40 ? text : text.substr(0, 40) + "…";
  }

  std::filesystem::path path_;
  json root_;
};

constexpr std::int64_t max_width = 1 << 17;  // of any row: eight times what the published checkpoint has
constexpr std::int64_t max_layers = 1000;

std::int64_t product(const std::vector<std::int64_t>& factors) {
  return std::accumulate(factors.begin(), factors.end(), std::int64_t{1}, std::multiplies<>());
}

Pad padding_mode(const ConfigFile& file) {
  const std::string mode = file.text("spatial_padding_mode");
  if (mode == "reflect") return Pad::reflect;
  if (mode == "replicate") return Pad::replicate;
  if (mode == "constant") return Pad::zero;
  file.refuse("\"spatial_padding_mode\" is \"" + mode + "\", expected reflect, replicate or constant");
}

void read_encoder(const ConfigFile& file, VaeConfig& config) {
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

void read_decoder(const ConfigFile& file, VaeConfig& config) {
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
    file.refuse("\"decoder_rope_dim_ratio\" leaves " + std::to_string(rotary) + " rotary channels a head, expected a multiple of 6");
  if (config.decoder_dim() > max_width) file.refuse("the decoder's width is " + std::to_string(config.decoder_dim()));
}

}  // namespace

DitConfig DitConfig::load(const std::filesystem::path& folder) {
  const ConfigFile file(folder);
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
    file.refuse("\"rope_freq_dim\" asks for " + std::to_string(config.rotary_dim()) + " rotary channels of " +
                std::to_string(config.attention_head_dim) + " a head");
  }
  return config;
}

std::int64_t VaeConfig::spatial_ratio() const { return product(spatial_downsample_factors); }
std::int64_t VaeConfig::temporal_ratio() const { return product(temporal_downsample_factors); }

VaeConfig VaeConfig::load(const std::filesystem::path& folder) {
  const ConfigFile file(folder);
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
