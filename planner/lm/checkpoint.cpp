// Opens a published checkpoint without its weights, and computes its memory per precision.
#include "planner/lm/checkpoint.h"

#include <algorithm>

#include "base/error.h"
#include "planner/lm/passes.h"
#include "planner/lm/qwen3_vl.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;

// A dry load checks the names and shapes of all weights and counts their bytes.
CheckpointMemory memory_of(const fs::path& folder, const Qwen3Config& config, bool sees, Precision precision) {
  CheckpointMemory memory{.precision = precision};
  Weights weights = Weights::measure(folder, precision);
  if (!sees) {
    (void)load_qwen3(config, weights);
    memory.decoder = weights.bytes();
    return memory;
  }
  (void)take_qwen3(config, weights);
  memory.decoder = weights.bytes();
  (void)take_vision(Qwen3VlConfig::open(folder / "config.json").vision, weights);
  weights.finish();
  memory.vision = weights.bytes() - memory.decoder;
  return memory;
}

}  // namespace

Checkpoint Checkpoint::open(const fs::path& folder) {
  Checkpoint checkpoint;
  checkpoint.folder = folder;
  if (!fs::is_directory(folder)) throw Error(ExitCode::input_missing, folder.string() + " is no folder of a checkpoint");
  checkpoint.config = Qwen3Config::open(folder / "config.json");
  const Qwen3Config& config = checkpoint.config;
  const bool sparse = std::find(config.sparse.begin(), config.sparse.end(), true) != config.sparse.end();
  const Tokenizer tokenizer = Tokenizer::open(folder / "tokenizer.json");
  checkpoint.tokens = tokenizer.size();
  if (checkpoint.tokens > config.vocabulary) {
    throw Error(ExitCode::bad_data, folder.string() + ": tokenizer.json has " + std::to_string(checkpoint.tokens) + " tokens, the model " +
                                        std::to_string(config.vocabulary));
  }
  checkpoint.chat = ChatForm::open(folder);
  checkpoint.stops = stop_tokens(folder, tokenizer);

  const Weights stored = Weights::measure(folder, Precision::fp32);
  checkpoint.parameters = stored.stored_parameters();
  checkpoint.stored_bytes = stored.stored_bytes();
  checkpoint.sixteen_bit = checkpoint.stored_bytes < static_cast<std::size_t>(checkpoint.parameters) * 3;
  const bool multimodal = config.prefix != Qwen3Config().prefix;
  checkpoint.sees = multimodal && stored.has("model.visual.patch_embed.proj.weight");
  checkpoint.model_type = multimodal ? "qwen3_vl" : sparse ? "qwen3_moe" : "qwen3";
  for (const Precision precision : {Precision::fp32, Precision::bf16, Precision::int8}) {
    checkpoint.memory.push_back(memory_of(folder, config, checkpoint.sees, precision));
  }
  checkpoint.kv_per_token = static_cast<std::size_t>(2 * config.layers * config.kv_heads * config.head_dim) * sizeof(float);
  Weights weights = Weights::measure(folder, Precision::bf16);
  checkpoint.activations = forward_footprint(load_qwen3(config, weights), Passes::usual);
  return checkpoint;
}

Precision Checkpoint::natural_precision() const { return sixteen_bit || cpu_has_bf16() ? Precision::bf16 : Precision::fp32; }

}  // namespace fabula
