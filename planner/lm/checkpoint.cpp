// Opens a published checkpoint without its weights, and computes its memory per precision.
#include "planner/lm/checkpoint.h"

#include "base/error.h"
#include "planner/lm/gguf_model.h"
#include "planner/lm/passes.h"
#include "planner/lm/qwen3_vl.h"

namespace fabula {
namespace {

namespace fs = std::filesystem;

Qwen3Config configuration_in(const fs::path& path) {
  return Gguf::is_one(path) ? config_of(Gguf::open(path)) : Qwen3Config::open(path / "config.json");
}

// A dry load checks the names and shapes of all weights and counts their bytes.
CheckpointMemory memory_of(const Checkpoint& checkpoint, Precision precision) {
  CheckpointMemory memory{.precision = precision};
  Weights weights = checkpoint.open_weights(precision).measured();
  if (!checkpoint.sees) {
    (void)load_qwen3(checkpoint.config, weights);
    memory.decoder = weights.bytes();
    return memory;
  }
  (void)take_qwen3(checkpoint.config, weights);
  memory.decoder = weights.bytes();
  (void)take_vision(Qwen3VlConfig::open(checkpoint.path / "config.json").vision, weights);
  weights.finish();
  memory.vision = weights.bytes() - memory.decoder;
  return memory;
}

// How it is talked to.
void read_conversation(Checkpoint& checkpoint) {
  const Tokenizer tokenizer = checkpoint.tokenizer();
  checkpoint.tokens = tokenizer.size();
  if (checkpoint.tokens > checkpoint.config.vocabulary) {
    throw Error(ExitCode::bad_data, checkpoint.path.string() + ": the tokenizer has " + std::to_string(checkpoint.tokens) +
                                        " tokens, the model " + std::to_string(checkpoint.config.vocabulary));
  }
  if (Gguf::is_one(checkpoint.path)) {
    const Gguf file = Gguf::open(checkpoint.path);
    checkpoint.chat = chat_of(file);
    checkpoint.stops = stops_of(file, tokenizer);
  } else {
    checkpoint.chat = ChatForm::open(checkpoint.path);
    checkpoint.stops = stop_tokens(checkpoint.path, tokenizer);
  }
  if (checkpoint.chat.source.empty() && tokenizer.added("<|start_header_id|>")) checkpoint.chat.turns = Turns::llama3;
}

}  // namespace

Tokenizer Checkpoint::tokenizer() const {
  return Gguf::is_one(path) ? tokenizer_of(Gguf::open(path)) : Tokenizer::open(path / "tokenizer.json");
}

Weights Checkpoint::open_weights(Precision precision, DeviceKind device) const {
  if (Gguf::is_one(path)) return Weights::open(weights_of(Gguf::open(path), config), precision, device);
  return Weights::open(path, precision, device);
}

Checkpoint Checkpoint::open(const fs::path& path) {
  Checkpoint checkpoint;
  checkpoint.path = path;
  if (!fs::is_directory(path) && !Gguf::is_one(path))
    throw Error(ExitCode::input_missing, path.string() + " is neither a folder of a checkpoint nor a GGUF file");
  checkpoint.config = configuration_in(path);
  const Qwen3Config& config = checkpoint.config;
  read_conversation(checkpoint);
  const Weights stored = checkpoint.open_weights(Precision::fp32).measured();
  checkpoint.parameters = stored.stored_parameters();
  checkpoint.stored_bytes = stored.stored_bytes();
  checkpoint.sixteen_bit = checkpoint.stored_bytes < static_cast<std::size_t>(checkpoint.parameters) * 3;
  checkpoint.sees = config.prefix != Qwen3Config().prefix && stored.has("model.visual.patch_embed.proj.weight");
  checkpoint.model_type = config.model_type;
  for (const Precision precision : {Precision::fp32, Precision::bf16, Precision::int8})
    checkpoint.memory.push_back(memory_of(checkpoint, precision));
  checkpoint.kv_per_token = static_cast<std::size_t>(2 * config.layers * config.kv_heads * config.head_dim) * sizeof(float);
  Weights weights = checkpoint.open_weights(Precision::bf16).measured();
  checkpoint.activations = forward_footprint(load_qwen3(config, weights), Passes::usual);
  return checkpoint;
}

Precision Checkpoint::natural_precision() const { return sixteen_bit ? Precision::bf16 : Precision::fp32; }

}  // namespace fabula
