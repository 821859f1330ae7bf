// MT19937 and PyTorch's two ways from uniform to normal values.
#include "engine/sample/rng.h"

#include <cmath>
#include <numbers>

namespace fabula {
namespace {

// MT19937 (Matsumoto, Nishimura 1998).
constexpr int words = 624, middle = 397;

// at::normal_fill works on blocks of this many.
constexpr std::size_t block = 16;

// Sixteen uniforms become sixteen normals: Box-Muller over the pairs (j, j + 8).
void box_muller_block(float* values) {
  for (std::size_t j = 0; j < block / 2; ++j) {
    const float u1 = 1.0F - values[j];  // (0, 1], so that the logarithm exists
    const float u2 = values[j + block / 2];
    const float radius = std::sqrt(-2.0F * std::log(u1));
    const float theta = 2.0F * std::numbers::pi_v<float> * u2;
    values[j] = radius * std::cos(theta);
    values[j + block / 2] = radius * std::sin(theta);
  }
}

}  // namespace

TorchGenerator::TorchGenerator(std::uint64_t seed) : state_(words), index_(words) {
  state_[0] = static_cast<std::uint32_t>(seed);  // torch seeds with the low 32 bits
  for (std::uint32_t i = 1; i < words; ++i) state_[i] = 1812433253U * (state_[i - 1] ^ (state_[i - 1] >> 30)) + i;
}

std::uint32_t TorchGenerator::next() {
  if (index_ == words) {
    for (int i = 0; i < words; ++i) {
      const auto at = [&](int k) -> std::uint32_t& { return state_[static_cast<std::size_t>(k % words)]; };
      const std::uint32_t mixed = (at(i) & 0x80000000U) | (at(i + 1) & 0x7FFFFFFFU);
      at(i) = at(i + middle) ^ (mixed >> 1) ^ ((mixed & 1U) != 0 ? 0x9908B0DFU : 0U);
    }
    index_ = 0;
  }
  std::uint32_t y = state_[static_cast<std::size_t>(index_++)];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9D2C5680U;
  y ^= (y << 15) & 0xEFC60000U;
  return y ^ (y >> 18);
}

// at::uniform_real_distribution<float>: 24 bits.
float TorchGenerator::next_uniform() { return static_cast<float>(next() & 0xFFFFFFU) * 0x1p-24F; }

// at::normal_distribution<double>: two 53-bit uniforms make two values; the second is kept for the next call.
double TorchGenerator::next_normal_double() {
  if (has_cached_) {
    has_cached_ = false;
    return cached_;
  }
  const auto uniform = [this] {
    const std::uint64_t high = next();
    return static_cast<double>((high << 32 | next()) & ((1ULL << 53) - 1)) * 0x1p-53;
  };
  const double u1 = uniform(), u2 = uniform();
  const double radius = std::sqrt(-2.0 * std::log1p(-u2)), theta = 2.0 * std::numbers::pi * u1;
  cached_ = radius * std::sin(theta);
  has_cached_ = true;
  return radius * std::cos(theta);
}

void TorchGenerator::uniform(std::span<float> out) {
  for (float& value : out) value = next_uniform();
}

void TorchGenerator::normal(std::span<float> out) {
  if (out.size() < block) {
    for (float& value : out) value = static_cast<float>(next_normal_double());
    return;
  }
  uniform(out);
  for (std::size_t i = 0; i + block <= out.size(); i += block) box_muller_block(&out[i]);
  // A remainder shorter than a block: the last sixteen are drawn again.
  if (out.size() % block != 0) {
    const std::span<float> tail = out.last(block);
    uniform(tail);
    box_muller_block(tail.data());
  }
}

}  // namespace fabula
