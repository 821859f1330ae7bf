// The Qwen3 decoder (transformers: Qwen3ForCausalLM) with a key and value cache.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <vector>

#include "engine/weights/weights.h"

namespace fabula {

struct Qwen3Config {
  std::int64_t vocabulary = 0, hidden = 0, intermediate = 0;
  std::int64_t layers = 0, heads = 0, kv_heads = 0, head_dim = 0;
  float norm_eps = 1e-6F;
  double rope_theta = 1e6;
  bool tied_embeddings = false;  ///< the head is the embedding table
  bool attention_bias = false;

  /// Throws Error: input_missing when the file cannot be read, bad_data when it is malformed or asks for what is not supported.
  static Qwen3Config open(const std::filesystem::path& config_json);
};

struct Qwen3Layer {
  Tensor input_norm;           ///< (hidden)
  Linear q, k, v, o;           ///< hidden -> heads·head_dim, kv_heads·head_dim (twice), and back
  Tensor q_norm, k_norm;       ///< (head_dim)
  Tensor post_attention_norm;  ///< (hidden)
  Linear gate, up, down;       ///< hidden -> intermediate (twice), and back
};

struct Qwen3 {
  Qwen3Config config;
  Tensor embedding;  ///< (vocabulary, hidden)
  std::vector<Qwen3Layer> layers;
  Tensor norm;  ///< (hidden)
  Linear head;  ///< hidden -> vocabulary
};

/// Takes all tensors of `weights`, which must outlive the model. Throws Error(bad_data) naming what is missing or left.
[[nodiscard]] Qwen3 load_qwen3(const Qwen3Config&, Weights& weights);

/// Keys (after rope) and values of the tokens seen so far. Memory: length · layers · kv_heads · head_dim · 8 bytes, grown by doubling.
class KvCache {
 public:
  explicit KvCache(const Qwen3Config& config, bool dry = false);
  KvCache(const KvCache&) = delete;
  KvCache& operator=(const KvCache&) = delete;
  KvCache(KvCache&&) = default;
  KvCache& operator=(KvCache&&) = default;

  [[nodiscard]] std::int64_t length() const { return length_; }
  /// Room for `rows` more; their contents are undefined until a layer writes them. Invalidates views.
  void extend(std::int64_t rows);
  /// Forgets all but the first `rows`.
  void truncate(std::int64_t rows);
  [[nodiscard]] Tensor keys(std::int64_t layer);    ///< (length, kv_heads, head_dim)
  [[nodiscard]] Tensor values(std::int64_t layer);  ///< likewise

 private:
  [[nodiscard]] Tensor view(std::vector<float>& rows) const;

  std::int64_t kv_heads_, head_dim_, length_ = 0;
  bool dry_;  ///< views without memory, for the dry run
  std::vector<std::vector<float>> keys_, values_;
};

/// Which rows of a forward get logits.
enum class Logits : std::uint8_t { none, last, all };

/// Receives hidden_states[layer] of the reference for the tokens of this call, (tokens, hidden): 0 the embeddings, i the state after i layers;
/// the last one (layer = config.layers) is after the final norm. The tensor is valid during the call only.
using StateReceiver = std::function<void(std::int64_t layer, Tensor states)>;

/// Runs `tokens` after those in the cache: one call for a whole prompt, or chunk by chunk, or token by token. Gives the logits
/// (1 or tokens, vocabulary) in the arena, or an absent tensor. Throws Error(bad_data) for a token outside the vocabulary.
Tensor forward(Context&, const Qwen3&, KvCache&, std::span<const std::int32_t> tokens, Logits wanted, const StateReceiver& keep = nullptr);

/// Bytes of arena that forward() takes for so many tokens: exact, from a dry run.
[[nodiscard]] std::size_t forward_footprint(const Qwen3&, std::int64_t tokens, Logits wanted);

}  // namespace fabula
