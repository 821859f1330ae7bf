// Random inputs for tests: drawn fresh on every run from a seed that is printed, so that a failure can be run again.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <vector>

namespace fabula::test {

/// The seed of this process: FABULA_TEST_SEED if set, else a fresh one. Printed once.
inline std::uint64_t seed() {
  static const std::uint64_t value = [] {
    const char* given = std::getenv("FABULA_TEST_SEED");
    const std::uint64_t chosen =
        given != nullptr ? std::strtoull(given, nullptr, 10) : (std::uint64_t{std::random_device()()} << 20U) ^ std::random_device()();
    std::printf("random inputs: FABULA_TEST_SEED=%llu repeats this run\n", static_cast<unsigned long long>(chosen));
    std::fflush(stdout);
    return chosen;
  }();
  return value;
}

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  /// In [low, high).
  float uniform(float low = 0.0F, float high = 1.0F) { return low + (high - low) * static_cast<float>(engine_() >> 40U) * 0x1p-24F; }
  /// In [0, count).
  std::int64_t below(std::int64_t count) { return static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(count)); }
  float normal() {
    const double radius = std::sqrt(-2.0 * std::log(1.0 - static_cast<double>(uniform())));
    return static_cast<float>(radius * std::cos(6.283185307179586 * static_cast<double>(uniform())));
  }
  std::vector<float> normals(std::int64_t count) {
    std::vector<float> values(static_cast<std::size_t>(count));
    for (float& value : values) value = normal();
    return values;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace fabula::test
