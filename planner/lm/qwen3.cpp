// After transformers, models/qwen3/modeling_qwen3.py.
#include "planner/lm/qwen3.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "kernels/error.h"

namespace fabula {
namespace {

struct Rope {
  Tensor cos, sin;  // (rows, head_dim)
};

// Which axis a pair of channels turns with. Qwen3VLTextRotaryEmbedding interleaves them: time, height, width, time, … until the sections of
// height and width are used up.
std::int32_t RopePosition::* axis_of(const Qwen3Config& config, std::int64_t pair) {
  if (pair % 3 == 1 && pair < 3 * config.mrope_section[1]) return &RopePosition::height;
  if (pair % 3 == 2 && pair < 3 * config.mrope_section[2]) return &RopePosition::width;
  return &RopePosition::time;
}

// Qwen3RotaryEmbedding: frequencies, angles, cosines and sines in float32, both halves of a head alike.
Rope rope_at(Context& ctx, const Qwen3Config& config, std::span<const RopePosition> positions) {
  const std::int64_t dim = config.head_dim, half = dim / 2;
  const auto rows = static_cast<std::int64_t>(positions.size());
  std::vector<float> frequencies, cos, sin;
  for (std::int64_t i = 0; i < half; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(dim);
    frequencies.push_back(1.0F / std::pow(static_cast<float>(config.rope_theta), exponent));
  }
  cos.reserve(static_cast<std::size_t>(rows * dim));
  sin.reserve(static_cast<std::size_t>(rows * dim));
  for (const RopePosition& position : positions) {
    for (std::int64_t i = 0; i < dim; ++i) {
      const float angle = static_cast<float>(position.*axis_of(config, i % half)) * frequencies[static_cast<std::size_t>(i % half)];
      cos.push_back(std::cos(angle));
      sin.push_back(std::sin(angle));
    }
  }
  return {constant(ctx, cos, {rows, dim}), constant(ctx, sin, {rows, dim})};
}

// Qwen3Attention: heads are normed before rope. h (rows, hidden) -> (rows, hidden); this call's keys and values join the cache.
Tensor self_attention(Context& ctx, const Qwen3Config& config, const Qwen3Layer& layer, const Rope& positions, Tensor keys, Tensor values, Tensor h) {
  const std::int64_t rows = h.shape[0], seen = keys.shape[0] - rows;
  const Tensor q = rms_norm(ctx, linear(ctx, h, layer.q).view({rows, config.heads, config.head_dim}), layer.q_norm, config.norm_eps);
  const Tensor k = rms_norm(ctx, linear(ctx, h, layer.k).view({rows, config.kv_heads, config.head_dim}), layer.k_norm, config.norm_eps);
  const Tensor v = linear(ctx, h, layer.v).view({rows, config.kv_heads, config.head_dim});
  rope(ctx, q, positions.cos, positions.sin);
  rope(ctx, k, positions.cos, positions.sin);
  copy(ctx, k, keys.slice(seen, rows));
  copy(ctx, v, values.slice(seen, rows));
  const Tensor a = attention(ctx, q, keys, values, /*causal=*/true);
  return linear(ctx, a.view({rows, config.heads * config.head_dim}), layer.o);
}

// Qwen3DecoderLayer: x (rows, hidden) is updated in place.
void decoder_layer(Context& ctx, const Qwen3Config& config, const Qwen3Layer& layer, const Rope& positions, Tensor keys, Tensor values, Tensor x) {
  {
    const Arena::Scope scope(ctx.arena);
    const Tensor h = rms_norm(ctx, x, layer.input_norm, config.norm_eps);
    add_into(ctx, self_attention(ctx, config, layer, positions, keys, values, h), x);
  }
  const Arena::Scope scope(ctx.arena);
  const Tensor h = rms_norm(ctx, x, layer.post_attention_norm, config.norm_eps);
  add_feed_forward(ctx, layer.feed_forward, config.experts, h, x);
}

// Qwen3VLTextModel._deepstack_process
void add_deepstack(Context& ctx, const Reading& reading, std::size_t layer, Tensor x) {
  if (layer >= reading.deepstack.size()) return;
  const Arena::Scope scope(ctx.arena);
  const Tensor rows = indices(ctx, reading.visual_rows), sum = gather_rows(ctx, x, rows);
  add_into(ctx, reading.deepstack[layer], sum);
  scatter_rows(ctx, sum, rows, x);
}

Tensor embed(Context& ctx, const Qwen3& model, const Reading& reading) {
  const Tensor x = gather_rows(ctx, model.embedding, indices(ctx, reading.tokens));
  if (!reading.visual_rows.empty()) {
    const Arena::Scope scope(ctx.arena);
    scatter_rows(ctx, reading.visual, indices(ctx, reading.visual_rows), x);
  }
  return x;
}

// The reading's own positions, or those of text that goes on.
std::vector<RopePosition> positions_of(const Reading& reading, std::int32_t next) {
  std::vector<RopePosition> positions(reading.positions.begin(), reading.positions.end());
  for (std::size_t i = positions.size(); i < reading.tokens.size(); ++i, ++next) positions.push_back({next, next, next});
  return positions;
}

void check(const Qwen3Config& config, const Reading& reading) {
  if (reading.tokens.empty()) throw Error(ExitCode::internal, "forward: no tokens");
  for (const std::int32_t token : reading.tokens) {
    if (token < 0 || token >= config.vocabulary) {
      throw Error(ExitCode::bad_data, "token " + std::to_string(token) + " is outside the model's vocabulary of " + std::to_string(config.vocabulary));
    }
  }
  if (!reading.positions.empty() && reading.positions.size() != reading.tokens.size()) throw Error(ExitCode::internal, "forward: not one position a token");
  if (static_cast<std::int64_t>(reading.deepstack.size()) > config.layers) throw Error(ExitCode::internal, "forward: deepstack features for more layers than there are");
}

}  // namespace

Qwen3 take_qwen3(const Qwen3Config& config, Weights& weights) {
  const std::int64_t q_width = config.heads * config.head_dim, kv_width = config.kv_heads * config.head_dim;
  const bool bias = config.attention_bias;
  Qwen3 model;
  model.config = config;
  model.embedding = weights.take_linear(config.prefix + "embed_tokens", config.hidden, config.vocabulary, false);
  for (std::int64_t i = 0; i < config.layers; ++i) {
    const std::string prefix = config.prefix + "layers." + std::to_string(i) + ".";
    Qwen3Layer layer;
    layer.input_norm = weights.take(prefix + "input_layernorm.weight", {config.hidden});
    layer.q = weights.take_linear(prefix + "self_attn.q_proj", config.hidden, q_width, bias);
    layer.k = weights.take_linear(prefix + "self_attn.k_proj", config.hidden, kv_width, bias);
    layer.v = weights.take_linear(prefix + "self_attn.v_proj", config.hidden, kv_width, bias);
    layer.o = weights.take_linear(prefix + "self_attn.o_proj", q_width, config.hidden, bias);
    layer.q_norm = weights.take(prefix + "self_attn.q_norm.weight", {config.head_dim});
    layer.k_norm = weights.take(prefix + "self_attn.k_norm.weight", {config.head_dim});
    layer.post_attention_norm = weights.take(prefix + "post_attention_layernorm.weight", {config.hidden});
    if (config.sparse[static_cast<std::size_t>(i)]) layer.feed_forward = take_sparse(weights, prefix + "mlp", config.hidden, config.experts);
    else layer.feed_forward = take_dense(weights, prefix + "mlp", config.hidden, config.intermediate);
    model.layers.push_back(std::move(layer));
  }
  model.norm = weights.take(config.prefix + "norm.weight", {config.hidden});
  if (config.tied_embeddings) {
    model.head = model.embedding;
    if (weights.has("lm_head.weight")) weights.ignore("lm_head.weight");  // some files store the tied table twice
  } else {
    model.head = weights.take_linear("lm_head", config.hidden, config.vocabulary, false);
  }
  return model;
}

Qwen3 load_qwen3(const Qwen3Config& config, Weights& weights) {
  Qwen3 model = take_qwen3(config, weights);
  if (config.prefix != Qwen3Config().prefix) {
    for (const std::string& name : weights.names()) {
      if (name.starts_with("model.visual.")) weights.ignore(name);
    }
  }
  weights.finish();
  return model;
}

KvCache::KvCache(const Qwen3Config& config, bool dry) : kv_heads_(config.kv_heads), head_dim_(config.head_dim), dry_(dry) {
  keys_.resize(static_cast<std::size_t>(config.layers));
  values_.resize(static_cast<std::size_t>(config.layers));
}

void KvCache::extend(std::span<const RopePosition> positions) {
  for (const RopePosition& at : positions) next_.push_back(std::max({next_position(), at.time + 1, at.height + 1, at.width + 1}));
  length_ += static_cast<std::int64_t>(positions.size());
  if (dry_) return;
  const auto needed = static_cast<std::size_t>(length_ * kv_heads_ * head_dim_);
  for (auto* tables : {&keys_, &values_}) {
    for (std::vector<float>& table : *tables) {
      if (table.size() < needed) table.resize(std::max(needed, 2 * table.size()));
    }
  }
}

void KvCache::truncate(std::int64_t rows) {
  length_ = std::min(length_, std::max<std::int64_t>(rows, 0));
  next_.resize(static_cast<std::size_t>(length_));
}

Tensor KvCache::view(std::vector<float>& rows) const { return {.data = dry_ ? nullptr : rows.data(), .shape = {length_, kv_heads_, head_dim_}}; }
Tensor KvCache::keys(std::int64_t layer) { return view(keys_[static_cast<std::size_t>(layer)]); }
Tensor KvCache::values(std::int64_t layer) { return view(values_[static_cast<std::size_t>(layer)]); }

// Qwen3Model and Qwen3ForCausalLM
Tensor forward(Context& ctx, const Qwen3& model, KvCache& cache, const Reading& reading, Logits wanted, const StateReceiver& keep) {
  const Qwen3Config& config = model.config;
  check(config, reading);
  const auto rows = static_cast<std::int64_t>(reading.tokens.size());
  const auto keep_state = [&](std::int64_t layer, Tensor states) {
    if (keep) keep(layer, states);
  };
  const std::vector<RopePosition> positions = positions_of(reading, cache.next_position());
  cache.extend(positions);
  // The logits are taken first, so that everything else can be given back before they are returned.
  const std::int64_t wanted_rows = logit_rows(wanted, rows);
  const Tensor logits = wanted_rows == 0 ? Tensor{} : ctx.arena.take({wanted_rows, config.vocabulary});
  const Arena::Scope scope(ctx.arena);
  const Rope rope = rope_at(ctx, config, positions);
  const Tensor x = embed(ctx, model, reading);
  keep_state(0, x);
  for (std::int64_t i = 0; i < config.layers; ++i) {
    decoder_layer(ctx, config, model.layers[static_cast<std::size_t>(i)], rope, cache.keys(i), cache.values(i), x);
    if (i + 1 < config.layers) keep_state(i + 1, x);
    add_deepstack(ctx, reading, static_cast<std::size_t>(i), x);
  }
  const Tensor normed = rms_norm(ctx, x, model.norm, config.norm_eps);
  keep_state(config.layers, normed);
  if (wanted_rows > 0) copy(ctx, linear(ctx, normed.slice(rows - wanted_rows, wanted_rows), model.head), logits);
  return logits;
}

std::size_t forward_footprint(const Qwen3& model, std::int64_t tokens, Logits wanted) {
  Arena arena = Arena::dry();
  Context ctx{dry_kernels(), arena, {}};
  KvCache cache(model.config, /*dry=*/true);
  const std::vector<std::int32_t> some(static_cast<std::size_t>(tokens), 0);
  (void)forward(ctx, model, cache, {.tokens = some}, wanted);
  return arena.peak();
}

}  // namespace fabula
