// The vision tower's forward pass, after transformers, models/qwen3_vl/modeling_qwen3_vl.py and vision_utils.py.
#include "planner/lm/qwen3_vl_vision.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "base/error.h"

namespace fabula {
namespace {

constexpr float norm_eps = 1e-6F;

struct Cell {
  std::int64_t row = 0, column = 0;
};

// The cell of each patch in the image, block by block.
std::vector<Cell> cells_of(const PatchGrid& grid, std::int64_t merge) {
  std::vector<Cell> cells;
  cells.reserve(static_cast<std::size_t>(grid.patches()));
  for (std::int64_t top = 0; top < grid.height; top += merge) {
    for (std::int64_t left = 0; left < grid.width; left += merge) {
      for (std::int64_t i = 0; i < merge * merge; ++i) cells.push_back({top + i / merge, left + i % merge});
    }
  }
  return cells;
}

// Two neighbours on one axis of the learned grid, and their weights.
struct Taps {
  std::array<std::int64_t, 2> at{};
  std::array<float, 2> weight{};
};

// _interpolation_axis_taps_weights, bilinear with aligned corners: the first and the last patch fall on the grid's border.
Taps taps_at(std::int64_t index, std::int64_t size, std::int64_t side) {
  const float source = static_cast<float>(index) * static_cast<float>(side - 1) / static_cast<float>(std::max<std::int64_t>(size - 1, 1));
  const float floor = std::floor(source), beyond = source - floor;
  const auto first = static_cast<std::int64_t>(floor);
  return {{std::min(first, side - 1), std::min(first + 1, side - 1)}, {1.0F - beyond, beyond}};
}

// x (patches, hidden) += the learned positions, resampled to the image's grid.
void add_positions(Context& ctx, const VisionTower& tower, const PatchGrid& grid, const std::vector<Cell>& cells, Tensor x) {
  const std::int64_t side = tower.config.position_side;
  const std::vector<float> nothing(cells.size(), 0.0F);
  for (std::size_t corner = 0; corner < 4; ++corner) {
    std::vector<std::int32_t> rows;
    std::vector<float> weights;
    for (const Cell& cell : cells) {
      const Taps down = taps_at(cell.row, grid.height, side), across = taps_at(cell.column, grid.width, side);
      rows.push_back(static_cast<std::int32_t>(down.at[corner / 2] * side + across.at[corner % 2]));
      weights.push_back(down.weight[corner / 2] * across.weight[corner % 2]);
    }
    const Arena::Scope scope(ctx.arena);
    const Tensor learned = gather_rows(ctx, tower.positions, indices(ctx, rows));
    add_into(ctx, affine_channels(ctx, learned, constant(ctx, weights, {grid.patches()}), constant(ctx, nothing, {grid.patches()})), x);
  }
}

struct Rope {
  Tensor cos, sin;  // (patches, head_dim)
};

// Qwen3VLVisionRotaryEmbedding: in each half of a head the first part rotates by row, the second by column.
Rope rope_of(Context& ctx, const VisionConfig& config, const std::vector<Cell>& cells) {
  const std::int64_t dim = config.head_dim(), quarter = dim / 4;
  std::vector<float> cos, sin;
  for (const Cell& cell : cells) {
    for (std::int64_t i = 0; i < dim; ++i) {
      const float exponent = static_cast<float>(2 * (i % quarter)) / static_cast<float>(dim / 2);
      const float frequency = 1.0F / std::pow(static_cast<float>(config.rope_theta), exponent);
      const float angle = static_cast<float>(i / quarter % 2 == 0 ? cell.row : cell.column) * frequency;
      cos.push_back(std::cos(angle));
      sin.push_back(std::sin(angle));
    }
  }
  const Shape shape = {static_cast<std::int64_t>(cells.size()), dim};
  return {constant(ctx, cos, shape), constant(ctx, sin, shape)};
}

Tensor normed(Context& ctx, Tensor x, const LayerNorm& norm) { return layer_norm(ctx, x, norm.weight, norm.bias, norm_eps); }

// Qwen3VLVisionAttention: full attention between all patches.
Tensor self_attention(Context& ctx, const VisionConfig& config, const VisionBlock& block, const Rope& positions, Tensor h) {
  const Shape heads = {h.shape[0], config.heads, config.head_dim()};
  const auto [queries, keys, values] = linear(ctx, h, std::array{block.q, block.k, block.v});
  const Tensor q = queries.view(heads), k = keys.view(heads), v = values.view(heads);
  rope(ctx, q, positions.cos, positions.sin);
  rope(ctx, k, positions.cos, positions.sin);
  return linear(ctx, attention(ctx, q, k, v, /*causal=*/false).view(h.shape), block.proj);
}

// Qwen3VLVisionBlock: x (patches, hidden) is updated in place.
void run_block(Context& ctx, const VisionConfig& config, const VisionBlock& block, const Rope& positions, Tensor x) {
  {
    const Arena::Scope scope(ctx.arena);
    add_into(ctx, self_attention(ctx, config, block, positions, normed(ctx, x, block.norm1)), x);
  }
  const Arena::Scope scope(ctx.arena);
  add_into(ctx, linear(ctx, linear(ctx, normed(ctx, x, block.norm2), block.fc1, Activation::gelu_tanh), block.fc2), x);
}

// x (patches, hidden) -> out (merged, out_hidden); the patches of a block are consecutive.
void run_merger(Context& ctx, const VisionConfig& config, const PatchMerger& merger, Tensor x, Tensor out) {
  const Arena::Scope scope(ctx.arena);
  const Shape merged = {x.shape[0] / (config.merge * config.merge), config.hidden * config.merge * config.merge};
  const Tensor h = merger.normed_after_merging ? normed(ctx, x.view(merged), merger.norm) : normed(ctx, x, merger.norm).view(merged);
  copy(ctx, linear(ctx, linear(ctx, h, merger.fc1, Activation::gelu_erf), merger.fc2), out);
}

LayerNorm take_norm(Weights& weights, const std::string& prefix, std::int64_t width) {
  return {.weight = weights.take(prefix + ".weight", {width}), .bias = weights.take(prefix + ".bias", {width})};
}

VisionBlock take_block(Weights& weights, const std::string& prefix, const VisionConfig& config) {
  const std::int64_t hidden = config.hidden;
  VisionBlock block;
  block.norm1 = take_norm(weights, prefix + ".norm1", hidden);
  block.norm2 = take_norm(weights, prefix + ".norm2", hidden);
  const Linear qkv = weights.take_linear(prefix + ".attn.qkv", hidden, 3 * hidden, true);
  const auto part = [&](std::int64_t i) {
    return Linear{.weight = qkv.weight.slice(i * hidden, hidden),
                  .bias = qkv.bias.slice(i * hidden, hidden),
                  .scale = qkv.scale.absent() ? Tensor{} : qkv.scale.slice(i * hidden, hidden)};
  };
  block.q = part(0);
  block.k = part(1);
  block.v = part(2);
  block.proj = weights.take_linear(prefix + ".attn.proj", hidden, hidden, true);
  block.fc1 = weights.take_linear(prefix + ".mlp.linear_fc1", hidden, config.intermediate, true);
  block.fc2 = weights.take_linear(prefix + ".mlp.linear_fc2", config.intermediate, hidden, true);
  return block;
}

PatchMerger take_merger(Weights& weights, const std::string& prefix, const VisionConfig& config, bool normed_after_merging) {
  const std::int64_t merged = config.hidden * config.merge * config.merge;
  PatchMerger merger;
  merger.normed_after_merging = normed_after_merging;
  merger.norm = take_norm(weights, prefix + ".norm", normed_after_merging ? merged : config.hidden);
  merger.fc1 = weights.take_linear(prefix + ".linear_fc1", merged, merged, true);
  merger.fc2 = weights.take_linear(prefix + ".linear_fc2", merged, config.out_hidden, true);
  return merger;
}

}  // namespace

VisionTower take_vision(const VisionConfig& config, Weights& weights) {
  const std::string prefix = "model.visual.";
  VisionTower tower;
  tower.config = config;
  // A convolution with stride = kernel size: a product with the flattened patch.
  const Tensor kernel = weights.take_matrix(prefix + "patch_embed.proj.weight",
                                            {config.hidden, config.channels, config.temporal_patch, config.patch, config.patch});
  tower.patch_embed = {.weight = kernel.view({config.hidden, config.patch_width()}),
                       .bias = weights.take(prefix + "patch_embed.proj.bias", {config.hidden})};
  tower.positions = weights.take(prefix + "pos_embed.weight", {config.position_side * config.position_side, config.hidden});
  for (std::int64_t i = 0; i < config.depth; ++i)
    tower.blocks.push_back(take_block(weights, prefix + "blocks." + std::to_string(i), config));
  tower.merger = take_merger(weights, prefix + "merger", config, false);
  for (std::size_t i = 0; i < config.deepstack.size(); ++i) {
    tower.deepstack.push_back(take_merger(weights, prefix + "deepstack_merger_list." + std::to_string(i), config, true));
  }
  return tower;
}

// Qwen3VLVisionModel
void see(Context& ctx, const VisionTower& tower, Tensor pixels, const PatchGrid& grid, Tensor features, std::span<const Tensor> deepstack) {
  const VisionConfig& config = tower.config;
  if (pixels.shape != Shape{grid.patches(), config.patch_width()} || deepstack.size() != tower.deepstack.size()) {
    throw Error(ExitCode::internal, "see: pixels " + pixels.shape.text() + " are not the patches of the grid");
  }
  const Arena::Scope scope(ctx.arena);
  const std::vector<Cell> cells = cells_of(grid, config.merge);
  const Rope positions = rope_of(ctx, config, cells);
  const Tensor x = linear(ctx, pixels, tower.patch_embed);
  add_positions(ctx, tower, grid, cells, x);
  std::size_t taken = 0;
  for (std::int64_t i = 0; i < config.depth; ++i) {
    run_block(ctx, config, tower.blocks[static_cast<std::size_t>(i)], positions, x);
    if (taken < deepstack.size() && config.deepstack[taken] == i) {
      run_merger(ctx, config, tower.deepstack[taken], x, deepstack[taken]);
      ++taken;
    }
  }
  run_merger(ctx, config, tower.merger, x, features);
}

}  // namespace fabula
