// A published checkpoint's folder, and what can be said of it before its weights are read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "planner/lm/chat.h"
#include "planner/lm/qwen3.h"

namespace fabula {

/// Bytes in memory.
struct CheckpointMemory {
  Precision precision = Precision::fp32;
  std::size_t decoder = 0;  ///< weights of the language model
  std::size_t vision = 0;   ///< weights of the vision tower, which is read when there is an image
};

struct Checkpoint {
  std::filesystem::path folder;
  std::string model_type;  ///< qwen3, qwen3_moe or qwen3_vl
  Qwen3Config config;
  bool sees = false;            ///< it has a vision tower
  std::int64_t parameters = 0;  ///< stored ones, the tower's included
  std::size_t stored_bytes = 0;
  bool sixteen_bit = false;              ///< stored in 16 bits: bf16 is read where it lies in the file
  std::vector<CheckpointMemory> memory;  ///< fp32, bf16, int8
  std::size_t kv_per_token = 0;          ///< bytes of keys and values
  std::size_t activations = 0;           ///< bytes of the arena that reading text takes
  std::int32_t tokens = 0;               ///< that the tokenizer knows
  ChatForm chat;
  std::vector<std::int32_t> stops;

  /// Reads the configuration, the tokenizer, the headers of the weights and no weight. Throws Error: input_missing for a missing file,
  /// bad_data for what is malformed, of another shape than config.json says, or not supported.
  static Checkpoint open(const std::filesystem::path& folder);
  /// What `--lm-precision auto` takes: bf16 where the weights are stored in 16 bits or the processor multiplies bf16, else fp32.
  [[nodiscard]] Precision natural_precision() const;
};

}  // namespace fabula
