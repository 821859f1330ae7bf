// Reads a presentation in one pass and keeps the states of the last used layer.
#include "planner/h3/encoder.h"

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace fabula::h3 {
namespace {

namespace fs = std::filesystem;

Qwen3VlConfig used_config(const fs::path& folder) {
  Qwen3VlConfig config = Qwen3VlConfig::open(folder / "config.json");
  if (config.text.layers <= encoder_layers) {
    throw Error(ExitCode::bad_data, folder.string() + ": the text encoder has " + std::to_string(config.text.layers) +
                                        " layers, expected more than " + std::to_string(encoder_layers));
  }
  config.text.layers = encoder_layers;
  config.text.sparse.resize(static_cast<std::size_t>(encoder_layers));
  config.text.ends_after_layers = true;
  return config;
}

// Whether a tensor belongs to a layer that is not used, to the last norm, or to the head.
bool is_unused(const std::string& name, const std::string& prefix) {
  if (name == "lm_head.weight" || name == prefix + "norm.weight") return true;
  const std::string layers = prefix + "layers.";
  if (!name.starts_with(layers)) return false;
  const std::size_t digits = name.find_first_not_of("0123456789", layers.size()) - layers.size();
  return digits > 0 && digits < 6 && std::stoll(name.substr(layers.size(), digits)) >= encoder_layers;
}

Qwen3Vl take_encoder(const Qwen3VlConfig& config, bool sees, Weights& weights) {
  Qwen3Vl model{.config = config, .decoder = take_qwen3(config.text, weights), .vision = {}};
  if (sees) model.vision = take_vision(config.vision, weights);
  for (const std::string& name : weights.names()) {
    if (is_unused(name, config.text.prefix) || (!sees && name.starts_with("model.visual."))) weights.ignore(name);
  }
  weights.finish();
  return model;
}

}  // namespace

TextEncoder::TextEncoder(const fs::path& folder, bool sees, Precision precision, Machine machine)
    : machine_(std::move(machine)),
      weights_(Weights::open(folder, precision, machine_.device)),
      model_(take_encoder(used_config(folder), sees, weights_)) {}

Conditioning TextEncoder::encode(const Presentation& presentation) const {
  const auto read = [&](Context& ctx, KvPool& pool, const StateReceiver& keep) {
    std::vector<PatchedImage> images;
    for (const Patches& block : presentation.blocks) {
      const std::int64_t width = static_cast<std::int64_t>(block.pixels.size()) / block.grid.patches();
      images.push_back({constant(ctx, block.pixels, {block.grid.patches(), width}), block.grid});
    }
    KvCache cache(pool);
    return forward(ctx, model_, cache, presentation.tokens, images, Logits::none, keep);
  };
  const std::size_t bytes = footprint_of(machine_, [&](Context& ctx) {
    KvPool no_pages(model_.decoder.config, 0, /*dry=*/true);
    return read(ctx, no_pages, nullptr);
  });
  Conditioning conditioning{.dim = model_.decoder.config.hidden, .states = {}, .score_start = {}, .tags = presentation.tags};
  run_in(machine_, bytes, [&](Context& ctx) {
    KvPool pages(model_.decoder.config, KvPool::pages_of(static_cast<std::int64_t>(presentation.tokens.size())));
    (void)read(ctx, pages, [&](std::int64_t layer, Tensor states) {
      if (layer == encoder_layers) conditioning.states = to_host(ctx, states);
    });
  });
  return conditioning;
}

EncoderMemory encoder_memory(const fs::path& folder, Precision precision) {
  const Qwen3VlConfig config = used_config(folder);
  Weights weights = Weights::measure(folder, precision);
  EncoderMemory memory;
  (void)take_qwen3(config.text, weights);
  memory.layers = weights.bytes();
  (void)take_vision(config.vision, weights);
  memory.vision = weights.bytes() - memory.layers;
  return memory;
}

}  // namespace fabula::h3
