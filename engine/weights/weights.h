// Weights: name -> tensor over the safetensors files of one model folder.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/context.h"
#include "engine/ops.h"
#include "engine/weights/stored.h"

namespace fabula {

/// Opens `model.safetensors`, `diffusion_pytorch_model.safetensors` or the shards that a `*.safetensors.index.json` lists.
/// Each tensor is taken exactly once; finish() throws if any is left. Tensors stay valid as long as this object (it is movable).
/// Errors: input_missing for absent files, bad_data for everything malformed, each naming file and tensor.
class Weights {
 public:
  /// With a device other than the host, what is taken is copied there.
  static Weights open(const std::filesystem::path& folder, Precision precision = Precision::fp32, DeviceKind device = DeviceKind::cpu);
  /// Of a model that somebody else mapped (Gguf).
  static Weights open(const StoredModel& model, Precision precision, DeviceKind device = DeviceKind::cpu);
  /// Reads and converts no weight: tensors have shapes and no data, and bytes() is what they would cost in memory.
  [[nodiscard]] Weights measured() &&;
  /// The weights of a folder, measured().
  static Weights measure(const std::filesystem::path& folder, Precision precision);
  ~Weights();
  Weights(Weights&&) noexcept;
  Weights& operator=(Weights&&) noexcept;

  [[nodiscard]] bool has(std::string_view name) const;
  [[nodiscard]] Shape shape(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names() const;

  /// Adds to a matrix (out, in) whatever is taken of it from here on. Throws Error(bad_data) where it is not of that shape.
  void add(const std::string& name, std::shared_ptr<const LowRank> addition);

  /// The tensor as f32 (mapped where it is stored so, else converted once).
  [[nodiscard]] Tensor take(const std::string& name, Shape expected);
  /// The same as values on the host, whatever the device.
  [[nodiscard]] std::vector<float> take_values(const std::string& name, Shape expected);
  /// A matrix operand of a product: f32 under Precision::fp32, bf16 otherwise.
  [[nodiscard]] Tensor take_matrix(const std::string& name, Shape expected);
  /// `prefix.weight` (out, in) and, when `bias`, `prefix.bias` (out). Under Precision::int8 the weight is i8, each row round(w / scale)
  /// with scale = max|w| / 127, and the scales are (out).
  [[nodiscard]] Linear take_linear(const std::string& prefix, std::int64_t in, std::int64_t out, bool bias);
  /// A convolution weight stored as torch.nn.utils.weight_norm leaves it (`prefix.weight_g`, `prefix.weight_v`), folded: g·v/‖v‖ over
  /// all axes but the first.
  [[nodiscard]] Tensor take_weight_norm(const std::string& prefix, Shape expected);
  /// Marks a tensor as known and unused (a buffer that the engine computes itself).
  void ignore(const std::string& name);
  /// Throws Error(bad_data) naming a tensor that was not taken.
  void finish() const;

  // What Layers (layers.h) is made of.
  /// Runs `take`, which takes what it likes: that is claimed and not read, tensors have shapes and no data. Returns the bytes of a slot
  /// that would hold it all.
  [[nodiscard]] std::size_t claimed(const std::function<void()>& take);
  /// The same stored weights, to be read into slots. Throws Error(unavailable) for a device other than the host.
  [[nodiscard]] Weights reader() const;
  /// What is taken from here on, any number of times, is copied into the slot, from its beginning on.
  void read_into(std::span<std::byte> slot);

  /// Bytes of parameters that have been taken, as they are in memory.
  [[nodiscard]] std::size_t bytes() const;
  /// How many parameters are stored, and in how many bytes.
  [[nodiscard]] std::int64_t stored_parameters() const;
  [[nodiscard]] std::size_t stored_bytes() const;

 private:
  struct Impl;
  explicit Weights(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace fabula
