// Reads config.json within bounds, and checks its fields against one another.
#include "video/h3/audio_vae/config.h"

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>

#include "base/error.h"

namespace fabula::h3 {
namespace {

using nlohmann::json;

// Far beyond any model, and small enough that no product of two of them overflows or asks for absurd memory.
constexpr std::int64_t most_channels = 1 << 16;
constexpr std::int64_t most_stages = 16;
constexpr std::int64_t longest_hop = 1 << 16;

// Reads fields of one config.json, each within bounds, with the file's and the field's name in every complaint.
class Fields {
 public:
  explicit Fields(const std::filesystem::path& folder) : file_(folder / "config.json") {
    std::ifstream in(file_);
    if (!in) throw Error(ExitCode::input_missing, file_.string() + " cannot be opened");
    root_ = json::parse(in, nullptr, /*allow_exceptions=*/false);
    if (!root_.is_object()) throw Error(ExitCode::bad_data, file_.string() + " is not a JSON object");
  }

  [[noreturn]] void refuse(const std::string& field, const std::string& what) const {
    throw Error(ExitCode::bad_data, file_.string() + ": \"" + field + "\" " + what);
  }

  [[nodiscard]] bool has(const char* name) const { return root_.contains(name) && !root_.at(name).is_null(); }
  [[nodiscard]] const json& at(const char* name) const { return root_.at(name); }

  [[nodiscard]] std::int64_t integer(const json& value, const char* name, std::int64_t low, std::int64_t high) const {
    if (!value.is_number_integer()) refuse(name, "is not an integer");
    const bool above = value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(high);
    const auto number = above ? high + 1 : value.get<std::int64_t>();
    if (number < low || number > high) refuse(name, "is outside " + std::to_string(low) + " to " + std::to_string(high));
    return number;
  }

  template <typename T>
  void read(const char* name, T& into, std::int64_t low, std::int64_t high) const {
    if (has(name)) into = static_cast<T>(integer(at(name), name, low, high));
  }

  [[nodiscard]] std::vector<int> integers(const json& list, const char* name, std::int64_t low, std::int64_t high) const {
    if (!list.is_array() || list.empty() || list.size() > static_cast<std::size_t>(most_stages)) {
      refuse(name, "is not a list of 1 to " + std::to_string(most_stages) + " entries");
    }
    std::vector<int> values;
    for (const json& value : list) values.push_back(static_cast<int>(integer(value, name, low, high)));
    return values;
  }

  void read(const char* name, std::vector<int>& into, std::int64_t low, std::int64_t high) const {
    if (has(name)) into = integers(at(name), name, low, high);
  }

  [[nodiscard]] std::vector<float> floats(const char* name, std::int64_t count, float otherwise) const {
    std::vector<float> values(static_cast<std::size_t>(count), otherwise);
    if (!has(name)) return values;
    const json& list = at(name);
    if (!list.is_array() || list.size() != values.size()) refuse(name, "is not a list of " + std::to_string(count) + " numbers");
    for (std::size_t i = 0; i < values.size(); ++i) {
      if (!list[i].is_number()) refuse(name, "holds something that is not a number");
      values[i] = list[i].get<float>();
      if (!std::isfinite(values[i])) refuse(name, "holds a number that is not finite");
    }
    return values;
  }

 private:
  std::filesystem::path file_;
  json root_;
};

// Product of the rates; the reference multiplies the length by each.
std::int64_t product(const Fields& fields, const char* name, const std::vector<int>& rates) {
  std::int64_t result = 1;
  for (const int rate : rates) {
    result *= rate;
    if (result > longest_hop) fields.refuse(name, "multiply to more than " + std::to_string(longest_hop) + " samples a latent");
  }
  return result;
}

void check_encoder(const Fields& fields, const AudioVaeConfig& c) {
  if ((c.encoder_dim << c.encoder_rates.size()) > most_channels) {
    fields.refuse("encoder_dim", "doubled at every stage exceeds " + std::to_string(most_channels) + " channels");
  }
  if (c.latent_dim % c.latent_channels != 0) fields.refuse("latent_dim", "is not a multiple of latent_channels");
  if (c.latent_dim % c.num_attention_heads != 0) fields.refuse("latent_dim", "is not a multiple of num_attention_heads");
}

void check_decoder(const Fields& fields, const AudioVaeConfig& c) {
  if (product(fields, "decoder_rates", c.decoder_rates) != product(fields, "encoder_rates", c.encoder_rates)) {
    fields.refuse("decoder_rates", "do not upsample by the hop length of encoder_rates");
  }
  if ((c.decoder_dim >> c.decoder_rates.size()) < 1) fields.refuse("decoder_dim", "halved at every stage leaves no channel");
  if (c.decoder_kernel_sizes.size() != c.decoder_rates.size())
    fields.refuse("decoder_kernel_sizes", "has not as many entries as decoder_rates");
  for (std::size_t i = 0; i < c.decoder_rates.size(); ++i) {
    if (c.decoder_kernel_sizes[i] < c.decoder_rates[i]) fields.refuse("decoder_kernel_sizes", "has a kernel shorter than its rate");
  }
  if (c.resblock_dilation_sizes.size() != c.resblock_kernel_sizes.size()) {
    fields.refuse("resblock_dilation_sizes", "has not as many entries as resblock_kernel_sizes");
  }
  for (const int kernel : c.resblock_kernel_sizes) {
    if (kernel % 2 == 0) fields.refuse("resblock_kernel_sizes", "holds an even size, which would change the length");
  }
}

}  // namespace

std::int64_t AudioVaeConfig::hop_length() const {
  std::int64_t hop = 1;
  for (const int rate : encoder_rates) hop *= rate;
  return hop;
}

AudioVaeConfig AudioVaeConfig::read(const std::filesystem::path& folder) {
  const Fields fields(folder);
  AudioVaeConfig c;
  fields.read("encoder_dim", c.encoder_dim, 1, most_channels);
  fields.read("encoder_rates", c.encoder_rates, 1, 256);
  fields.read("latent_dim", c.latent_dim, 1, most_channels);
  fields.read("latent_channels", c.latent_channels, 1, most_channels);
  fields.read("num_attention_heads", c.num_attention_heads, 1, most_channels);
  fields.read("decoder_dim", c.decoder_dim, 1, most_channels);
  fields.read("decoder_rates", c.decoder_rates, 1, 256);
  fields.read("decoder_kernel_sizes", c.decoder_kernel_sizes, 1, 1024);
  fields.read("resblock_kernel_sizes", c.resblock_kernel_sizes, 1, 255);
  if (fields.has("resblock_dilation_sizes")) {
    const char* name = "resblock_dilation_sizes";
    const json& lists = fields.at(name);
    if (!lists.is_array() || lists.size() > static_cast<std::size_t>(most_stages)) fields.refuse(name, "is not a list of lists");
    c.resblock_dilation_sizes.clear();
    for (const json& list : lists) c.resblock_dilation_sizes.push_back(fields.integers(list, name, 1, 1024));
  }
  fields.read("sampling_rate", c.sampling_rate, 1, 768000);
  check_encoder(fields, c);
  check_decoder(fields, c);

  c.latents_mean = fields.floats("latents_mean", c.latent_channels, 0.0F);
  c.latents_std = fields.floats("latents_std", c.latent_channels, 1.0F);
  for (const float deviation : c.latents_std) {
    if (!(deviation > 0.0F)) fields.refuse("latents_std", "holds a number that is not positive");
  }
  return c;
}

}  // namespace fabula::h3
