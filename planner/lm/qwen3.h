// The Qwen3 decoders with a key and value cache (transformers: Qwen3ForCausalLM, Qwen3MoeForCausalLM, the language model inside
// Qwen3VLForConditionalGeneration). They differ in the feed-forward of a layer and in how a position becomes angles.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "planner/lm/feed_forward.h"

namespace fabula {

struct Qwen3Config {
  std::int64_t vocabulary = 0, hidden = 0, intermediate = 0;
  std::int64_t layers = 0, heads = 0, kv_heads = 0, head_dim = 0;
  float norm_eps = 1e-6F;
  double rope_theta = 1e6;
  std::int64_t positions = 32768;  ///< how many tokens it was made to read
  bool tied_embeddings = false;  ///< the head is the embedding table
  bool attention_bias = false;
  ExpertsConfig experts;                        ///< of the sparse layers
  std::vector<bool> sparse;                     ///< by layer
  std::array<std::int64_t, 3> mrope_section{};  ///< pairs of channels that turn with time, height and width; zeros: all with time
  std::string prefix = "model.";                ///< of the weights' names

  /// The decoder of a folder whose model_type is qwen3, qwen3_moe or qwen3_vl. Throws Error: input_missing when the file cannot be read,
  /// bad_data when it is malformed or asks for what is not supported.
  static Qwen3Config open(const std::filesystem::path& config_json);
};

struct Qwen3Layer {
  Tensor input_norm;           ///< (hidden)
  Linear q, k, v, o;           ///< hidden -> heads·head_dim, kv_heads·head_dim (twice), and back
  Tensor q_norm, k_norm;       ///< (head_dim)
  Tensor post_attention_norm;  ///< (hidden)
  FeedForward feed_forward;
};

struct Qwen3 {
  Qwen3Config config;
  Tensor embedding;  ///< (vocabulary, hidden)
  std::vector<Qwen3Layer> layers;
  Tensor norm;  ///< (hidden)
  Linear head;  ///< hidden -> vocabulary
};

/// Takes the decoder's tensors of `weights`, which must outlive the model. Throws Error(bad_data) naming what is missing.
[[nodiscard]] Qwen3 take_qwen3(const Qwen3Config&, Weights& weights);
/// The decoder alone; the vision tower of a Qwen3-VL stays unread. Throws Error(bad_data) naming what is missing or left.
[[nodiscard]] Qwen3 load_qwen3(const Qwen3Config&, Weights& weights);

/// Where a token stands on the rotary axes. Text takes one step on all three at once.
struct RopePosition {
  std::int32_t time = 0, height = 0, width = 0;
};

/// Keys (after rope) and values of the tokens seen so far. Memory: length · layers · kv_heads · head_dim · 8 bytes, grown by doubling.
class KvCache {
 public:
  explicit KvCache(const Qwen3Config& config, bool dry = false);
  KvCache(const KvCache&) = delete;
  KvCache& operator=(const KvCache&) = delete;
  KvCache(KvCache&&) = default;
  KvCache& operator=(KvCache&&) = default;

  [[nodiscard]] std::int64_t length() const { return length_; }
  /// Where text goes on: one beyond the largest position so far. An image takes fewer steps than it has tokens.
  [[nodiscard]] std::int32_t next_position() const { return next_.empty() ? 0 : next_.back(); }
  /// Room for tokens at these positions; the contents are undefined until a layer writes them. Invalidates views.
  void extend(std::span<const RopePosition> positions);
  /// Forgets all but the first `rows`.
  void truncate(std::int64_t rows);
  [[nodiscard]] Tensor keys(std::int64_t layer);    ///< (length, kv_heads, head_dim)
  [[nodiscard]] Tensor values(std::int64_t layer);  ///< likewise

 private:
  [[nodiscard]] Tensor view(std::vector<float>& rows) const;

  std::int64_t kv_heads_, head_dim_, length_ = 0;
  bool dry_;  ///< views without memory, for the dry run
  std::vector<std::vector<float>> keys_, values_;
  std::vector<std::int32_t> next_;  // next_position() after each token
};

/// Which rows of a forward get logits.
enum class Logits : std::uint8_t { none, last, all };
[[nodiscard]] inline std::int64_t logit_rows(Logits wanted, std::int64_t rows) { return wanted == Logits::all ? rows : wanted == Logits::last ? 1 : 0; }

/// Receives hidden_states[layer] of the reference for the tokens of this call, (tokens, hidden): 0 the embeddings, i the state after i layers
/// (before deepstack features are added to it); the last one (layer = config.layers) is after the final norm. The tensor is valid during the call only.
using StateReceiver = std::function<void(std::int64_t layer, Tensor states)>;

/// What one forward reads. Text is its tokens; image placeholders among them carry what the vision tower saw.
struct Reading {
  std::span<const std::int32_t> tokens;
  std::span<const RopePosition> positions = {};    ///< of each token; empty: text that goes on from the cache's next position
  std::span<const std::int32_t> visual_rows = {};  ///< the rows of placeholders in this call
  Tensor visual = {};                              ///< (visual rows, hidden): their embeddings
  std::span<const Tensor> deepstack = {};          ///< of the same shape: added to the states after the first layers
};

/// Reads on after what is in the cache: one call for a whole prompt, or chunk by chunk, or token by token. Gives the logits
/// (1 or tokens, vocabulary) in the arena, or an absent tensor. Throws Error(bad_data) for a token outside the vocabulary.
Tensor forward(Context&, const Qwen3&, KvCache&, const Reading&, Logits wanted, const StateReceiver& keep = nullptr);

/// Bytes of arena that forward() takes for so many tokens of text, from a dry run: exact for dense layers, the most for sparse ones.
[[nodiscard]] std::size_t forward_footprint(const Qwen3&, std::int64_t tokens, Logits wanted);

}  // namespace fabula
