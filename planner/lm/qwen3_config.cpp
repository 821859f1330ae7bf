// Reads config.json of the Qwen3 family, as transformers 5 and published checkpoints write it.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.h"
#include "planner/lm/qwen3_vl.h"

namespace fabula {
namespace {

using nlohmann::json;

// One object of the file; `name` names it in messages.
class Fields {
 public:
  Fields(std::string name, const json& object) : name_(std::move(name)), object_(object) {
    if (!object_.is_object()) refuse("is not a JSON object");
  }

  [[noreturn]] void refuse(const std::string& what) const { throw Error(ExitCode::bad_data, name_ + ": " + what); }

  bool given(const char* key) const { return object_.contains(key) && !object_[key].is_null(); }
  bool is_true(const char* key) const { return given(key) && object_[key] == true; }
  /// Whether the key is absent or has this text.
  bool may_be(const char* key, const char* text) const { return !given(key) || object_[key] == text; }
  std::string text(const char* key) const { return given(key) && object_[key].is_string() ? object_[key].get<std::string>() : ""; }

  Fields object(const char* key) const {
    if (!given(key) || !object_[key].is_object()) refuse(std::string("\"") + key + "\" is missing or no object");
    return {name_ + ": " + key, object_[key]};
  }

  double number(const char* key, double low, double high) const {
    const double value = given(key) && object_[key].is_number() ? object_[key].get<double>() : std::nan("");
    if (!(value >= low && value <= high)) refuse(std::string("\"") + key + "\" is missing or out of range");
    return value;
  }

  std::int64_t size(const char* key, std::int64_t largest) const {
    if (!given(key) || !object_[key].is_number_integer()) refuse(std::string("\"") + key + "\" is missing or no integer");
    return static_cast<std::int64_t>(number(key, 1.0, static_cast<double>(largest)));
  }

  /// Integers in [0, below); empty if the key is absent.
  std::vector<std::int64_t> list(const char* key, std::int64_t below) const {
    std::vector<std::int64_t> values;
    if (!given(key)) return values;
    const json& stored = object_[key];
    const auto fits = [&](const json& value) { return value.is_number_integer() && value >= 0 && value < below; };
    if (!stored.is_array() || stored.size() > 1000 || !std::all_of(stored.begin(), stored.end(), fits)) {
      refuse(std::string("\"") + key + "\" is not a list of whole numbers below " + std::to_string(below));
    }
    for (const json& value : stored) values.push_back(value.get<std::int64_t>());
    return values;
  }

 private:
  std::string name_;
  const json& object_;
};

json parsed(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) throw Error(ExitCode::input_missing, "cannot read " + file.string());
  return json::parse(in, nullptr, /*allow_exceptions=*/false);
}

// transformers 5 writes rope_parameters; earlier versions write rope_theta and an optional rope_scaling.
void read_rope(const Fields& fields, bool multimodal, Qwen3Config& config) {
  config.rope_theta = 0.0;
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    if (!fields.given(key)) continue;
    const Fields rope = fields.object(key);
    if (!rope.may_be("rope_type", "default") || !rope.may_be("type", "default")) rope.refuse("only the default rope_type is supported");
    if (rope.given("rope_theta")) config.rope_theta = rope.number("rope_theta", 1.0, 1e12);
    if (!multimodal) continue;
    if (rope.given("mrope_interleaved") && !rope.is_true("mrope_interleaved")) rope.refuse("only an interleaved M-RoPE is supported");
    const auto section = rope.list("mrope_section", config.head_dim);
    if (section.size() == 3) std::copy(section.begin(), section.end(), config.mrope_section.begin());
  }
  if (config.rope_theta == 0.0) config.rope_theta = fields.number("rope_theta", 1.0, 1e12);
  const auto& section = config.mrope_section;
  if (multimodal && section[0] + section[1] + section[2] != config.head_dim / 2) {
    fields.refuse("\"mrope_section\" is missing or not three numbers that add up to half of head_dim");
  }
}

// Which layers are sparse, as in Qwen3MoeDecoderLayer.
void read_experts(const Fields& fields, Qwen3Config& config) {
  // transformers 5 writes num_local_experts, the published files have num_experts.
  config.experts.count = fields.size(fields.given("num_local_experts") ? "num_local_experts" : "num_experts", 1 << 12);
  config.experts.per_token = fields.size("num_experts_per_tok", config.experts.count);
  config.experts.intermediate = fields.size("moe_intermediate_size", 1 << 20);
  config.experts.normalised = fields.is_true("norm_topk_prob");
  const std::int64_t step = fields.given("decoder_sparse_step") ? fields.size("decoder_sparse_step", 1000) : 1;
  for (std::int64_t i = 0; i < config.layers; ++i) config.sparse[static_cast<std::size_t>(i)] = (i + 1) % step == 0;
  for (const std::int64_t layer : fields.list("mlp_only_layers", config.layers)) config.sparse[static_cast<std::size_t>(layer)] = false;
}

Qwen3Config read_decoder(const Fields& fields) {
  Qwen3Config config;
  if (!fields.may_be("hidden_act", "silu")) fields.refuse("the activation is not silu");
  if (fields.is_true("use_sliding_window")) fields.refuse("sliding windows are not supported");
  config.vocabulary = fields.size("vocab_size", 1 << 24);
  config.hidden = fields.size("hidden_size", 1 << 20);
  config.intermediate = fields.size("intermediate_size", 1 << 20);
  config.layers = fields.size("num_hidden_layers", 1000);
  config.heads = fields.size("num_attention_heads", 1 << 12);
  config.kv_heads = fields.size("num_key_value_heads", 1 << 12);
  config.head_dim = fields.given("head_dim") ? fields.size("head_dim", 1 << 12) : config.hidden / config.heads;
  if (config.heads % config.kv_heads != 0) fields.refuse("num_attention_heads is not a multiple of num_key_value_heads");
  if (config.head_dim % 2 != 0 || config.head_dim == 0) fields.refuse("head_dim is odd");
  config.norm_eps = static_cast<float>(fields.number("rms_norm_eps", 0.0, 1.0));
  if (fields.given("max_position_embeddings")) config.context = fields.size("max_position_embeddings", 1 << 28);
  config.tied_embeddings = fields.is_true("tie_word_embeddings");
  config.attention_bias = fields.is_true("attention_bias");
  config.sparse.assign(static_cast<std::size_t>(config.layers), false);
  return config;
}

// The language model inside a Qwen3-VL.
Qwen3Config read_text(const Fields& root) {
  const Fields fields = root.object("text_config");
  if (!fields.may_be("model_type", "qwen3_vl_text")) fields.refuse("the model_type is not qwen3_vl_text");
  Qwen3Config config = read_decoder(fields);
  read_rope(fields, /*multimodal=*/true, config);
  if (root.given("tie_word_embeddings")) config.tied_embeddings = root.is_true("tie_word_embeddings");
  config.prefix = "model.language_model.";
  return config;
}

VisionConfig read_vision(const Fields& fields) {
  VisionConfig config;
  if (!fields.may_be("hidden_act", "gelu_pytorch_tanh")) fields.refuse("the activation is not gelu_pytorch_tanh");
  config.depth = fields.size("depth", 1000);
  config.hidden = fields.size("hidden_size", 1 << 20);
  config.intermediate = fields.size("intermediate_size", 1 << 20);
  config.heads = fields.size("num_heads", 1 << 12);
  config.channels = fields.size("in_channels", 16);
  config.patch = fields.size("patch_size", 1 << 10);
  config.temporal_patch = fields.size("temporal_patch_size", 64);
  config.merge = fields.size("spatial_merge_size", 64);
  config.out_hidden = fields.size("out_hidden_size", 1 << 20);
  config.deepstack = fields.list("deepstack_visual_indexes", config.depth);
  if (config.hidden % (4 * config.heads) != 0) fields.refuse("hidden_size is not a multiple of four times num_heads");
  if (std::adjacent_find(config.deepstack.begin(), config.deepstack.end(), std::greater_equal<>()) != config.deepstack.end()) {
    fields.refuse("deepstack_visual_indexes do not ascend");
  }
  const std::int64_t positions = fields.size("num_position_embeddings", 1 << 24);
  config.position_side = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(positions))));
  if (config.position_side * config.position_side != positions) fields.refuse("num_position_embeddings is not a square");
  if (fields.given("rope_parameters")) {
    const Fields rope = fields.object("rope_parameters");
    if (!rope.may_be("rope_type", "axial")) rope.refuse("only the axial rope_type is supported");
    if (rope.given("rope_theta")) config.rope_theta = rope.number("rope_theta", 1.0, 1e12);
  }
  return config;
}

}  // namespace

Qwen3Config Qwen3Config::open(const std::filesystem::path& file) {
  const json stored = parsed(file);
  const Fields root(file.string(), stored);
  const std::string type = root.given("model_type") ? root.text("model_type") : "qwen3";
  if (type == "qwen3_vl") return read_text(root);
  if (type != "qwen3" && type != "qwen3_moe") root.refuse("the model_type is none of qwen3, qwen3_moe, qwen3_vl");
  Qwen3Config config = read_decoder(root);
  read_rope(root, /*multimodal=*/false, config);
  if (type == "qwen3_moe") read_experts(root, config);
  return config;
}

Qwen3VlConfig Qwen3VlConfig::open(const std::filesystem::path& file) {
  const json stored = parsed(file);
  const Fields root(file.string(), stored);
  if (root.text("model_type") != "qwen3_vl") root.refuse("the model_type is not qwen3_vl");
  Qwen3VlConfig config;
  config.text = read_text(root);
  config.vision = read_vision(root.object("vision_config"));
  if (config.vision.out_hidden != config.text.hidden) root.refuse("the vision tower's out_hidden_size is not the decoder's hidden_size");
  if (static_cast<std::int64_t>(config.vision.deepstack.size()) > config.text.layers)
    root.refuse("deepstack_visual_indexes are more than the decoder has layers");
  config.image_token = static_cast<std::int32_t>(root.size("image_token_id", config.text.vocabulary - 1));
  config.video_token = static_cast<std::int32_t>(root.size("video_token_id", config.text.vocabulary - 1));
  return config;
}

}  // namespace fabula
