// The Qwen3 decoders with a key and value cache (transformers: Qwen3ForCausalLM, Qwen3MoeForCausalLM, and the language model of
// Qwen3VLForConditionalGeneration), and the Qwen2 and Llama decoders, which are the same layer without normed queries and keys
// (Qwen2ForCausalLM, LlamaForCausalLM). They differ in a layer's feed-forward, its biases, and in how positions become angles.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/weights/layers.h"
#include "planner/lm/feed_forward.h"
#include "planner/lm/kv_cache.h"

namespace fabula {

struct Qwen3Config {
  std::string model_type = "qwen3";
  std::int64_t vocabulary = 0, hidden = 0, intermediate = 0;
  std::int64_t layers = 0, heads = 0, kv_heads = 0, head_dim = 0;
  float norm_eps = 1e-6F;
  double rope_theta = 1e6;
  std::int64_t context = 0;                     ///< the longest sequence it was trained for; 0 if config.json does not say
  bool tied_embeddings = false;                 ///< the head uses the embedding table
  bool qk_norm = true;                          ///< queries and keys are normed per head; not in Qwen2 and Llama
  bool attention_bias = false;                  ///< of queries, keys and values
  bool output_bias = false;                     ///< of attention's output
  ExpertsConfig experts;                        ///< of the sparse layers
  std::vector<bool> sparse;                     ///< by layer
  std::array<std::int64_t, 3> mrope_section{};  ///< channel pairs for time, height and width; zeros: all for time
  std::vector<float> rope_divisors{};           ///< of the rotary frequencies, (head_dim / 2); empty: all 1 (Llama 3 scales them)
  std::string prefix = "model.";                ///< of the weights' names
  bool ends_after_layers = false;               ///< neither norm nor head: for the states of the first `layers` layers of a longer model

  /// Reads config.json of model_type qwen3, qwen3_moe, qwen3_vl, qwen2 or llama. Throws Error: input_missing if the file cannot be read,
  /// bad_data if it is malformed or needs something unsupported.
  static Qwen3Config open(const std::filesystem::path& config_json);
};

struct Qwen3Layer {
  Tensor input_norm;           ///< (hidden)
  Linear q, k, v, o;           ///< hidden -> heads·head_dim, kv_heads·head_dim (twice), and back
  Tensor q_norm, k_norm;       ///< (head_dim); absent without qk_norm
  Tensor post_attention_norm;  ///< (hidden)
  FeedForward feed_forward;
};

struct Qwen3 {
  Qwen3Config config;
  Linear embedding;  ///< its weight is the table, (vocabulary, hidden)
  Layers<Qwen3Layer> layers;
  Tensor norm;  ///< (hidden)
  Linear head;  ///< hidden -> vocabulary
};

/// Takes the decoder's tensors from `weights`, which must outlive the model. Throws Error(bad_data) naming a missing one.
[[nodiscard]] Qwen3 take_qwen3(const Qwen3Config&, Weights& weights, Residence residence = Residence::resident);
/// Loads the decoder alone; the vision tower of a Qwen3-VL stays unread. Throws Error(bad_data) naming a missing or leftover tensor.
[[nodiscard]] Qwen3 load_qwen3(const Qwen3Config&, Weights& weights);

/// The rows of a forward that get logits.
enum class Logits : std::uint8_t { none, last, all };
[[nodiscard]] inline std::int64_t logit_rows(Logits wanted, std::int64_t rows) {
  return wanted == Logits::all ? rows : wanted == Logits::last ? 1 : 0;
}

/// Receives hidden_states[layer] of the reference for the tokens of this call, (tokens, hidden): 0 is the embeddings, i the state after i
/// layers (before deepstack features are added), config.layers the state after the final norm, where there is one. The tensor is valid only
/// during the call.
using StateReceiver = std::function<void(std::int64_t layer, Tensor states)>;

/// The input of one forward: tokens, with the vision tower's output for the image placeholders among them.
struct Reading {
  std::span<const std::int32_t> tokens;
  std::span<const RopePosition> positions = {};    ///< per token; empty: text from the cache's next position on
  std::span<const std::int32_t> visual_rows = {};  ///< the placeholder rows in this call
  Tensor visual = {};                              ///< (visual rows, hidden): their embeddings
  std::span<const Tensor> deepstack = {};          ///< same shape each: added to the states after the first layers
};

/// One sequence's share of a pass.
struct Part {
  KvCache& cache;
  Reading reading;
  std::int64_t logit_rows = 0;  ///< how many of its last tokens get logits
};

/// One pass over the parts of several sequences, each continuing its cache; all caches must share a pool. Linear layers process all rows at
/// once; in attention each row sees its own sequence. A token's states and logits are the same bytes however sequences are cut and
/// combined. Returns the logits (all parts' logit rows, vocabulary) in the arena, or an absent tensor; `keep` gets the rows of all parts.
/// Throws Error(bad_data) for a token outside the vocabulary, and like KvPool::take.
Tensor forward(Context&, const Qwen3&, std::span<const Part> parts, const StateReceiver& keep = nullptr);
/// A pass with one sequence.
Tensor forward(Context&, const Qwen3&, KvCache&, const Reading&, Logits wanted, const StateReceiver& keep = nullptr);

/// The sizes that determine the memory of a pass.
struct PassSize {
  std::int64_t rows = 0, logit_rows = 0;
  std::int64_t table = 0;  ///< entries of the page table: sequences · pages of the longest
};

/// Bytes of arena for such a pass over text, from a dry run: exact for dense layers, the maximum for sparse ones.
[[nodiscard]] std::size_t forward_footprint(const Qwen3&, const PassSize&);

}  // namespace fabula
