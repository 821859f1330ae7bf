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
#include "planner/lm/kv_cache.h"

namespace fabula {

struct Qwen3Config {
  std::int64_t vocabulary = 0, hidden = 0, intermediate = 0;
  std::int64_t layers = 0, heads = 0, kv_heads = 0, head_dim = 0;
  float norm_eps = 1e-6F;
  double rope_theta = 1e6;
  std::int64_t context = 0;      ///< tokens that it was made for; 0 where config.json does not say
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
  Linear embedding;  ///< its weight is the table, (vocabulary, hidden)
  std::vector<Qwen3Layer> layers;
  Tensor norm;  ///< (hidden)
  Linear head;  ///< hidden -> vocabulary
};

/// Takes the decoder's tensors of `weights`, which must outlive the model. Throws Error(bad_data) naming what is missing.
[[nodiscard]] Qwen3 take_qwen3(const Qwen3Config&, Weights& weights);
/// The decoder alone; the vision tower of a Qwen3-VL stays unread. Throws Error(bad_data) naming what is missing or left.
[[nodiscard]] Qwen3 load_qwen3(const Qwen3Config&, Weights& weights);

/// Which rows of a forward get logits.
enum class Logits : std::uint8_t { none, last, all };
[[nodiscard]] inline std::int64_t logit_rows(Logits wanted, std::int64_t rows) {
  return wanted == Logits::all ? rows : wanted == Logits::last ? 1 : 0;
}

/// Receives hidden_states[layer] of the reference for the tokens of this call, (tokens, hidden): 0 the embeddings, i the state after i
/// layers (before deepstack features are added to it); the last one (layer = config.layers) is after the final norm. The tensor is valid
/// during the call only.
using StateReceiver = std::function<void(std::int64_t layer, Tensor states)>;

/// What one forward reads. Text is its tokens; image placeholders among them carry what the vision tower saw.
struct Reading {
  std::span<const std::int32_t> tokens;
  std::span<const RopePosition> positions = {};    ///< of each token; empty: text that goes on from the cache's next position
  std::span<const std::int32_t> visual_rows = {};  ///< the rows of placeholders in this call
  Tensor visual = {};                              ///< (visual rows, hidden): their embeddings
  std::span<const Tensor> deepstack = {};          ///< of the same shape: added to the states after the first layers
};

/// What one sequence reads in a pass.
struct Part {
  KvCache& cache;
  Reading reading;
  std::int64_t logit_rows = 0;  ///< how many of its last tokens get logits
};

/// One pass over the parts of several sequences, each after what is in its cache; all caches are of one pool. Linear layers see all rows at
/// once, attention each row its own sequence. A token's states and logits are the same bytes in whatever company and cuts it is read. Gives
/// the logits (all parts' logit rows, vocabulary) in the arena, or an absent tensor; `keep` gets the rows of all parts. Throws
/// Error(bad_data) for a token outside the vocabulary, and as KvPool::take does.
Tensor forward(Context&, const Qwen3&, std::span<const Part> parts, const StateReceiver& keep = nullptr);
/// The pass of one sequence alone.
Tensor forward(Context&, const Qwen3&, KvCache&, const Reading&, Logits wanted, const StateReceiver& keep = nullptr);

/// The sizes that a pass's memory depends on.
struct PassSize {
  std::int64_t rows = 0, logit_rows = 0;
  std::int64_t table = 0;  ///< entries of the page table: sequences · the most pages of one
};

/// Bytes of arena that such a pass over text takes, from a dry run: exact for dense layers, the most for sparse ones.
[[nodiscard]] std::size_t forward_footprint(const Qwen3&, const PassSize&);

}  // namespace fabula
