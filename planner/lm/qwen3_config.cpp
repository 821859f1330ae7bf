#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "kernels/error.h"
#include "planner/lm/qwen3.h"

namespace fabula {
namespace {

using nlohmann::json;

class ConfigReader {
 public:
  explicit ConfigReader(const std::filesystem::path& file) : name_(file.string()) {
    std::ifstream in(file, std::ios::binary);
    if (!in) throw Error(ExitCode::input_missing, "cannot read " + name_);
    root_ = json::parse(in, nullptr, /*allow_exceptions=*/false);
    if (!root_.is_object()) refuse("is not a JSON object");
  }

  Qwen3Config read() const {
    Qwen3Config config;
    if (given("model_type") && root_["model_type"] != "qwen3") refuse("the model_type is not qwen3");
    if (given("hidden_act") && root_["hidden_act"] != "silu") refuse("the activation is not silu");
    if (is_true("use_sliding_window")) refuse("sliding windows are not supported");
    config.vocabulary = size("vocab_size", 1 << 24);
    config.hidden = size("hidden_size", 1 << 20);
    config.intermediate = size("intermediate_size", 1 << 20);
    config.layers = size("num_hidden_layers", 1000);
    config.heads = size("num_attention_heads", 1 << 12);
    config.kv_heads = size("num_key_value_heads", 1 << 12);
    config.head_dim = given("head_dim") ? size("head_dim", 1 << 12) : config.hidden / config.heads;
    if (config.heads % config.kv_heads != 0) refuse("num_attention_heads is not a multiple of num_key_value_heads");
    if (config.head_dim % 2 != 0 || config.head_dim == 0) refuse("head_dim is odd");
    config.norm_eps = static_cast<float>(number(root_, "rms_norm_eps", 0.0, 1.0));
    config.rope_theta = rope_theta();
    config.tied_embeddings = is_true("tie_word_embeddings");
    config.attention_bias = is_true("attention_bias");
    return config;
  }

 private:
  [[noreturn]] void refuse(const std::string& what) const { throw Error(ExitCode::bad_data, name_ + ": " + what); }

  bool given(const char* key) const { return root_.contains(key) && !root_[key].is_null(); }
  bool is_true(const char* key) const { return given(key) && root_[key] == true; }

  double number(const json& object, const char* key, double low, double high) const {
    const auto found = object.find(key);
    const double value = found != object.end() && found->is_number() ? found->get<double>() : std::nan("");
    if (!(value >= low && value <= high)) refuse(std::string("\"") + key + "\" is missing or out of range");
    return value;
  }

  std::int64_t size(const char* key, std::int64_t largest) const {
    if (!root_.contains(key) || !root_[key].is_number_integer()) refuse(std::string("\"") + key + "\" is missing or no integer");
    return static_cast<std::int64_t>(number(root_, key, 1.0, static_cast<double>(largest)));
  }

  // transformers 5 writes rope_parameters; earlier versions rope_theta beside an optional rope_scaling.
  double rope_theta() const {
    for (const char* key : {"rope_parameters", "rope_scaling"}) {
      if (!given(key)) continue;
      const json& rope = root_[key];
      if (!rope.is_object()) refuse(std::string("\"") + key + "\" is not an object");
      if (rope.contains("rope_type") && rope["rope_type"] != "default") refuse("only the default rope_type is supported");
      if (rope.contains("rope_theta")) return number(rope, "rope_theta", 1.0, 1e12);
    }
    return number(root_, "rope_theta", 1.0, 1e12);
  }

  std::string name_;
  json root_;
};

}  // namespace

Qwen3Config Qwen3Config::open(const std::filesystem::path& file) { return ConfigReader(file).read(); }

}  // namespace fabula
