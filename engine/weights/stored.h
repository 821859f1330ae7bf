// The weights of one model as files hold them, before they are converted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "engine/weights/blocks.h"
#include "kernels/tensor.h"

namespace fabula {

/// A low-rank addition to a weight (out, in): factor · up (out, rank) · down (rank, in), row-major (LoRA, Hu et al. 2021).
struct LowRank {
  std::int64_t rank = 0;
  std::vector<float> up, down;
  float factor = 1.0F;
};

struct StoredWeight {
  Tensor tensor;                        ///< its dtype counts unless there are blocks
  const BlockFormat* blocks = nullptr;  ///< of the bytes at tensor.data
  /// Not 0: the rows of each of so many heads are stored in the order 0, d/2, 1, d/2 + 1, …, as GGUF files of Llama do, whose rope turns
  /// neighbours. They are read in the order 0, 1, 2, …
  std::int64_t interleaved_heads = 0;
  std::vector<std::shared_ptr<const LowRank>> additions = {};  ///< to what is stored, in their order, as it is read

  [[nodiscard]] std::size_t bytes() const {
    return blocks == nullptr ? tensor.bytes() : static_cast<std::size_t>(tensor.elements() / blocks->weights) * blocks->bytes;
  }
};

struct StoredModel {
  std::filesystem::path path;  ///< of the folder or file, for messages
  std::map<std::string, StoredWeight> weights;
  std::shared_ptr<const void> memory;  ///< keeps the mapped files; pages that have been converted are let go
};

}  // namespace fabula
