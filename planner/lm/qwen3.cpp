// The decoder's forward pass, after transformers, models/qwen3/modeling_qwen3.py.
#include "planner/lm/qwen3.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "base/error.h"

namespace fabula {
namespace {

struct Rope {
  Tensor cos, sin;  // (rows, head_dim)
};

// The rotary axis of each pair of channels. Qwen3VLTextRotaryEmbedding interleaves them: time, height, width, time, … until the sections of
// height and width are used up.
std::int32_t RopePosition::*axis_of(const Qwen3Config& config, std::int64_t pair) {
  if (pair % 3 == 1 && pair < 3 * config.mrope_section[1]) return &RopePosition::height;
  if (pair % 3 == 2 && pair < 3 * config.mrope_section[2]) return &RopePosition::width;
  return &RopePosition::time;
}

// Qwen3RotaryEmbedding: frequencies, angles, cosines and sines in float32, the same for both halves of a head.
Rope rope_at(Context& ctx, const Qwen3Config& config, std::span<const RopePosition> positions) {
  const std::int64_t dim = config.head_dim, half = dim / 2;
  const auto rows = static_cast<std::int64_t>(positions.size());
  std::vector<float> frequencies, cos, sin;
  for (std::int64_t i = 0; i < half; ++i) {
    const float exponent = static_cast<float>(2 * i) / static_cast<float>(dim);
    const float divisor = config.rope_divisors.empty() ? 1.0F : config.rope_divisors[static_cast<std::size_t>(i)];
    frequencies.push_back(1.0F / std::pow(static_cast<float>(config.rope_theta), exponent) / divisor);
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

// The rows of a pass: their rotary angles, and the pages that they attend to (kernels.h, paged_attention).
struct Places {
  Rope rope;
  Tensor table, rows;  // (sequences, pages) and (rows, 2) i32
};

// Makes room for the parts' tokens.
Places take_places(Context& ctx, const Qwen3Config& config, std::span<const Part> parts) {
  std::vector<RopePosition> positions;
  std::size_t pages = 0;
  for (const Part& part : parts) {
    const std::size_t before = positions.size();
    positions.insert(positions.end(), part.reading.positions.begin(), part.reading.positions.end());
    std::int32_t next = part.cache.next_position();  // the next text position
    while (positions.size() - before < part.reading.tokens.size()) positions.push_back({next, next, next}), ++next;
    part.cache.extend(std::span(positions).subspan(before));
    pages = std::max(pages, part.cache.pages().size());
  }
  std::vector<std::int32_t> rows, table(parts.size() * pages);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const KvCache& cache = parts[i].cache;
    std::copy(cache.pages().begin(), cache.pages().end(), table.begin() + static_cast<std::ptrdiff_t>(i * pages));
    for (std::int64_t token = cache.length() - static_cast<std::int64_t>(parts[i].reading.tokens.size()); token < cache.length(); ++token) {
      rows.insert(rows.end(), {static_cast<std::int32_t>(i), static_cast<std::int32_t>(token)});
    }
  }
  Places places{.rope = rope_at(ctx, config, positions), .table = indices(ctx, table), .rows = indices(ctx, rows)};
  places.table = places.table.view({static_cast<std::int64_t>(parts.size()), static_cast<std::int64_t>(pages)});
  return places;
}

// (rows, heads·head_dim) -> (rows, heads, head_dim), in place: the heads of queries or keys, normed where there is a weight, and turned.
Tensor heads_of(Context& ctx, const Qwen3Config& config, Tensor x, std::int64_t heads, Tensor norm, const Rope& angles) {
  const Tensor split = x.view({x.shape[0], heads, config.head_dim});
  if (config.qk_norm)
    rms_norm_rope(ctx, split, norm, config.norm_eps, angles.cos, angles.sin);
  else
    rope(ctx, split, angles.cos, angles.sin);
  return split;
}

// Qwen3Attention: heads are normed before rope; Qwen2Attention and LlamaAttention: they are not. h (rows, hidden) -> (rows, hidden);
// writes this pass's keys and values into the pool.
Tensor self_attention(Context& ctx, const Qwen3Config& config, const Qwen3Layer& layer, const Places& places, Tensor keys, Tensor values,
                      Tensor h) {
  const std::int64_t rows = h.shape[0];
  const auto projected = linear(ctx, h, std::array{layer.q, layer.k, layer.v});
  const Tensor q = heads_of(ctx, config, projected[0], config.heads, layer.q_norm, places.rope);
  const Tensor k = heads_of(ctx, config, projected[1], config.kv_heads, layer.k_norm, places.rope);
  const Tensor v = projected[2].view({rows, config.kv_heads, config.head_dim});
  const Tensor a = paged_attention(ctx, q, k, v, keys, values, places.table, places.rows);
  return linear(ctx, a.view({rows, config.heads * config.head_dim}), layer.o);
}

// Qwen3DecoderLayer: x (rows, hidden) is updated in place.
void decoder_layer(Context& ctx, const Qwen3Config& config, const Qwen3Layer& layer, const Places& places, Tensor keys, Tensor values,
                   Tensor x) {
  {
    const Arena::Scope scope(ctx.arena);
    const Tensor h = rms_norm(ctx, x, layer.input_norm, config.norm_eps);
    add_into(ctx, self_attention(ctx, config, layer, places, keys, values, h), x);
  }
  const Arena::Scope scope(ctx.arena);
  const Tensor h = rms_norm(ctx, x, layer.post_attention_norm, config.norm_eps);
  add_feed_forward(ctx, layer.feed_forward, config.experts, h, x);
}

// The placeholder rows of the pass; each part counts them from its own first token.
std::vector<std::int32_t> visual_rows(std::span<const Part> parts, std::size_t index) {
  std::int32_t first = 0;
  for (const Part& part : parts.first(index)) first += static_cast<std::int32_t>(part.reading.tokens.size());
  std::vector<std::int32_t> rows(parts[index].reading.visual_rows.begin(), parts[index].reading.visual_rows.end());
  for (std::int32_t& row : rows) row += first;
  return rows;
}

// Qwen3VLTextModel._deepstack_process
void add_deepstack(Context& ctx, std::span<const Part> parts, std::size_t layer, Tensor x) {
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (layer >= parts[i].reading.deepstack.size()) continue;
    const Arena::Scope scope(ctx.arena);
    const Tensor rows = indices(ctx, visual_rows(parts, i)), sum = gather_rows(ctx, x, rows);
    add_into(ctx, parts[i].reading.deepstack[layer], sum);
    scatter_rows(ctx, sum, rows, x);
  }
}

Tensor embed(Context& ctx, const Qwen3& model, std::span<const Part> parts) {
  std::vector<std::int32_t> tokens;
  for (const Part& part : parts) tokens.insert(tokens.end(), part.reading.tokens.begin(), part.reading.tokens.end());
  const Tensor x = gather_rows(ctx, model.embedding, indices(ctx, tokens));
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].reading.visual_rows.empty()) continue;
    const Arena::Scope scope(ctx.arena);
    scatter_rows(ctx, parts[i].reading.visual, indices(ctx, visual_rows(parts, i)), x);
  }
  return x;
}

// Gathers the last rows of each part that get logits.
Tensor rows_to_name(Context& ctx, std::span<const Part> parts, Tensor x) {
  std::vector<std::int32_t> rows;
  std::int64_t end = 0;
  for (const Part& part : parts) {
    end += static_cast<std::int64_t>(part.reading.tokens.size());
    for (std::int64_t row = end - part.logit_rows; row < end; ++row) rows.push_back(static_cast<std::int32_t>(row));
  }
  return gather_rows(ctx, x, indices(ctx, rows));
}

void check(const Qwen3Config& config, const Part& part) {
  const Reading& reading = part.reading;
  if (reading.tokens.empty() || part.logit_rows > static_cast<std::int64_t>(reading.tokens.size()))
    throw Error(ExitCode::internal, "forward: no tokens, or more logits than tokens");
  for (const std::int32_t token : reading.tokens) {
    if (token < 0 || token >= config.vocabulary) {
      throw Error(ExitCode::bad_data,
                  "token " + std::to_string(token) + " is outside the model's vocabulary of " + std::to_string(config.vocabulary));
    }
  }
  if (!reading.positions.empty() && reading.positions.size() != reading.tokens.size())
    throw Error(ExitCode::internal, "forward: not one position a token");
  if (static_cast<std::int64_t>(reading.deepstack.size()) > config.layers)
    throw Error(ExitCode::internal, "forward: deepstack features for more layers than there are");
}

Qwen3Layer take_layer(const Qwen3Config& config, Weights& weights, std::int64_t i) {
  const std::int64_t q_width = config.heads * config.head_dim, kv_width = config.kv_heads * config.head_dim;
  const bool bias = config.attention_bias;
  const std::string prefix = config.prefix + "layers." + std::to_string(i) + ".";
  Qwen3Layer layer;
  layer.input_norm = weights.take(prefix + "input_layernorm.weight", {config.hidden});
  layer.q = weights.take_linear(prefix + "self_attn.q_proj", config.hidden, q_width, bias);
  layer.k = weights.take_linear(prefix + "self_attn.k_proj", config.hidden, kv_width, bias);
  layer.v = weights.take_linear(prefix + "self_attn.v_proj", config.hidden, kv_width, bias);
  layer.o = weights.take_linear(prefix + "self_attn.o_proj", q_width, config.hidden, config.output_bias);
  if (config.qk_norm) {
    layer.q_norm = weights.take(prefix + "self_attn.q_norm.weight", {config.head_dim});
    layer.k_norm = weights.take(prefix + "self_attn.k_norm.weight", {config.head_dim});
  }
  layer.post_attention_norm = weights.take(prefix + "post_attention_layernorm.weight", {config.hidden});
  if (config.sparse[static_cast<std::size_t>(i)])
    layer.feed_forward = take_sparse(weights, prefix + "mlp", config.hidden, config.experts);
  else
    layer.feed_forward = take_dense(weights, prefix + "mlp", config.hidden, config.intermediate);
  return layer;
}

}  // namespace

Qwen3 take_qwen3(const Qwen3Config& config, Weights& weights, Residence residence) {
  Qwen3 model;
  model.config = config;
  model.embedding = weights.take_linear(config.prefix + "embed_tokens", config.hidden, config.vocabulary, false);
  const auto take = [config](Weights& from, std::int64_t i) { return take_layer(config, from, i); };
  model.layers = {weights, config.layers, take, residence};
  if (config.ends_after_layers) return model;
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

// Qwen3Model and Qwen3ForCausalLM
Tensor forward(Context& shared, const Qwen3& model, std::span<const Part> parts, const StateReceiver& keep) {
  const Qwen3Config& config = model.config;
  Context ctx{shared.kernels, shared.arena, shared.exec};
  ctx.exec.rows_alone = true;
  if (parts.empty()) throw Error(ExitCode::internal, "forward: nothing to read");
  std::int64_t logit_rows = 0;
  for (const Part& part : parts) {
    check(config, part);
    logit_rows += part.logit_rows;
  }
  const auto keep_state = [&](std::int64_t layer, Tensor states) {
    if (keep) keep(layer, states);
  };
  // Takes the logits from the arena first, so that everything else can be freed before the return.
  const Tensor logits = logit_rows == 0 ? Tensor{} : ctx.arena.take({logit_rows, config.vocabulary});
  const Arena::Scope scope(ctx.arena);
  const Places places = take_places(ctx, config, parts);
  KvPool& pool = parts.front().cache.pool();
  const Tensor x = embed(ctx, model, parts);
  keep_state(0, x);
  for (std::int64_t i = 0; i < config.layers; ++i) {
    decoder_layer(ctx, config, model.layers.at(ctx.arena, i), places, pool.keys(i), pool.values(i), x);
    if (i + 1 < config.layers || config.ends_after_layers) keep_state(i + 1, x);
    add_deepstack(ctx, parts, static_cast<std::size_t>(i), x);
  }
  if (config.ends_after_layers) return logits;
  const Tensor normed = rms_norm(ctx, x, model.norm, config.norm_eps);
  keep_state(config.layers, normed);
  if (logit_rows > 0) copy(ctx, linear(ctx, rows_to_name(ctx, parts, normed), model.head), logits);
  return logits;
}

Tensor forward(Context& ctx, const Qwen3& model, KvCache& cache, const Reading& reading, Logits wanted, const StateReceiver& keep) {
  const Part part{cache, reading, logit_rows(wanted, static_cast<std::int64_t>(reading.tokens.size()))};
  return forward(ctx, model, std::span(&part, 1), keep);
}

std::size_t forward_footprint(const Qwen3& model, const PassSize& size) {
  Arena arena = Arena::dry();
  Context ctx{dry_kernels(), arena, {}};
  KvPool pool(model.config, 0, /*dry=*/true);
  KvCache cache(pool);
  const std::int64_t before = std::max<std::int64_t>(0, size.table * KvPool::page_tokens - size.rows);
  cache.extend(std::vector<RopePosition>(static_cast<std::size_t>(before)));
  const std::vector<std::int32_t> some(static_cast<std::size_t>(size.rows), 0);
  const Part part{cache, {.tokens = some}, size.logit_rows};
  (void)forward(ctx, model, std::span(&part, 1));
  return arena.peak();
}

}  // namespace fabula
