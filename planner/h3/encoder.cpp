// Reads a presentation in one pass and keeps the states of the last used layer.
#include "planner/h3/encoder.h"

#include <algorithm>
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

Qwen3Vl take_encoder(const Qwen3VlConfig& config, bool sees, Weights& weights, Residence residence) {
  Qwen3Vl model{.config = config, .decoder = take_qwen3(config.text, weights, residence), .vision = {}};
  if (sees) model.vision = take_vision(config.vision, weights);
  for (const std::string& name : weights.names()) {
    if (is_unused(name, config.text.prefix) || (!sees && name.starts_with("model.visual."))) weights.ignore(name);
  }
  weights.finish();
  return model;
}

// One pass over a presentation.
void read(Context& ctx, const Qwen3Vl& model, KvPool& pool, const Presentation& presentation, const StateReceiver& keep) {
  std::vector<PatchedImage> images;
  for (const Patches& block : presentation.blocks) {
    const std::int64_t width = static_cast<std::int64_t>(block.pixels.size()) / block.grid.patches();
    images.push_back({constant(ctx, block.pixels, {block.grid.patches(), width}), block.grid});
  }
  KvCache cache(pool);
  (void)forward(ctx, model, cache, presentation.tokens, images, Logits::none, keep);
}

}  // namespace

TextEncoder::TextEncoder(const fs::path& folder, bool sees, Weights weights, Machine machine, Residence residence)
    : machine_(std::move(machine)), weights_(std::move(weights)), model_(take_encoder(used_config(folder), sees, weights_, residence)) {}

TextEncoder::TextEncoder(const fs::path& folder, bool sees, Precision precision, Machine machine, Residence residence)
    : TextEncoder(folder, sees, Weights::open(folder, precision, machine.device), machine, residence) {}

std::size_t TextEncoder::arena_bytes(const Presentation& presentation) const {
  return footprint_of(machine_, [&](Context& ctx) {
    KvPool no_pages(model_.decoder.config, 0, /*dry=*/true);
    read(ctx, model_, no_pages, presentation, nullptr);
  });
}

std::size_t TextEncoder::footprint(const Presentation& presentation) const {
  const auto tokens = static_cast<std::int64_t>(presentation.tokens.size());
  return arena_bytes(presentation) + KvPool::bytes(model_.decoder.config, tokens);
}

Conditioning TextEncoder::encode(const Presentation& presentation) const {
  Conditioning conditioning{.dim = model_.decoder.config.hidden, .states = {}, .score_start = {}, .tags = presentation.tags};
  run_in(machine_, arena_bytes(presentation), [&](Context& ctx) {
    KvPool pages(model_.decoder.config, KvPool::pages_of(static_cast<std::int64_t>(presentation.tokens.size())), false, ctx.exec.stream);
    read(ctx, model_, pages, presentation, [&](std::int64_t layer, Tensor states) {
      if (layer == encoder_layers) conditioning.states = to_host(ctx, states);
    });
  });
  return conditioning;
}

PhaseNeeds encoder_needs(const fs::path& folder, bool sees, Precision precision, const Machine& machine,
                         std::span<const Presentation> presentations) {
  const auto measured = [&](Residence residence) {
    return TextEncoder(folder, sees, Weights::measure(folder, precision), machine, residence);
  };
  const TextEncoder resident = measured(Residence::resident);
  PhaseNeeds needs = {resident.bytes(), measured(Residence::streamed).bytes(), 0};
  for (const Presentation& presentation : presentations) needs.activations = std::max(needs.activations, resident.footprint(presentation));
  return needs;
}

}  // namespace fabula::h3
