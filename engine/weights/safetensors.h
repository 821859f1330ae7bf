// A mapped safetensors file. Format: 8 bytes little-endian header length, JSON header, tensor bytes (huggingface/safetensors).
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/tensor.h"

namespace fabula {

/// Read-only view of one file; tensors point into the mapping and live as long as this object.
class Safetensors {
 public:
  /// Throws Error: input_missing when it cannot be opened; bad_data for a header longer than the file or 32 MB, malformed JSON, unknown
  /// dtype or one that has no kernels (FP8), duplicate names, a shape that does not match its byte range, overlapping, out-of-range or
  /// incomplete ranges, trailing bytes, rank above 5.
  static Safetensors open(const std::filesystem::path& file);

  [[nodiscard]] const std::map<std::string, Tensor>& tensors() const { return tensors_; }
  [[nodiscard]] bool has(const std::string& name) const { return tensors_.contains(name); }
  /// Throws Error(bad_data) naming the file and the tensor when absent.
  [[nodiscard]] Tensor at(const std::string& name) const;
  /// `__metadata__`
  [[nodiscard]] const std::map<std::string, std::string>& metadata() const { return metadata_; }
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  std::shared_ptr<const void> mapping_;
  std::map<std::string, Tensor> tensors_;
  std::map<std::string, std::string> metadata_;
};

/// A float32 tensor to be written.
struct NamedTensor {
  std::string name;
  std::span<const std::int64_t> shape;
  std::span<const float> values;  ///< row-major
};

/// A whole file: the same tensors and metadata give the same bytes.
[[nodiscard]] std::vector<std::byte> safetensors_bytes(const std::vector<NamedTensor>& tensors,
                                                       const std::map<std::string, std::string>& metadata);

}  // namespace fabula
