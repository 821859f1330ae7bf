// The transformer, module by module: each function names the reference's class it follows.
#include "video/h3/dit.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "base/error.h"

namespace fabula::h3 {
namespace {

// ---- weights

Linear take_fp32(Weights& weights, const std::string& prefix, std::int64_t in, std::int64_t out) {
  return {weights.take(prefix + ".weight", {out, in}), weights.take(prefix + ".bias", {out})};
}

SelfAttention::Dims attention_dims(const DitConfig& c) {
  return {.width = c.hidden_size,
          .heads = c.num_attention_heads,
          .head_dim = c.attention_head_dim,
          .eps = c.qk_norm_eps,
          .bias = false,
          .norm_gain = true};
}

RefinerBlock take_refiner_block(Weights& weights, const std::string& prefix, const DitConfig& c) {
  RefinerBlock block;
  block.norm1 = weights.take(prefix + ".norm1.weight", {c.hidden_size});
  block.attn = SelfAttention::take(weights, prefix + ".attn", attention_dims(c));
  block.norm2 = weights.take(prefix + ".norm2.weight", {c.hidden_size});
  block.ff = FeedForward::take(weights, prefix + ".ff", c.hidden_size, c.ffn_dim, /*bias=*/false);
  return block;
}

DitBlock take_block(Weights& weights, const std::string& prefix, const DitConfig& c) {
  DitBlock block;
  block.norm1 = weights.take(prefix + ".norm1.weight", {c.hidden_size});
  block.attn = SelfAttention::take(weights, prefix + ".attn", attention_dims(c));
  block.norm2 = weights.take(prefix + ".norm2.weight", {c.hidden_size});
  block.ff = FeedForward::take(weights, prefix + ".ff", c.hidden_size, c.ffn_dim, /*bias=*/false);
  return block;
}

std::string block_name(std::int64_t i) { return "transformer_blocks." + std::to_string(i); }

// ---- modules

// MiniMaxH3RotaryPosEmbed. One list of frequencies serves the three axes; float32 as the reference computes it.
Rotary rotary_of(Context& ctx, const DitConfig& config, std::span<const double> positions) {
  const auto frequencies = static_cast<std::size_t>(config.rope_freq_dim);
  std::vector<float> angles(positions.size() * frequencies);
  for (std::size_t f = 0; f < frequencies; ++f) {
    const float exponent = static_cast<float>(2 * f) / static_cast<float>(2 * frequencies);
    const float inverse = 1.0F / static_cast<float>(std::pow(config.rope_theta, static_cast<double>(exponent)));
    for (std::size_t i = 0; i < positions.size(); ++i) angles[i * frequencies + f] = static_cast<float>(positions[i]) * inverse;
  }
  return rotary(ctx, angles, static_cast<std::int64_t>(positions.size() / 3));
}

// Timesteps(flip_sin_to_cos=True, downscale_freq_shift=0): cosines, then sines. (timesteps) -> (timesteps, freq_dim)
Tensor sinusoids(Context& ctx, const DitConfig& config, std::span<const float> timesteps) {
  const auto width = static_cast<std::size_t>(config.freq_dim), half = width / 2;
  std::vector<float> values(timesteps.size() * width, 0.0F);  // an odd width ends in a zero
  for (std::size_t t = 0; t < timesteps.size(); ++t) {
    for (std::size_t f = 0; f < half; ++f) {
      const float exponent = static_cast<float>(-std::log(10000.0)) * static_cast<float>(f) / static_cast<float>(half);
      const float angle = timesteps[t] * std::exp(exponent);
      values[t * width + f] = std::cos(angle);
      values[t * width + half + f] = std::sin(angle);
    }
  }
  return constant(ctx, values, {static_cast<std::int64_t>(timesteps.size()), config.freq_dim});
}

// TimestepEmbedding, then the activation that every modulation begins with. -> (timesteps, time_embed_dim)
Tensor embed_timesteps(Context& ctx, const Dit& dit, std::span<const float> timesteps, const Tap& tap) {
  const Tensor waves = sinusoids(ctx, dit.config, timesteps);
  tap("time_proj", waves);
  const Tensor embedding = linear(ctx, linear(ctx, waves, dit.time_in, Activation::silu), dit.time_out);
  tap("time_embedder", embedding);
  return activate(ctx, embedding, Activation::silu);
}

// MiniMaxH3TokenRefinerBlock. x (text rows, hidden) is updated in place.
void refine(Context& ctx, const DitConfig& config, const RefinerBlock& b, Tensor x, const Tap& tap) {
  const auto residual = [&](Tensor norm, const char* module, const auto& layer) {
    const Arena::Scope scope(ctx.arena);
    const Tensor out = layer(rms_norm(ctx, x, norm, config.norm_eps));
    tap(module, out);
    add_into(ctx, out, x);
  };
  residual(b.norm1, "attn", [&](Tensor h) { return self_attention(ctx, b.attn, h, {}); });
  residual(b.norm2, "ff", [&](Tensor h) { return feed_forward(ctx, b.ff, h); });
  tap.self(x);
}

// The six modulation vectors of one block, one row per (timestep, modality).
struct Modulation {
  ModulationTable shift1, scale1, gate1, shift2, scale2, gate2;
};

Modulation modulation_of(Tensor table) {
  const std::int64_t hidden = table.shape[1] / 6;
  const auto part = [&](std::int64_t i) { return ModulationTable{table, i * hidden}; };
  return {part(0), part(1), part(2), part(3), part(4), part(5)};
}

// MiniMaxH3AdaLayerNormModulation of all blocks, and MiniMaxH3AdaLayerNormOut's. A row's product is the one that it has alone: how many
// timesteps are made together changes no bit.
void modulate(Context& shared, const Dit& dit, std::span<const float> timesteps, const Tap& tap, DitSequence& s) {
  Context ctx{shared.kernels, shared.arena, shared.exec};
  ctx.exec.rows_alone = true;
  const auto count = static_cast<std::int64_t>(timesteps.size());
  const std::int64_t hidden = dit.config.hidden_size;
  for (std::int64_t i = 0; i < dit.blocks.size(); ++i) s.modulation.push_back(ctx.arena.take({count * modalities, 6 * hidden}));
  s.norm_out_modulation = ctx.arena.take({count, 2 * hidden});
  const Arena::Scope scope(ctx.arena);
  const Tensor temb = embed_timesteps(ctx, dit, timesteps, tap);
  const auto make = [&](const Linear& projection, Tensor table) {
    const Arena::Scope one(ctx.arena);
    copy(ctx, linear(ctx, temb, projection), table);
  };
  for (std::int64_t i = 0; i < dit.blocks.size(); ++i) make(dit.modulations.at(ctx.arena, i), s.modulation[static_cast<std::size_t>(i)]);
  dit.modulations.rest();
  make(dit.norm_out_modulation, s.norm_out_modulation);
}

// The norm before its modulation exists only for the tap: the engine fuses the two.
void tap_norm(Context& ctx, const Tap& tap, const char* module, Tensor x, Tensor weight, float eps) {
  if (tap.absent()) return;
  const Arena::Scope scope(ctx.arena);
  tap(module, rms_norm(ctx, x, weight, eps));
}

// MiniMaxH3TransformerBlock. x (rows, hidden) is updated in place; index (rows): each row's line in the modulation table.
void forward_block(Context& ctx, const DitConfig& config, const DitBlock& b, const Modulation& m, Tensor index, const Rotary& rope_angles,
                   Tensor x, const Tap& tap) {
  {
    const Arena::Scope scope(ctx.arena);
    tap_norm(ctx, tap, "norm1", x, b.norm1, config.norm_eps);
    const Tensor h = rms_norm_modulate(ctx, x, b.norm1, config.norm_eps, m.scale1, m.shift1, index);
    const Tensor a = self_attention(ctx, b.attn, h, rope_angles);
    tap("attn", a);
    gated_add(ctx, a, m.gate1, index, /*into=*/x);
  }
  {
    const Arena::Scope scope(ctx.arena);
    tap_norm(ctx, tap, "norm2", x, b.norm2, config.norm_eps);
    const Tensor h = rms_norm_modulate(ctx, x, b.norm2, config.norm_eps, m.scale2, m.shift2, index);
    const Tensor f = feed_forward(ctx, b.ff, h);
    tap("ff", f);
    gated_add(ctx, f, m.gate2, index, /*into=*/x);
  }
  tap.self(x);
}

// Projects each modality and scatters its rows to their positions in the sequence. -> (rows, hidden)
Tensor pack(Context& ctx, const Dit& dit, const DitSequence& s, Tensor video, Tensor audio, const Tap& tap) {
  const Tensor x = ctx.arena.take({s.rope.cos.shape[0], dit.config.hidden_size});
  const Arena::Scope scope(ctx.arena);
  const Tensor video_rows = linear(ctx, video, dit.proj_in);
  const Tensor audio_rows = linear(ctx, audio, dit.audio_proj_in);
  tap("proj_in", video_rows);
  tap("audio_proj_in", audio_rows);
  scatter_rows(ctx, s.text, s.text_index, x);
  scatter_rows(ctx, video_rows, s.video_index, x);
  scatter_rows(ctx, audio_rows, s.audio_index, x);
  return x;
}

// MiniMaxH3AdaLayerNormOut and the two heads, each on its own rows. index (rows): each row's timestep.
void project_out(Context& ctx, const Dit& dit, const DitSequence& s, Tensor index, Tensor x, const DitOutput& out, const Tap& tap) {
  const ModulationTable shift{s.norm_out_modulation, 0}, scale{s.norm_out_modulation, dit.config.hidden_size};
  const Tensor h = rms_norm_modulate(ctx, x, dit.norm_out, dit.config.final_norm_eps, scale, shift, index);
  tap("norm_out", h);
  copy(ctx, linear(ctx, gather_rows(ctx, h, s.video_index), dit.proj_out), out.video);
  copy(ctx, linear(ctx, gather_rows(ctx, h, s.audio_index), dit.audio_proj_out), out.audio);
}

void check_layout(const DitConfig& config, Tensor text, const Layout& rows) {
  const auto refuse = [](const std::string& sentence) { throw Error(ExitCode::bad_data, "packed sequence: " + sentence); };
  const std::size_t count = rows.tags.size();
  if (count == 0 || rows.positions.size() != 3 * count) refuse("tags and positions are not for the same number of rows");
  if (text.shape.rank() != 2 || text.shape[1] != config.text_dim)
    refuse("text states of width " + std::to_string(config.text_dim) + " expected, got " + text.shape.text());
  if (text.shape[0] != static_cast<std::int64_t>(rows.text.size())) refuse("text states and text rows differ in number");
  if (std::any_of(rows.tags.begin(), rows.tags.end(), [](std::int32_t tag) { return tag < 0 || tag >= modalities; }))
    refuse("a tag is not 0, 1 or 2");
  std::vector<bool> seen(count, false);
  for (const auto* indices : {&rows.video, &rows.audio, &rows.text}) {
    for (const std::int32_t row : *indices) {
      if (row < 0 || static_cast<std::size_t>(row) >= count || seen[static_cast<std::size_t>(row)])
        refuse("row " + std::to_string(row) + " is named twice or does not exist");
      seen[static_cast<std::size_t>(row)] = true;
    }
  }
  if (rows.video.empty() || rows.audio.empty() || rows.text.empty()) refuse("a modality has no rows");
  if (rows.video.size() + rows.audio.size() + rows.text.size() != count) refuse("a row belongs to no modality");
}

}  // namespace

Dit Dit::load(const std::filesystem::path& folder, Precision precision, DeviceKind device, Residence residence) {
  return take(DitConfig::load(folder), Weights::open(folder, precision, device), residence);
}

Dit Dit::take(const DitConfig& c, Weights weights, Residence residence) {
  Dit dit(c, std::move(weights));
  Weights& w = dit.weights;
  dit.proj_in = take_fp32(w, "proj_in", c.patch_dim(), c.hidden_size);
  dit.audio_proj_in = take_fp32(w, "audio_proj_in", c.audio_in_channels, c.hidden_size);
  dit.context_embedder = w.take_linear("context_embedder", c.text_dim, c.hidden_size, /*bias=*/true);
  dit.time_in = take_fp32(w, "time_embedder.linear_1", c.freq_dim, c.time_embed_hidden_dim);
  dit.time_out = take_fp32(w, "time_embedder.linear_2", c.time_embed_hidden_dim, c.time_embed_dim);
  const auto refiner_block = [c](Weights& from, std::int64_t i) {
    return take_refiner_block(from, "token_refiner.refiner_blocks." + std::to_string(i), c);
  };
  const auto block = [c](Weights& from, std::int64_t i) { return take_block(from, block_name(i), c); };
  const auto modulation = [c](Weights& from, std::int64_t i) {
    return from.take_linear(block_name(i) + ".adaln_proj.linear", c.time_embed_dim, modalities * 6 * c.hidden_size, /*bias=*/true);
  };
  dit.refiner_blocks = {w, c.num_refiner_layers, refiner_block, residence};
  dit.refiner_norm = w.take("token_refiner.final_norm.weight", {c.hidden_size});
  dit.blocks = {w, c.num_layers, block, residence};
  dit.modulations = {w, c.num_layers, modulation, residence};
  dit.norm_out = w.take("norm_out.norm.weight", {c.hidden_size});
  dit.norm_out_modulation = w.take_linear("norm_out.linear", c.time_embed_dim, 2 * c.hidden_size, /*bias=*/true);
  dit.proj_out = take_fp32(w, "proj_out", c.hidden_size, c.patch_dim());
  dit.audio_proj_out = take_fp32(w, "audio_proj_out", c.hidden_size, c.audio_in_channels);
  w.finish();
  return dit;
}

// Its stages hold their slots one after another.
std::size_t Dit::bytes() const {
  return weights.bytes() + std::max({refiner_blocks.slots_bytes(), blocks.slots_bytes(), modulations.slots_bytes()});
}

DitSequence prepare(Context& ctx, const Dit& dit, Tensor text, const Layout& layout, std::span<const float> timesteps, const Tap& tap) {
  check_layout(dit.config, text, layout);
  DitSequence s;
  s.text = ctx.arena.take({text.shape[0], dit.config.hidden_size});
  s.rope = rotary_of(ctx, dit.config, layout.positions);
  tap("rope.cos", s.rope.cos);
  tap("rope.sin", s.rope.sin);
  s.video_index = indices(ctx, layout.video);
  s.audio_index = indices(ctx, layout.audio);
  s.text_index = indices(ctx, layout.text);
  s.tags = layout.tags;
  modulate(ctx, dit, timesteps, tap, s);

  const Arena::Scope scope(ctx.arena);
  const Tensor x = linear(ctx, text, dit.context_embedder);
  tap("context_embedder", x);
  for (std::int64_t i = 0; i < dit.refiner_blocks.size(); ++i)
    refine(ctx, dit.config, dit.refiner_blocks.at(ctx.arena, i), x,
           tap.under("token_refiner.refiner_blocks.", static_cast<std::size_t>(i)));
  dit.refiner_blocks.rest();
  copy(ctx, rms_norm(ctx, x, dit.refiner_norm, dit.config.final_norm_eps), s.text);
  tap("token_refiner", s.text);
  return s;
}

DitOutput forward(Context& ctx, const Dit& dit, const DitSequence& s, Tensor video, Tensor audio,
                  std::span<const std::int32_t> timestep_indices, const Tap& tap, Replay* replay) {
  const std::size_t rows = s.tags.size();
  if (timestep_indices.size() != rows)
    throw Error(ExitCode::bad_data,
                "transformer: " + std::to_string(timestep_indices.size()) + " timestep indices for " + std::to_string(rows) + " rows");
  std::vector<std::int32_t> table_rows(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    if (timestep_indices[i] < 0 || timestep_indices[i] >= s.norm_out_modulation.shape[0])
      throw Error(ExitCode::bad_data, "transformer: a timestep index is out of range");
    table_rows[i] = timestep_indices[i] * static_cast<std::int32_t>(modalities) + s.tags[i];
  }

  const DitOutput out{ctx.arena.take({s.video_index.shape[0], dit.config.patch_dim()}),
                      ctx.arena.take({s.audio_index.shape[0], dit.config.audio_in_channels})};
  const Arena::Scope scope(ctx.arena);
  const Tensor modulation_row = indices(ctx, table_rows);
  const Tensor timestep_row = indices(ctx, timestep_indices);
  const auto evaluate = [&] {
    const Arena::Scope of_evaluation(ctx.arena);
    const Tensor x = pack(ctx, dit, s, video, audio, tap);
    for (std::int64_t i = 0; i < dit.blocks.size(); ++i) {
      const auto at = static_cast<std::size_t>(i);
      forward_block(ctx, dit.config, dit.blocks.at(ctx.arena, i), modulation_of(s.modulation[at]), modulation_row, s.rope, x,
                    tap.under("transformer_blocks.", at));
    }
    project_out(ctx, dit, s, timestep_row, x, out, tap);
  };
  const bool streams = dit.blocks.slots_bytes() > 0;
  if (replay == nullptr || streams)
    evaluate();
  else
    replay->run(ctx, evaluate);
  return out;
}

}  // namespace fabula::h3
