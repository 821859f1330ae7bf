// torch.Generator's CPU stream (MT19937), so that a seed starts the same film here and in diffusers.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fabula {

/// Draws what torch.rand / torch.randn(generator=torch.Generator("cpu").manual_seed(seed)) draw, float32: uniform values bit for bit,
/// normal ones to the last bits of their logarithms and cosines, for which PyTorch itself has several versions.
class TorchGenerator {
 public:
  explicit TorchGenerator(std::uint64_t seed);
  void uniform(std::span<float> out);
  /// Box-Muller in blocks of 16 for 16 values and more, one at a time below: as at::normal_fill and at::normal do.
  void normal(std::span<float> out);

 private:
  std::uint32_t next();
  float next_uniform();
  double next_normal_double();
  std::vector<std::uint32_t> state_;
  int index_ = 0;
  bool has_cached_ = false;
  double cached_ = 0.0;
};

}  // namespace fabula
