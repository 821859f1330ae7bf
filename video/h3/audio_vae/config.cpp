// config.json of the audio autoencoder: every field within limits, and fields that must agree.
#include "video/h3/audio_vae/config.h"

#include <string>

#include "base/json_fields.h"

namespace fabula::h3 {
namespace {

// Far beyond any model, and small enough that no product of two of them overflows or asks for absurd memory.
constexpr std::int64_t most_channels = 1 << 16;
constexpr std::size_t most_stages = 16;
constexpr std::int64_t longest_hop = 1 << 16;

// Lists of convolution stages: at least one entry, each in [low, high]. Absent: the published model's.
std::vector<int> stages_or(const JsonFields& fields, const char* key, const std::vector<int>& otherwise, std::int64_t low,
                           std::int64_t high) {
  return fields.has(key) ? fields.integers<int>(key, 1, most_stages, low, high) : otherwise;
}

// One number per latent channel. Absent: `otherwise` for each.
std::vector<float> per_channel(const JsonFields& fields, const char* key, std::int64_t channels, double low, float otherwise) {
  constexpr double largest = 1e9;
  const auto count = static_cast<std::size_t>(channels);
  return fields.has(key) ? fields.reals(key, count, low, largest) : std::vector<float>(count, otherwise);
}

[[noreturn]] void refuse(const JsonFields& fields, const std::string& key, const std::string& what) {
  fields.refuse("\"" + key + "\" " + what);
}

// Product of the rates; the reference multiplies the length by each.
std::int64_t product(const JsonFields& fields, const char* name, const std::vector<int>& rates) {
  std::int64_t result = 1;
  for (const int rate : rates) {
    result *= rate;
    if (result > longest_hop) refuse(fields, name, "multiply to more than " + std::to_string(longest_hop) + " samples a latent");
  }
  return result;
}

void check_encoder(const JsonFields& fields, const AudioVaeConfig& c) {
  if ((c.encoder_dim << c.encoder_rates.size()) > most_channels) {
    refuse(fields, "encoder_dim", "doubled at every stage exceeds " + std::to_string(most_channels) + " channels");
  }
  if (c.latent_dim % c.latent_channels != 0) refuse(fields, "latent_dim", "is not a multiple of latent_channels");
  if (c.latent_dim % c.num_attention_heads != 0) refuse(fields, "latent_dim", "is not a multiple of num_attention_heads");
}

void check_decoder(const JsonFields& fields, const AudioVaeConfig& c) {
  if (product(fields, "decoder_rates", c.decoder_rates) != product(fields, "encoder_rates", c.encoder_rates)) {
    refuse(fields, "decoder_rates", "do not upsample by the hop length of encoder_rates");
  }
  if ((c.decoder_dim >> c.decoder_rates.size()) < 1) refuse(fields, "decoder_dim", "halved at every stage leaves no channel");
  if (c.decoder_kernel_sizes.size() != c.decoder_rates.size())
    refuse(fields, "decoder_kernel_sizes", "has not as many entries as decoder_rates");
  for (std::size_t i = 0; i < c.decoder_rates.size(); ++i) {
    if (c.decoder_kernel_sizes[i] < c.decoder_rates[i]) refuse(fields, "decoder_kernel_sizes", "has a kernel shorter than its rate");
  }
  if (c.resblock_dilation_sizes.size() != c.resblock_kernel_sizes.size()) {
    refuse(fields, "resblock_dilation_sizes", "has not as many entries as resblock_kernel_sizes");
  }
  for (const int kernel : c.resblock_kernel_sizes) {
    if (kernel % 2 == 0) refuse(fields, "resblock_kernel_sizes", "holds an even size, which would change the length");
  }
}

}  // namespace

std::int64_t AudioVaeConfig::hop_length() const {
  std::int64_t hop = 1;
  for (const int rate : encoder_rates) hop *= rate;
  return hop;
}

AudioVaeConfig AudioVaeConfig::read(const std::filesystem::path& folder) {
  const JsonFields fields = JsonFields::open(folder / "config.json");
  AudioVaeConfig c;
  c.encoder_dim = fields.integer_or("encoder_dim", c.encoder_dim, 1, most_channels);
  c.encoder_rates = stages_or(fields, "encoder_rates", c.encoder_rates, 1, 256);
  c.latent_dim = fields.integer_or("latent_dim", c.latent_dim, 1, most_channels);
  c.latent_channels = fields.integer_or("latent_channels", c.latent_channels, 1, most_channels);
  c.num_attention_heads = fields.integer_or("num_attention_heads", c.num_attention_heads, 1, most_channels);
  c.decoder_dim = fields.integer_or("decoder_dim", c.decoder_dim, 1, most_channels);
  c.decoder_rates = stages_or(fields, "decoder_rates", c.decoder_rates, 1, 256);
  c.decoder_kernel_sizes = stages_or(fields, "decoder_kernel_sizes", c.decoder_kernel_sizes, 1, 1024);
  c.resblock_kernel_sizes = stages_or(fields, "resblock_kernel_sizes", c.resblock_kernel_sizes, 1, 255);
  if (fields.has("resblock_dilation_sizes"))
    c.resblock_dilation_sizes = fields.integer_lists<int>("resblock_dilation_sizes", 1, most_stages, 1, 1024);
  c.sampling_rate = fields.integer_or("sampling_rate", c.sampling_rate, 1, 768000);
  check_encoder(fields, c);
  check_decoder(fields, c);

  c.latents_mean = per_channel(fields, "latents_mean", c.latent_channels, -1e9, 0.0F);
  c.latents_std = per_channel(fields, "latents_std", c.latent_channels, 1e-9, 1.0F);
  return c;
}

}  // namespace fabula::h3
