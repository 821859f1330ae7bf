// Qwen3ForCausalLM: one prefill with every layer's states and all logits; then the same prompt in chunks and greedy tokens one by one.
#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <vector>

#include "planner/lm/qwen3.h"
#include "tools/golden_check/runner.h"

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
  std::memcpy(ids.data(), stored.as<std::byte>() + static_cast<std::size_t>(item) * ids.size() * sizeof(std::int64_t), ids.size() * sizeof(std::int64_t));
  Tokens tokens;
  for (const std::int64_t id : ids) {
    if (id < 0 || id > 0x7fffffff) throw Error(ExitCode::bad_data, "a token id is out of range");
    tokens.push_back(static_cast<std::int32_t>(id));
  }
  return tokens;
}

Arena sized(const Qwen3& model, std::int64_t rows, Logits wanted) {
  constexpr std::size_t limit = std::size_t{4} << 30;
  const std::size_t bytes = std::max(forward_footprint(model, rows, wanted), forward_footprint(model, 1, Logits::last));
  if (bytes > limit) throw Error(ExitCode::bad_data, "the case asks for more than 4 GB of memory");
  return Arena(bytes);
}

void check_prefill(const Qwen3& model, const Setup& setup, const Tokens& prompt, std::int64_t item, std::int64_t items, Comparison& compare) {
  Arena arena = sized(model, static_cast<std::int64_t>(prompt.size()), Logits::all);
  Context ctx{*setup.kernels, arena, {setup.pool, nullptr}};
  KvCache cache(model.config);
  const auto keep = [&](std::int64_t layer, Tensor states) {
    const std::string name = "tap.hidden_states." + std::to_string(layer);
    if (compare.wants(name)) compare.slice(name, item, items, states);
  };
  const Tensor logits = forward(ctx, model, cache, prompt, Logits::all, keep);
  if (compare.wants("out.logits")) compare.slice("out.logits", item, items, logits);
}

// The reference's greedy tokens are followed. In float32 each must be the likeliest; with bf16 operands nearly equal logits may change places.
void check_generation(const Qwen3& model, const Setup& setup, Tokens tokens, const Tokens& greedy, std::int64_t tap_layer, std::int64_t item,
                      std::int64_t items, Comparison& compare) {
  constexpr std::size_t chunk = 7;
  constexpr float bf16_tie = 0.2F;
  Arena arena = sized(model, chunk, Logits::last);
  Context ctx{*setup.kernels, arena, {setup.pool, nullptr}};
  KvCache cache(model.config);
  std::vector<float> states;
  const auto keep = [&](std::int64_t layer, Tensor tensor) {
    if (layer == tap_layer) states.insert(states.end(), tensor.f32(), tensor.f32() + tensor.elements());
  };
  std::vector<float> logits;
  const auto read = [&](std::span<const std::int32_t> part) {
    const Arena::Scope scope(arena);
    const Tensor last = forward(ctx, model, cache, part, Logits::last, keep);
    logits.assign(last.f32(), last.f32() + last.elements());
  };
  for (std::size_t at = 0; at < tokens.size(); at += chunk) read(std::span(tokens).subspan(at, std::min(chunk, tokens.size() - at)));
  for (const std::int32_t expected : greedy) {
    if (expected >= model.config.vocabulary) throw Error(ExitCode::bad_data, "a greedy token is outside the vocabulary");
    const auto best = std::max_element(logits.begin(), logits.end());
    const bool same = best - logits.begin() == expected;
    const bool tied = setup.precision == Precision::bf16 && *best - logits[static_cast<std::size_t>(expected)] < bf16_tie;
    compare.exact(same || tied, "the greedy tokens differ");
    tokens.push_back(expected);
    read(std::span(tokens).last(1));
  }
  if (compare.wants("out.greedy")) {
    std::vector<std::int64_t> followed(greedy.begin(), greedy.end());
    compare.slice("out.greedy", item, items, {.data = followed.data(), .shape = {static_cast<std::int64_t>(followed.size())}, .dtype = DType::i64});
  }
  if (compare.wants("out.tap_states")) {
    const auto rows = static_cast<std::int64_t>(tokens.size());
    compare.slice("out.tap_states", item, items, {.data = states.data(), .shape = {rows, model.config.hidden}});
  }
}

}  // namespace

void run_qwen3(const Case& one, const Setup& setup, Comparison& compare) {
  const json parameters = json::parse(one.parameters);
  const json tap_layer = parameters.value("tap_layer", json(0));
  if (!tap_layer.is_number_integer()) throw Error(ExitCode::bad_data, "its metadata's tap_layer is not an integer");
  Weights weights = Weights::open(one.weights, setup.precision);
  const Qwen3 model = load_qwen3(Qwen3Config::open(one.weights / "config.json"), weights);
  const Tensor prompts = one.in("input_ids");
  const std::int64_t items = prompts.shape.rank() == 2 ? prompts.shape[0] : 1;
  for (std::int64_t item = 0; item < items; ++item) {
    const Tokens prompt = tokens_of(prompts, item);
    check_prefill(model, setup, prompt, item, items, compare);
    const Tokens greedy = one.has("out.greedy") ? tokens_of(one.tensors->at("out.greedy"), item) : Tokens{};
    check_generation(model, setup, prompt, greedy, tap_layer.get<std::int64_t>(), item, items, compare);
  }
}

}  // namespace fabula::golden
