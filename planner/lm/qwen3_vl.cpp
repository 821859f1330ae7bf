// Reads text with images, after transformers, models/qwen3_vl/modeling_qwen3_vl.py and processing_qwen3_vl.py.
#include "planner/lm/qwen3_vl.h"

#include <algorithm>
#include <string>

#include "base/error.h"

namespace fabula {
namespace {

[[noreturn]] void refuse(const std::string& what) { throw Error(ExitCode::bad_data, what); }

void check_grid(const VisionConfig& config, const PatchGrid& grid) {
  constexpr std::int64_t longest = 1 << 12;
  const bool fits = grid.height > 0 && grid.width > 0 && grid.height <= longest && grid.width <= longest;
  if (fits && grid.height % config.merge == 0 && grid.width % config.merge == 0) return;
  refuse("an image of " + std::to_string(grid.height) + " × " + std::to_string(grid.width) + " patches; each side must be a multiple of " +
         std::to_string(config.merge) + " and at most " + std::to_string(longest));
}

bool is_placeholder(const Qwen3VlConfig& config, std::int32_t token) {
  return token >= 0 && (token == config.image_token || token == config.video_token);
}

// The rows of placeholders.
std::vector<std::int32_t> placeholders(const Qwen3VlConfig& config, std::span<const std::int32_t> tokens) {
  std::vector<std::int32_t> rows;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (is_placeholder(config, tokens[i])) rows.push_back(static_cast<std::int32_t>(i));
  }
  return rows;
}

// The tower's output for all images, in order.
struct Sight {
  Tensor features;
  std::vector<Tensor> deepstack;
};

Sight look_at(Context& ctx, const Qwen3Vl& model, std::span<const PatchedImage> images, std::int64_t rows) {
  const Shape shape = {rows, model.decoder.config.hidden};
  Sight all;
  all.features = ctx.arena.take(shape);
  for (std::size_t i = 0; i < model.vision.deepstack.size(); ++i) all.deepstack.push_back(ctx.arena.take(shape));
  std::int64_t at = 0;
  for (const PatchedImage& image : images) {
    const std::int64_t count = image.grid.merged(model.config.vision);
    std::vector<Tensor> deepstack;
    for (const Tensor& tensor : all.deepstack) deepstack.push_back(tensor.slice(at, count));
    see(ctx, model.vision, image.pixels, image.grid, all.features.slice(at, count), deepstack);
    at += count;
  }
  return all;
}

}  // namespace

Qwen3Vl load_qwen3_vl(const Qwen3VlConfig& config, Weights& weights) {
  Qwen3Vl model{.config = config, .decoder = take_qwen3(config.text, weights), .vision = take_vision(config.vision, weights)};
  weights.finish();
  return model;
}

std::vector<std::int32_t> expand_placeholders(const Qwen3VlConfig& config, std::span<const std::int32_t> tokens,
                                              std::span<const PatchGrid> images) {
  const std::size_t found = placeholders(config, tokens).size();
  if (found != images.size())
    refuse("a prompt has " + std::to_string(found) + " image placeholders for " + std::to_string(images.size()) + " images");
  std::vector<std::int32_t> expanded;
  std::size_t image = 0;
  for (const std::int32_t token : tokens) {
    if (is_placeholder(config, token)) {
      check_grid(config.vision, images[image]);
      expanded.insert(expanded.end(), static_cast<std::size_t>(images[image++].merged(config.vision)), token);
    } else {
      expanded.push_back(token);
    }
  }
  return expanded;
}

std::vector<RopePosition> rope_positions(const Qwen3VlConfig& config, std::span<const std::int32_t> tokens,
                                         std::span<const PatchGrid> images, std::int32_t start) {
  std::vector<RopePosition> positions;
  std::int32_t next = start;
  for (std::size_t at = 0; at < tokens.size(); at = positions.size()) {
    if (!is_placeholder(config, tokens[at])) {
      positions.push_back({next, next, next});
      ++next;
      continue;
    }
    if (images.empty()) refuse("a prompt has placeholders for more images than there are");
    const PatchGrid grid = images.front();
    images = images.subspan(1);
    check_grid(config.vision, grid);
    const auto rows = static_cast<std::size_t>(grid.merged(config.vision));
    const std::int64_t height = grid.height / config.vision.merge, width = grid.width / config.vision.merge;
    const auto others = std::find_if(tokens.begin() + static_cast<std::ptrdiff_t>(at), tokens.end(),
                                     [&](std::int32_t token) { return token != tokens[at]; });
    const auto run = static_cast<std::size_t>(others - tokens.begin()) - at;
    if (run != rows) refuse("an image of " + std::to_string(rows) + " rows has " + std::to_string(run) + " placeholders");
    for (std::int64_t i = 0; i < height * width; ++i)
      positions.push_back({next, next + static_cast<std::int32_t>(i / width), next + static_cast<std::int32_t>(i % width)});
    next += static_cast<std::int32_t>(std::max(height, width));
  }
  if (!images.empty()) refuse("a prompt has placeholders for fewer images than there are");
  return positions;
}

// Qwen3VLModel and Qwen3VLForConditionalGeneration
Tensor forward(Context& ctx, const Qwen3Vl& model, KvCache& cache, std::span<const std::int32_t> tokens,
               std::span<const PatchedImage> images, Logits wanted, const StateReceiver& keep) {
  std::vector<PatchGrid> grids;
  for (const PatchedImage& image : images) grids.push_back(image.grid);
  const std::vector<RopePosition> positions = rope_positions(model.config, tokens, grids, cache.next_position());
  const std::vector<std::int32_t> rows = placeholders(model.config, tokens);
  Reading reading{.tokens = tokens, .positions = positions};
  if (rows.empty()) return forward(ctx, model.decoder, cache, reading, wanted, keep);

  const std::int64_t wanted_rows = logit_rows(wanted, static_cast<std::int64_t>(tokens.size()));
  const Tensor logits = wanted_rows == 0 ? Tensor{} : ctx.arena.take({wanted_rows, model.decoder.config.vocabulary});
  const Arena::Scope scope(ctx.arena);
  const Sight sight = look_at(ctx, model, images, static_cast<std::int64_t>(rows.size()));
  reading.visual_rows = rows;
  reading.visual = sight.features;
  reading.deepstack = sight.deepstack;
  const Tensor made = forward(ctx, model.decoder, cache, reading, wanted, keep);
  if (!made.absent()) copy(ctx, made, logits);
  return logits;
}

}  // namespace fabula
