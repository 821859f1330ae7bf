// Qwen3ForCausalLM, Qwen3MoeForCausalLM and Qwen3VLForConditionalGeneration: one prefill with every layer's states and all logits; then the
// same prompt in chunks and greedy tokens one by one.
#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "planner/lm/qwen3_vl.h"
#include "tools/golden_check/parameters.h"

namespace fabula::golden {
namespace {

using nlohmann::json;
using Tokens = std::vector<std::int32_t>;

// (batch, n) int64 -> the tokens of one item
Tokens tokens_of(const Tensor& stored, std::int64_t item) {
  const std::int64_t rank = stored.shape.rank();
  if (stored.dtype != DType::i64 || rank < 1 || rank > 2 || stored.width() == 0 || item >= stored.rows()) {
    throw Error(ExitCode::bad_data, "its token ids are not (batch, n) int64");
  }
  std::vector<std::int64_t> ids(static_cast<std::size_t>(stored.width()));  // the mapped file need not be aligned
  std::memcpy(ids.data(), stored.as<std::byte>() + static_cast<std::size_t>(item) * ids.size() * sizeof(std::int64_t),
              ids.size() * sizeof(std::int64_t));
  Tokens tokens;
  for (const std::int64_t id : ids) {
    if (id < 0 || id > 0x7fffffff) throw Error(ExitCode::bad_data, "a token id is out of range");
    tokens.push_back(static_cast<std::int32_t>(id));
  }
  return tokens;
}

// Whichever decoder the part names, as a model that may see.
Qwen3Vl load(const Case& one, Weights& weights) {
  const std::filesystem::path config = one.weights / "config.json";
  if (one.part == "qwen3_vl") return load_qwen3_vl(Qwen3VlConfig::open(config), weights);
  Qwen3Vl blind;
  blind.decoder = load_qwen3(Qwen3Config::open(config), weights);
  return blind;
}

// The metadata's [frames, height, width] of each image, one after the other.
std::vector<PatchGrid> grids_of(const json& parameters) {
  std::vector<PatchGrid> grids;
  const auto found = parameters.find("image_grid_thw");
  if (found == parameters.end()) return grids;
  const auto is_extent = [](const json& value) { return value.is_number_integer() && value > 0 && value <= 4096; };
  if (!found->is_array() || found->size() % 3 != 0 || !std::all_of(found->begin(), found->end(), is_extent)) {
    throw Error(ExitCode::bad_data, "its image_grid_thw makes no sense");
  }
  for (std::size_t i = 0; i < found->size(); i += 3) {
    if (found->at(i) != 1) throw Error(ExitCode::bad_data, "an image has more than one frame");
    grids.push_back({found->at(i + 1), found->at(i + 2)});
  }
  return grids;
}

// A prompt: what a case reads before it writes.
struct Prompt {
  Tokens tokens;
  std::vector<PatchGrid> grids;
  std::vector<float> pixels;  // of all images

  std::vector<PatchedImage> images(Context& ctx, const VisionConfig& config) const {
    std::vector<PatchedImage> images;
    std::span<const float> left(pixels);
    for (const PatchGrid& grid : grids) {
      const auto count = static_cast<std::size_t>(grid.patches() * config.patch_width());
      if (count > left.size()) throw Error(ExitCode::bad_data, "in.pixel_values holds fewer patches than the images have");
      images.push_back({constant(ctx, left.first(count), {grid.patches(), config.patch_width()}), grid});
      left = left.subspan(count);
    }
    if (!left.empty()) throw Error(ExitCode::bad_data, "in.pixel_values holds more patches than the images have");
    return images;
  }
};

void check_prefill(const Qwen3Vl& model, const Setup& setup, const Prompt& prompt, std::int64_t item, std::int64_t items,
                   Comparison& compare) {
  const auto keep = [&](std::int64_t layer, Tensor states) {
    const std::string name = "tap.hidden_states." + std::to_string(layer);
    if (compare.wants(name)) compare.slice(name, item, items, states);
  };
  run_sized(setup, [&](Context& ctx) {
    KvPool pages(model.decoder.config, 0, ctx.arena.is_dry(), ctx.exec.stream);
    KvCache cache(pages);
    const Tensor logits = forward(ctx, model, cache, prompt.tokens, prompt.images(ctx, model.config.vision), Logits::all, keep);
    if (compare.wants("out.logits")) compare.slice("out.logits", item, items, logits);
  });
}

// A model that reads piece by piece. On the dry device there are no numbers to keep.
struct Generation {
  Context& ctx;
  const Qwen3Vl& model;
  std::int64_t tap_layer;
  KvPool pages{model.decoder.config, 0, ctx.arena.is_dry(), ctx.exec.stream};
  KvCache cache{pages};
  std::vector<float> states{}, logits{};

  void read(std::span<const std::int32_t> tokens, std::span<const PatchedImage> images) {
    const auto keep = [this](std::int64_t layer, Tensor tensor) {
      if (layer != tap_layer) return;
      const std::vector<float> values = to_host(ctx, tensor);
      states.insert(states.end(), values.begin(), values.end());
    };
    const Arena::Scope scope(ctx.arena);
    const Tensor last = forward(ctx, model, cache, tokens, images, Logits::last, keep);
    logits = to_host(ctx, last);
  }

  // In chunks of about seven tokens; an image is not cut.
  void read_prompt(const Prompt& prompt) {
    const std::vector<PatchedImage> images = prompt.images(ctx, model.config.vision);
    const std::span<const std::int32_t> tokens(prompt.tokens);
    const auto visual = [&](std::size_t at) { return at < tokens.size() && tokens[at] == model.config.image_token; };
    std::size_t image = 0;
    for (std::size_t begin = 0, end = 0; begin < tokens.size(); begin = end) {
      std::size_t runs = 0;
      while (end < tokens.size() && (end < begin + 7 || (visual(end - 1) && visual(end)))) {
        if (visual(end) && (end == begin || !visual(end - 1))) ++runs;
        ++end;
      }
      runs = std::min(runs, images.size() - image);
      read(tokens.subspan(begin, end - begin), std::span(images).subspan(image, runs));
      image += runs;
    }
  }
};

// The reference's greedy tokens are followed. In float32 each must be the likeliest; with bf16 operands nearly equal logits may change
// places.
void check_generation(const Qwen3Vl& model, const Setup& setup, const Prompt& prompt, const Tokens& greedy, std::int64_t tap_layer,
                      std::int64_t item, std::int64_t items, Comparison& compare) {
  constexpr float bf16_tie = 0.2F;
  const auto is_unknown = [&](std::int32_t token) { return token >= model.decoder.config.vocabulary; };
  if (std::any_of(greedy.begin(), greedy.end(), is_unknown)) throw Error(ExitCode::bad_data, "a greedy token is outside the vocabulary");
  run_sized(setup, [&](Context& ctx) {
    Generation generation{ctx, model, tap_layer};
    generation.read_prompt(prompt);
    for (const std::int32_t& expected : greedy) {
      const std::vector<float>& logits = generation.logits;
      if (!ctx.arena.is_dry()) {
        const auto best = std::max_element(logits.begin(), logits.end());
        const bool same = best - logits.begin() == expected;
        const bool tied = setup.precision == Precision::bf16 && *best - logits[static_cast<std::size_t>(expected)] < bf16_tie;
        compare.exact(same || tied, "the greedy tokens differ");
      }
      generation.read(std::span(&expected, 1), {});
    }
    if (ctx.arena.is_dry()) return;
    std::vector<std::int64_t> followed(greedy.begin(), greedy.end());
    const auto written = static_cast<std::int64_t>(greedy.size()), rows = static_cast<std::int64_t>(prompt.tokens.size()) + written;
    if (compare.wants("out.greedy"))
      compare.slice("out.greedy", item, items, {.data = followed.data(), .shape = {written}, .dtype = DType::i64});
    if (compare.wants("out.tap_states")) {
      if (generation.states.empty()) throw Error(ExitCode::bad_data, "its metadata's tap_layer is no layer of the model");
      compare.slice("out.tap_states", item, items, {.data = generation.states.data(), .shape = {rows, model.decoder.config.hidden}});
    }
  });
}

// Token types: 1 for placeholders.
void check_types(const Case& one, const Qwen3Vl& model, const Tokens& tokens, Comparison& compare) {
  if (!one.has("in.mm_token_type_ids")) return;
  const Tokens types = tokens_of(one.in("mm_token_type_ids"), 0);
  const auto agrees = [&](std::int32_t token, std::int32_t type) { return type == (token == model.config.image_token ? 1 : 0); };
  compare.exact(std::equal(tokens.begin(), tokens.end(), types.begin(), types.end(), agrees),
                "in.mm_token_type_ids are not those of the tokens");
}

}  // namespace

void run_qwen3(const Case& one, const Setup& setup, Comparison& compare) {
  const json parameters = json::parse(one.parameters);
  const json tap_layer = parameters.value("tap_layer", json(0));
  if (!tap_layer.is_number_integer()) throw Error(ExitCode::bad_data, "its metadata's tap_layer is not an integer");
  if (setup.machine.device != DeviceKind::cpu)
    throw Error(ExitCode::unavailable, "the language model's cache of keys and values is on the host: run it there");
  Weights weights = Weights::open(one.weights, setup.precision, setup.machine.device);
  const Qwen3Vl model = load(one, weights);
  const Tensor prompts = one.in("input_ids");
  const std::int64_t items = prompts.shape.rank() == 2 ? prompts.shape[0] : 1;
  Prompt prompt;
  prompt.grids = grids_of(parameters);
  if (one.has("in.pixel_values")) prompt.pixels = floats(one.in("pixel_values"));
  if (items != 1 && !prompt.grids.empty()) throw Error(ExitCode::bad_data, "a case with images has more than one prompt");
  for (std::int64_t item = 0; item < items; ++item) {
    prompt.tokens = tokens_of(prompts, item);
    check_types(one, model, prompt.tokens, compare);
    check_prefill(model, setup, prompt, item, items, compare);
    const Tokens greedy = one.has("out.greedy") ? tokens_of(one.tensors->at("out.greedy"), item) : Tokens{};
    check_generation(model, setup, prompt, greedy, tap_layer.get<std::int64_t>(), item, items, compare);
  }
}

}  // namespace fabula::golden
