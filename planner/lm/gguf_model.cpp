// Keys and names of GGUF files (llama.cpp, gguf-py/gguf/constants.py) beside those of transformers.
#include "planner/lm/gguf_model.h"

#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <tuple>

#include "planner/text/unicode.h"

namespace fabula {
namespace {

using nlohmann::json;

constexpr std::int64_t largest_width = 1 << 20;

struct NamePair {
  const char *gguf, *ours;
};
constexpr NamePair top_names[] = {{"token_embd", "embed_tokens"}, {"output_norm", "norm"}};
constexpr NamePair layer_names[] = {{"attn_norm", "input_layernorm"},    {"attn_q", "self_attn.q_proj"},
                                    {"attn_k", "self_attn.k_proj"},      {"attn_v", "self_attn.v_proj"},
                                    {"attn_output", "self_attn.o_proj"}, {"attn_q_norm", "self_attn.q_norm"},
                                    {"attn_k_norm", "self_attn.k_norm"}, {"ffn_norm", "post_attention_layernorm"},
                                    {"ffn_gate", "mlp.gate_proj"},       {"ffn_up", "mlp.up_proj"},
                                    {"ffn_down", "mlp.down_proj"}};
constexpr const char* rope_divisors = "rope_freqs.weight";

// "blk.3.attn_q.weight" -> "model.layers.3.self_attn.q_proj.weight"; empty for an unknown name.
std::string our_name(const std::string& name) {
  const std::size_t end = name.rfind('.');
  if (end == std::string::npos) return "";
  const std::string stem = name.substr(0, end), kind = name.substr(end);
  if (stem == "output") return "lm_head" + kind;
  for (const NamePair& pair : top_names) {
    if (stem == pair.gguf) return "model." + std::string(pair.ours) + kind;
  }
  const std::size_t dot = stem.find('.', 4);
  if (!stem.starts_with("blk.") || dot == std::string::npos) return "";
  for (const NamePair& pair : layer_names) {
    if (stem.substr(dot + 1) == pair.gguf) return "model.layers." + stem.substr(4, dot - 4) + "." + pair.ours + kind;
  }
  return "";
}

std::vector<float> floats_of(const StoredWeight& weight) {
  std::vector<float> values(static_cast<std::size_t>(weight.tensor.elements()));
  std::memcpy(values.data(), weight.tensor.data, weight.tensor.bytes());
  return values;
}

void read_rope(const Gguf& file, const std::string& architecture, Qwen3Config& config) {
  const std::string dimensions = architecture + ".rope.dimension_count", scaling = architecture + ".rope.scaling.type";
  if (file.has(dimensions) && file.integer(dimensions, 1, largest_width) != config.head_dim)
    file.refuse("rope turns only a part of each head, which is not supported");
  if (file.has(scaling) && file.text(scaling) != "none") file.refuse("rope scaled as \"" + file.text(scaling) + "\" is not supported");
  config.rope_theta = file.has(architecture + ".rope.freq_base") ? file.real(architecture + ".rope.freq_base", 1.0, 1e12) : 10000.0;
  const auto found = file.model().weights.find(rope_divisors);
  if (found == file.model().weights.end()) return;
  const Tensor& tensor = found->second.tensor;
  if (tensor.dtype != DType::f32 || tensor.shape != Shape{config.head_dim / 2})
    file.refuse(std::string("\"") + rope_divisors + "\" is not one float32 for each of a head's pairs of channels");
  config.rope_divisors = floats_of(found->second);
  if (std::any_of(config.rope_divisors.begin(), config.rope_divisors.end(), [](float divisor) { return !(divisor > 0.0F); }))
    file.refuse(std::string("\"") + rope_divisors + "\" holds a number that is not above zero");
}

// What tokenizer.json has for the pre-tokenizers of GGUF files.
struct Words {
  SplitPattern pattern;
  bool composes, whole_words;  // NFC; ignore_merges
};
Words words_of(const Gguf& file) {
  const std::string kind = file.text("tokenizer.ggml.model");
  if (kind != "gpt2") file.refuse("its tokenizer is of the kind \"" + kind + "\"; \"gpt2\" (byte-level BPE) and \"llama\" are supported");
  const std::string pre = file.has("tokenizer.ggml.pre") ? file.text("tokenizer.ggml.pre") : "default";
  if (pre == "qwen2") return {SplitPattern::qwen, true, false};
  if (pre == "llama-bpe") return {SplitPattern::llama3, false, true};
  if (pre == "smollm") return {SplitPattern::gpt2_digits, false, false};
  file.refuse("its tokenizer cuts words as \"" + pre + "\"; \"qwen2\", \"llama-bpe\" and \"smollm\" are supported");
}

json split_step(SplitPattern pattern) {
  if (pattern == SplitPattern::gpt2_digits) return {{"type", "Digits"}, {"individual_digits", true}};
  const std::string_view regex = pattern == SplitPattern::llama3 ? llama3_split_pattern : qwen_split_pattern;
  return {{"type", "Split"}, {"pattern", {{"Regex", std::string(regex)}}}, {"behavior", "Isolated"}, {"invert", false}};
}

// llama.cpp, llama_token_type
enum TokenType : std::int64_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };

// The vocabulary and the added tokens as tokenizer.json has them.
struct Vocabulary {
  json tokens = json::object(), added = json::array();
};
Vocabulary vocabulary_of(const Gguf& file, bool has_bytes) {
  const auto& tokens = file.texts("tokenizer.ggml.tokens");
  const auto& types = file.integers("tokenizer.ggml.token_type");
  if (types.size() != tokens.size())
    file.refuse("it has " + std::to_string(tokens.size()) + " tokens and " + std::to_string(types.size()) + " types of tokens");
  Vocabulary all;
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (types[id] == normal || (has_bytes && types[id] == byte))
      all.tokens[tokens[id]] = id;
    else if (types[id] == control || types[id] == user_defined || types[id] == unknown)
      all.added.push_back({{"id", id}, {"content", tokens[id]}, {"special", types[id] != user_defined}, {"normalized", false}});
    else if (types[id] != unused)
      file.refuse("the token \"" + tokens[id] + "\" is of a type that this kind of tokenizer does not have");
  }
  return all;
}

// The merges of a SentencePiece model, which has scores instead: all splits of each token, the best token first. Reference: generate_merges
// of transformers.
json merges_of(const Gguf& file, const json& vocabulary) {
  const std::vector<double>& scores = file.reals("tokenizer.ggml.scores");
  struct Split {
    double score;
    std::size_t left, right;
    json names;
  };
  std::vector<Split> splits;
  for (const auto& [token, id] : vocabulary.items()) {
    if (id.get<std::size_t>() >= scores.size()) file.refuse("it has fewer scores than tokens");
    std::vector<Split> own;
    for (std::size_t at = character_at(token, 0).bytes; at < token.size(); at += character_at(token, at).bytes) {
      const std::string left = token.substr(0, at), right = token.substr(at);
      if (vocabulary.contains(left) && vocabulary.contains(right))
        own.push_back({scores[id.get<std::size_t>()], vocabulary[left], vocabulary[right], json::array({left, right})});
    }
    splits.insert(splits.end(), own.begin(), own.end());
  }
  std::sort(splits.begin(), splits.end(),
            [](const Split& a, const Split& b) { return std::tuple(-a.score, a.left, a.right) < std::tuple(-b.score, b.left, b.right); });
  json merges = json::array();
  for (const Split& split : splits) merges.push_back(split.names);
  return merges;
}

// A tokenizer of characters.
json sentencepiece_of(const Gguf& file) {
  Vocabulary all = vocabulary_of(file, true);
  json merges = merges_of(file, all.tokens);
  const std::string mark = "\xE2\x96\x81";
  const json spaces = {{"type", "Replace"}, {"pattern", {{"String", " "}}}, {"content", mark}},
             prefix = {{"type", "Prepend"}, {"prepend", mark}};
  const bool has_prefix = !file.has("tokenizer.ggml.add_space_prefix") || file.flag("tokenizer.ggml.add_space_prefix");
  return {{"normalizer", has_prefix ? json{{"type", "Sequence"}, {"normalizers", {prefix, spaces}}} : spaces},
          {"pre_tokenizer", nullptr},
          {"added_tokens", std::move(all.added)},
          {"model", {{"type", "BPE"}, {"vocab", std::move(all.tokens)}, {"merges", std::move(merges)}, {"byte_fallback", true}}}};
}

json byte_level_of(const Gguf& file) {
  const Words words = words_of(file);
  Vocabulary all = vocabulary_of(file, false);
  json model = {{"type", "BPE"},
                {"vocab", std::move(all.tokens)},
                {"merges", file.texts("tokenizer.ggml.merges")},
                {"ignore_merges", words.whole_words}};
  const json byte_level = {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", words.pattern == SplitPattern::gpt2_digits}};
  return {{"normalizer", words.composes ? json{{"type", "NFC"}} : json()},
          {"pre_tokenizer", {{"type", "Sequence"}, {"pretokenizers", {split_step(words.pattern), byte_level}}}},
          {"added_tokens", std::move(all.added)},
          {"model", std::move(model)}};
}

}  // namespace

Qwen3Config config_of(const Gguf& file) {
  const std::string architecture = file.text("general.architecture");
  if (architecture != "llama" && architecture != "qwen2" && architecture != "qwen3")
    file.refuse("its architecture is \"" + architecture + "\"; llama, qwen2 and qwen3 are supported");
  const auto size = [&](const char* key, std::int64_t largest = largest_width) { return file.integer(architecture + key, 1, largest); };
  const auto& tensors = file.model().weights;
  if (file.has(architecture + ".expert_count") && file.integer(architecture + ".expert_count", 0, 4096) > 0)
    file.refuse("experts in a GGUF file are not supported");
  const auto embedding = tensors.find("token_embd.weight");
  if (embedding == tensors.end()) file.refuse("the tensor \"token_embd.weight\" is missing");
  Qwen3Config config;
  config.model_type = architecture;
  config.vocabulary = embedding->second.tensor.shape[0];
  config.hidden = size(".embedding_length");
  config.intermediate = size(".feed_forward_length");
  config.layers = size(".block_count", 1000);
  config.heads = size(".attention.head_count", 1 << 12);
  config.kv_heads = file.has(architecture + ".attention.head_count_kv") ? size(".attention.head_count_kv", config.heads) : config.heads;
  config.head_dim =
      file.has(architecture + ".attention.key_length") ? size(".attention.key_length", 1 << 12) : config.hidden / config.heads;
  if (config.heads % config.kv_heads != 0 || config.head_dim == 0 || config.head_dim % 2 != 0)
    file.refuse("its numbers of heads and their width do not go together");
  config.norm_eps = static_cast<float>(file.real(architecture + ".attention.layer_norm_rms_epsilon", 0.0, 1.0));
  config.context = size(".context_length", 1 << 28);
  config.tied_embeddings = !tensors.contains("output.weight");
  config.qk_norm = architecture == "qwen3";
  config.attention_bias = tensors.contains("blk.0.attn_q.bias");
  config.output_bias = tensors.contains("blk.0.attn_output.bias");
  config.sparse.assign(static_cast<std::size_t>(config.layers), false);
  read_rope(file, architecture, config);
  return config;
}

Tokenizer tokenizer_of(const Gguf& file) {
  const bool is_sentencepiece = file.text("tokenizer.ggml.model") == "llama";
  const json root = is_sentencepiece ? sentencepiece_of(file) : byte_level_of(file);
  return Tokenizer::parse(root.dump(-1, ' ', false, json::error_handler_t::replace), file.model().path.string());
}

ChatForm chat_of(const Gguf& file) {
  if (file.has("tokenizer.chat_template")) return ChatForm::parse(file.text("tokenizer.chat_template"), file.model().path.string());
  return {};
}

std::vector<std::int32_t> stops_of(const Gguf& file, const Tokenizer& tokenizer) {
  std::vector<std::int32_t> stops = turn_ends(tokenizer);
  for (const char* key : {"tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id"}) {
    if (file.has(key)) stops.push_back(static_cast<std::int32_t>(file.integer(key, 0, tokenizer.size() - 1)));
  }
  std::sort(stops.begin(), stops.end());
  stops.erase(std::unique(stops.begin(), stops.end()), stops.end());
  return stops;
}

StoredModel weights_of(const Gguf& file, const Qwen3Config& config) {
  StoredModel model{.path = file.model().path, .weights = {}, .memory = file.model().memory};
  for (const auto& [name, weight] : file.model().weights) {
    if (name == rope_divisors) continue;
    const std::string ours = our_name(name);
    if (ours.empty()) file.refuse("the tensor \"" + name + "\" belongs to no layer of " + config.model_type);
    StoredWeight& stored = model.weights.emplace(ours, weight).first->second;
    if (config.model_type != "llama") continue;
    if (ours.find("q_proj") != std::string::npos) stored.interleaved_heads = config.heads;
    if (ours.find("k_proj") != std::string::npos) stored.interleaved_heads = config.kv_heads;
  }
  return model;
}

}  // namespace fabula
