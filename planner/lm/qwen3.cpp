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

// Qwen3RotaryEmbedding: frequencies, angles, cosines and sines in float32, both halves of a head alike.
Rope rope_at(Context& ctx, const Qwen3Config& config, std::int64_t first_position, std::int64_t rows) {
  const std::int64_t dim = config.head_dim, half = dim / 2;
  std::vector<float> frequencies, cos, sin;
  for (std::int64_t i = 0; i < half; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(dim);
    frequencies.push_back(1.0F / std::pow(static_cast<float>(config.rope_theta), exponent));
  }
  cos.reserve(static_cast<std::size_t>(rows * dim));
  sin.reserve(static_cast<std::size_t>(rows * dim));
  for (std::int64_t position = first_position; position < first_position + rows; ++position) {
    for (std::int64_t i = 0; i < dim; ++i) {
      const float angle = static_cast<float>(position) * frequencies[static_cast<std::size_t>(i % half)];
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

// Qwen3MLP
Tensor mlp(Context& ctx, const Qwen3Layer& layer, Tensor h) {
  return linear(ctx, gated(ctx, linear(ctx, h, layer.gate), linear(ctx, h, layer.up), Activation::silu), layer.down);
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
  add_into(ctx, mlp(ctx, layer, h), x);
}

}  // namespace

Qwen3 load_qwen3(const Qwen3Config& config, Weights& weights) {
  const std::int64_t q_width = config.heads * config.head_dim, kv_width = config.kv_heads * config.head_dim;
  const bool bias = config.attention_bias;
  Qwen3 model;
  model.config = config;
  model.embedding = weights.take_matrix("model.embed_tokens.weight", {config.vocabulary, config.hidden});
  for (std::int64_t i = 0; i < config.layers; ++i) {
    const std::string prefix = "model.layers." + std::to_string(i) + ".";
    Qwen3Layer layer;
    layer.input_norm = weights.take(prefix + "input_layernorm.weight", {config.hidden});
    layer.q = weights.take_linear(prefix + "self_attn.q_proj", config.hidden, q_width, bias);
    layer.k = weights.take_linear(prefix + "self_attn.k_proj", config.hidden, kv_width, bias);
    layer.v = weights.take_linear(prefix + "self_attn.v_proj", config.hidden, kv_width, bias);
    layer.o = weights.take_linear(prefix + "self_attn.o_proj", q_width, config.hidden, bias);
    layer.q_norm = weights.take(prefix + "self_attn.q_norm.weight", {config.head_dim});
    layer.k_norm = weights.take(prefix + "self_attn.k_norm.weight", {config.head_dim});
    layer.post_attention_norm = weights.take(prefix + "post_attention_layernorm.weight", {config.hidden});
    layer.gate = weights.take_linear(prefix + "mlp.gate_proj", config.hidden, config.intermediate, false);
    layer.up = weights.take_linear(prefix + "mlp.up_proj", config.hidden, config.intermediate, false);
    layer.down = weights.take_linear(prefix + "mlp.down_proj", config.intermediate, config.hidden, false);
    model.layers.push_back(layer);
  }
  model.norm = weights.take("model.norm.weight", {config.hidden});
  if (config.tied_embeddings) {
    model.head.weight = model.embedding;
    if (weights.has("lm_head.weight")) weights.ignore("lm_head.weight");  // some files store the tied table twice
  } else {
    model.head = weights.take_linear("lm_head", config.hidden, config.vocabulary, false);
  }
  weights.finish();
  return model;
}

KvCache::KvCache(const Qwen3Config& config, bool dry) : kv_heads_(config.kv_heads), head_dim_(config.head_dim), dry_(dry) {
  keys_.resize(static_cast<std::size_t>(config.layers));
  values_.resize(static_cast<std::size_t>(config.layers));
}

void KvCache::extend(std::int64_t rows) {
  length_ += rows;
  if (dry_) return;
  const auto needed = static_cast<std::size_t>(length_ * kv_heads_ * head_dim_);
  for (auto* tables : {&keys_, &values_}) {
    for (std::vector<float>& table : *tables) {
      if (table.size() < needed) table.resize(std::max(needed, 2 * table.size()));
    }
  }
}

void KvCache::truncate(std::int64_t rows) { length_ = std::min(length_, std::max<std::int64_t>(rows, 0)); }

Tensor KvCache::view(std::vector<float>& rows) const { return {.data = dry_ ? nullptr : rows.data(), .shape = {length_, kv_heads_, head_dim_}}; }
Tensor KvCache::keys(std::int64_t layer) { return view(keys_[static_cast<std::size_t>(layer)]); }
Tensor KvCache::values(std::int64_t layer) { return view(values_[static_cast<std::size_t>(layer)]); }

// Qwen3Model and Qwen3ForCausalLM
Tensor forward(Context& ctx, const Qwen3& model, KvCache& cache, std::span<const std::int32_t> tokens, Logits wanted, const StateReceiver& keep) {
  const Qwen3Config& config = model.config;
  const auto rows = static_cast<std::int64_t>(tokens.size());
  if (rows == 0) throw Error(ExitCode::internal, "forward: no tokens");
  for (const std::int32_t token : tokens) {
    if (token < 0 || token >= config.vocabulary) {
      throw Error(ExitCode::bad_data, "token " + std::to_string(token) + " is outside the model's vocabulary of " + std::to_string(config.vocabulary));
    }
  }
  const auto keep_state = [&](std::int64_t layer, Tensor states) {
    if (keep) keep(layer, states);
  };
  const std::int64_t first_position = cache.length();
  cache.extend(rows);
  // The logits are taken first, so that everything else can be given back before they are returned.
  const std::int64_t logit_rows = wanted == Logits::all ? rows : wanted == Logits::last ? 1 : 0;
  const Tensor logits = logit_rows == 0 ? Tensor{} : ctx.arena.take({logit_rows, config.vocabulary});
  const Arena::Scope scope(ctx.arena);
  const Rope positions = rope_at(ctx, config, first_position, rows);
  const Tensor x = gather_rows(ctx, model.embedding, indices(ctx, tokens));
  for (std::int64_t i = 0; i < config.layers; ++i) {
    keep_state(i, x);
    decoder_layer(ctx, config, model.layers[static_cast<std::size_t>(i)], positions, cache.keys(i), cache.values(i), x);
  }
  const Tensor normed = rms_norm(ctx, x, model.norm, config.norm_eps);
  keep_state(config.layers, normed);
  if (logit_rows > 0) copy(ctx, linear(ctx, normed.slice(rows - logit_rows, logit_rows), model.head), logits);
  return logits;
}

std::size_t forward_footprint(const Qwen3& model, std::int64_t tokens, Logits wanted) {
  Arena arena = Arena::dry();
  Context ctx{dry_kernels(), arena, {}};
  KvCache cache(model.config, /*dry=*/true);
  const std::vector<std::int32_t> some(static_cast<std::size_t>(tokens), 0);
  (void)forward(ctx, model, cache, some, wanted);
  return arena.peak();
}

}  // namespace fabula
