// MiniMaxH3Transformer3DModel: one forward, with the arguments of the reference's.
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "tools/golden_check/parameters.h"
#include "video/h3/adapter.h"
#include "video/h3/dit.h"

namespace fabula::golden {
namespace {

std::vector<std::int32_t> indices_of(const Case& one, const std::string& name) {
  std::vector<std::int32_t> indices;
  for (const std::int64_t value : integers(one.in(name))) {
    if (value < 0 || value > INT32_MAX) throw Error(ExitCode::bad_data, "in." + name + " holds " + std::to_string(value));
    indices.push_back(static_cast<std::int32_t>(value));
  }
  return indices;
}

h3::Layout layout_of(const Case& one) {
  const Tensor positions = one.in("position_ids");
  if (positions.dtype != DType::f64) throw Error(ExitCode::bad_data, "in.position_ids is not float64");
  h3::Layout layout;
  layout.positions.resize(static_cast<std::size_t>(positions.elements()));
  if (!layout.positions.empty()) std::memcpy(layout.positions.data(), positions.data, positions.bytes());
  layout.tags = indices_of(one, "token_tags");
  layout.video = indices_of(one, "video_indices");
  layout.audio = indices_of(one, "audio_indices");
  layout.text = indices_of(one, "text_indices");
  return layout;
}

// (batch, rows, width) -> (rows, width) of one item, in the arena.
Tensor item_of(Context& ctx, const Case& one, const std::string& name, std::int64_t item) {
  const Tensor stored = one.in(name);
  if (stored.shape.rank() != 3 || item >= stored.shape[0]) throw Error(ExitCode::bad_data, "in." + name + " is not (batch, rows, width)");
  return constant(ctx, floats(stored.slice(item, 1)), {stored.shape[1], stored.shape[2]});
}

// The batch shares timesteps and positions; what follows from them alone has no batch axis.
bool is_shared(const std::string& module) { return module.rfind("rope.", 0) == 0 || module.rfind("time_", 0) == 0; }

// The weights with what the case's LoRA files, beside it, add to them: "FILE:scale".
h3::Dit dit_of(const Case& one, const Setup& setup) {
  Weights weights = Weights::open(one.weights, setup.precision, setup.machine.device);
  for (const auto& entry : nlohmann::json::parse(one.parameters).value("lora", std::vector<std::string>())) {
    const std::size_t colon = entry.rfind(':');
    h3::add_adapter(weights, {one.file.parent_path() / entry.substr(0, colon), std::stod(entry.substr(colon + 1))}, /*follows=*/false);
  }
  return h3::Dit::take(h3::DitConfig::load(one.weights), std::move(weights), Residence::resident);
}

}  // namespace

void run_transformer(const Case& one, const Setup& setup, Comparison& compare) {
  const h3::Dit dit = dit_of(one, setup);
  const h3::Layout layout = layout_of(one);
  const auto timestep_indices = indices_of(one, "timestep_indices");
  const auto timesteps = floats(one.in("timestep"));
  const Tensor hidden_states = one.in("hidden_states");
  const std::int64_t items = hidden_states.shape.rank() == 3 ? hidden_states.shape[0] : 1;
  for (std::int64_t item = 0; item < items; ++item) {
    const Tap tap([&](const std::string& module, Tensor out) {
      if (!is_shared(module))
        compare.slice("tap." + module, item, items, out);
      else if (item == 0)
        compare("tap." + module, out);
    });
    run_sized(setup, [&](Context& ctx) {
      const h3::DitSequence sequence = prepare(ctx, dit, item_of(ctx, one, "encoder_hidden_states", item), layout, timesteps, tap);
      const h3::DitOutput out = forward(ctx, dit, sequence, item_of(ctx, one, "hidden_states", item),
                                        item_of(ctx, one, "audio_hidden_states", item), timestep_indices, tap);
      compare.slice("out.sample", item, items, out.video);
      compare.slice("out.audio_sample", item, items, out.audio);
    });
  }
}

}  // namespace fabula::golden
