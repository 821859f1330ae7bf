// Reads config.json of Qwen3, Qwen2 and Llama, as transformers 5 and published checkpoints write it.
#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/json_fields.h"
#include "planner/lm/qwen3_vl.h"

namespace fabula {
namespace {

std::int64_t size(const JsonFields& fields, const char* key, std::int64_t largest) { return fields.integer(key, 1, largest); }

// Refuses any text but this one, the only one that the decoder supports; an absent key is fine.
void expect(const JsonFields& fields, const char* key, const char* text) {
  if (fields.has(key)) (void)fields.choice(key, {text});
}

// Up to 1000 integers in [0, below); empty if the key is absent.
std::vector<std::int64_t> indices(const JsonFields& fields, const char* key, std::int64_t below) {
  constexpr std::size_t most = 1000;
  return fields.has(key) ? fields.integers(key, 0, most, 0, below - 1) : std::vector<std::int64_t>();
}

constexpr double smallest_theta = 1.0, largest_theta = 1e12;

// _compute_llama3_parameters (transformers, modeling_rope_utils.py): low frequencies are divided by `factor`, high ones are kept, and those
// between are interpolated.
std::vector<float> llama3_divisors(const JsonFields& rope, const Qwen3Config& config) {
  const auto real = [&](const char* key) { return rope.real(key, 1e-3, 1e6); };
  const double factor = real("factor"), low = real("low_freq_factor"), high = real("high_freq_factor");
  const auto trained = static_cast<double>(size(rope, "original_max_position_embeddings", 1 << 28));
  if (high <= low) rope.refuse("\"high_freq_factor\" is not above \"low_freq_factor\"");
  std::vector<float> divisors;
  for (std::int64_t i = 0; i < config.head_dim / 2; ++i) {
    const double wavelength =
        2.0 * std::numbers::pi * std::pow(config.rope_theta, 2.0 * static_cast<double>(i) / static_cast<double>(config.head_dim));
    const double kept = std::clamp((trained / wavelength - low) / (high - low), 0.0, 1.0);
    divisors.push_back(static_cast<float>(1.0 / ((1.0 - kept) / factor + kept)));
  }
  return divisors;
}

// transformers 5 writes rope_parameters; earlier versions write rope_theta and an optional rope_scaling.
void read_rope(const JsonFields& fields, bool multimodal, Qwen3Config& config) {
  config.rope_theta = fields.has("rope_theta") ? fields.real("rope_theta", smallest_theta, largest_theta) : 0.0;
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    if (!fields.has(key)) continue;
    const JsonFields rope = fields.object(key);
    std::string type = "default";
    for (const char* key_of_type : {"type", "rope_type"}) {
      if (rope.has(key_of_type)) type = rope.choice(key_of_type, {"default", "llama3"});
    }
    if (rope.has("rope_theta")) config.rope_theta = rope.real("rope_theta", smallest_theta, largest_theta);
    if (type == "llama3" && config.rope_theta > 0.0) config.rope_divisors = llama3_divisors(rope, config);
    if (!multimodal) continue;
    if (!rope.flag_or("mrope_interleaved", true)) rope.refuse("\"mrope_interleaved\" holds false, expected true");
    const auto section = indices(rope, "mrope_section", config.head_dim);
    if (section.size() == 3) std::copy(section.begin(), section.end(), config.mrope_section.begin());
  }
  if (config.rope_theta == 0.0) config.rope_theta = fields.real("rope_theta", smallest_theta, largest_theta);
  const auto& section = config.mrope_section;
  if (multimodal && section[0] + section[1] + section[2] != config.head_dim / 2) {
    fields.refuse("\"mrope_section\" is missing or not three numbers that add up to half of head_dim");
  }
}

// Which layers are sparse, as in Qwen3MoeDecoderLayer.
void read_experts(const JsonFields& fields, Qwen3Config& config) {
  // transformers 5 writes num_local_experts, the published files have num_experts.
  config.experts.count = size(fields, fields.has("num_local_experts") ? "num_local_experts" : "num_experts", 1 << 12);
  config.experts.per_token = size(fields, "num_experts_per_tok", config.experts.count);
  config.experts.intermediate = size(fields, "moe_intermediate_size", 1 << 20);
  config.experts.normalised = fields.flag_or("norm_topk_prob", false);
  const std::int64_t step = fields.has("decoder_sparse_step") ? size(fields, "decoder_sparse_step", 1000) : 1;
  for (std::int64_t i = 0; i < config.layers; ++i) config.sparse[static_cast<std::size_t>(i)] = (i + 1) % step == 0;
  for (const std::int64_t layer : indices(fields, "mlp_only_layers", config.layers)) config.sparse[static_cast<std::size_t>(layer)] = false;
}

Qwen3Config read_decoder(const JsonFields& fields) {
  Qwen3Config config;
  expect(fields, "hidden_act", "silu");
  if (fields.flag_or("use_sliding_window", false)) fields.refuse("sliding windows are not supported");
  config.vocabulary = size(fields, "vocab_size", 1 << 24);
  config.hidden = size(fields, "hidden_size", 1 << 20);
  config.intermediate = size(fields, "intermediate_size", 1 << 20);
  config.layers = size(fields, "num_hidden_layers", 1000);
  config.heads = size(fields, "num_attention_heads", 1 << 12);
  config.kv_heads = size(fields, "num_key_value_heads", 1 << 12);
  config.head_dim = fields.has("head_dim") ? size(fields, "head_dim", 1 << 12) : config.hidden / config.heads;
  if (config.heads % config.kv_heads != 0) fields.refuse("num_attention_heads is not a multiple of num_key_value_heads");
  if (config.head_dim % 2 != 0 || config.head_dim == 0) fields.refuse("head_dim is odd");
  config.norm_eps = static_cast<float>(fields.real("rms_norm_eps", 0.0, 1.0));
  if (fields.has("max_position_embeddings")) config.context = size(fields, "max_position_embeddings", 1 << 28);
  config.tied_embeddings = fields.flag_or("tie_word_embeddings", false);
  config.attention_bias = config.output_bias = fields.flag_or("attention_bias", false);
  config.sparse.assign(static_cast<std::size_t>(config.layers), false);
  return config;
}

// Qwen2 has biases before attention and none behind it, whatever its file says; Llama has those that its file says.
void read_without_norms(const JsonFields& fields, bool is_qwen2, Qwen3Config& config) {
  config.qk_norm = false;
  if (is_qwen2) config.attention_bias = true, config.output_bias = false;
  if (fields.flag_or("mlp_bias", false)) fields.refuse("biases of the feed-forward (\"mlp_bias\") are not supported");
}

// The language model inside a Qwen3-VL.
Qwen3Config read_text(const JsonFields& root) {
  const JsonFields fields = root.object("text_config");
  expect(fields, "model_type", "qwen3_vl_text");
  Qwen3Config config = read_decoder(fields);
  read_rope(fields, /*multimodal=*/true, config);
  if (root.has("tie_word_embeddings")) config.tied_embeddings = root.flag_or("tie_word_embeddings", false);
  config.model_type = "qwen3_vl";
  config.prefix = "model.language_model.";
  return config;
}

VisionConfig read_vision(const JsonFields& fields) {
  VisionConfig config;
  expect(fields, "hidden_act", "gelu_pytorch_tanh");
  config.depth = size(fields, "depth", 1000);
  config.hidden = size(fields, "hidden_size", 1 << 20);
  config.intermediate = size(fields, "intermediate_size", 1 << 20);
  config.heads = size(fields, "num_heads", 1 << 12);
  config.channels = size(fields, "in_channels", 16);
  config.patch = size(fields, "patch_size", 1 << 10);
  config.temporal_patch = size(fields, "temporal_patch_size", 64);
  config.merge = size(fields, "spatial_merge_size", 64);
  config.out_hidden = size(fields, "out_hidden_size", 1 << 20);
  config.deepstack = indices(fields, "deepstack_visual_indexes", config.depth);
  if (config.hidden % (4 * config.heads) != 0) fields.refuse("hidden_size is not a multiple of four times num_heads");
  if (std::adjacent_find(config.deepstack.begin(), config.deepstack.end(), std::greater_equal<>()) != config.deepstack.end()) {
    fields.refuse("deepstack_visual_indexes do not ascend");
  }
  const std::int64_t positions = size(fields, "num_position_embeddings", 1 << 24);
  config.position_side = static_cast<std::int64_t>(std::lround(std::sqrt(static_cast<double>(positions))));
  if (config.position_side * config.position_side != positions) fields.refuse("num_position_embeddings is not a square");
  if (fields.has("rope_parameters")) {
    const JsonFields rope = fields.object("rope_parameters");
    expect(rope, "rope_type", "axial");
    if (rope.has("rope_theta")) config.rope_theta = rope.real("rope_theta", smallest_theta, largest_theta);
  }
  return config;
}

}  // namespace

Qwen3Config Qwen3Config::open(const std::filesystem::path& file) {
  const JsonFields root = JsonFields::open(file);
  const std::string type =
      root.has("model_type") ? root.choice("model_type", {"qwen3", "qwen3_moe", "qwen3_vl", "qwen2", "llama"}) : "qwen3";
  if (type == "qwen3_vl") return read_text(root);
  Qwen3Config config = read_decoder(root);
  config.model_type = type;
  read_rope(root, /*multimodal=*/false, config);
  if (type == "qwen3_moe") read_experts(root, config);
  if (type == "qwen2" || type == "llama") read_without_norms(root, type == "qwen2", config);
  return config;
}

Qwen3VlConfig Qwen3VlConfig::open(const std::filesystem::path& file) {
  const JsonFields root = JsonFields::open(file);
  (void)root.choice("model_type", {"qwen3_vl"});
  Qwen3VlConfig config;
  config.text = read_text(root);
  config.vision = read_vision(root.object("vision_config"));
  if (config.vision.out_hidden != config.text.hidden) root.refuse("the vision tower's out_hidden_size is not the decoder's hidden_size");
  if (static_cast<std::int64_t>(config.vision.deepstack.size()) > config.text.layers)
    root.refuse("deepstack_visual_indexes are more than the decoder has layers");
  config.image_token = static_cast<std::int32_t>(size(root, "image_token_id", config.text.vocabulary - 1));
  config.video_token = static_cast<std::int32_t>(size(root, "video_token_id", config.text.vocabulary - 1));
  return config;
}

}  // namespace fabula
