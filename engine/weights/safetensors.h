// A mapped safetensors file. Format: 8 bytes little-endian header length, JSON header, tensor bytes (huggingface/safetensors).
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "kernels/tensor.h"

namespace fabula {

/// Read-only view of one file; tensors point into the mapping and live as long as this object.
class Safetensors {
 public:
  /// Throws Error: input_missing when it cannot be opened; bad_data for a header longer than the file or 32 MB, malformed JSON, unknown
  /// dtype, duplicate names, a shape that does not match its byte range, overlapping, out-of-range or incomplete ranges, trailing bytes,
  /// rank above 5.
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

}  // namespace fabula
