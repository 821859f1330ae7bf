// Vector loops that do nothing but multiply and add, and nothing but read.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/peak_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/peak.h"
#include "kernels/simd-inl.h"

HWY_BEFORE_NAMESPACE();
namespace fabula {
namespace HWY_NAMESPACE {

// Twelve chains hide the latency of a multiplication and addition on two units (four cycles each), with registers to spare in AVX2's
// sixteen. Returns the operations; `sink` keeps the compiler from dropping them.
double multiply_adds(std::int64_t rounds, float* sink) {
  const auto a = wide(0.999F), b = wide(1e-3F);
  auto s0 = wide(0.0F), s1 = wide(0.1F), s2 = wide(0.2F), s3 = wide(0.3F), s4 = wide(0.4F), s5 = wide(0.5F), s6 = wide(0.6F),
       s7 = wide(0.7F), s8 = wide(0.8F), s9 = wide(0.9F), s10 = wide(1.0F), s11 = wide(1.1F);
  for (std::int64_t i = 0; i < rounds; ++i) {
    s0 = hn::MulAdd(s0, a, b), s1 = hn::MulAdd(s1, a, b), s2 = hn::MulAdd(s2, a, b), s3 = hn::MulAdd(s3, a, b);
    s4 = hn::MulAdd(s4, a, b), s5 = hn::MulAdd(s5, a, b), s6 = hn::MulAdd(s6, a, b), s7 = hn::MulAdd(s7, a, b);
    s8 = hn::MulAdd(s8, a, b), s9 = hn::MulAdd(s9, a, b), s10 = hn::MulAdd(s10, a, b), s11 = hn::MulAdd(s11, a, b);
  }
  const auto low = hn::Add(hn::Add(hn::Add(s0, s1), hn::Add(s2, s3)), hn::Add(s4, s5));
  const auto high = hn::Add(hn::Add(hn::Add(s6, s7), hn::Add(s8, s9)), hn::Add(s10, s11));
  *sink = hn::GetLane(hn::SumOfLanes(Wide(), hn::Add(low, high)));
  return 12.0 * 2.0 * static_cast<double>(rounds * static_cast<std::int64_t>(hn::Lanes(Wide())));
}

// The sum of `count` floats, a multiple of eight vectors.
float read_all(const float* x, std::int64_t count) {
  const Floats d;
  Vec s0 = hn::Zero(d), s1 = s0, s2 = s0, s3 = s0;
  for (std::int64_t i = 0; i < count; i += 4 * lanes()) {
    s0 = hn::Add(s0, hn::LoadU(d, x + i)), s1 = hn::Add(s1, hn::LoadU(d, x + i + lanes()));
    s2 = hn::Add(s2, hn::LoadU(d, x + i + 2 * lanes())), s3 = hn::Add(s3, hn::LoadU(d, x + i + 3 * lanes()));
  }
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(s0, s1), hn::Add(s2, s3))));
}

}  // namespace HWY_NAMESPACE
}  // namespace fabula
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include <algorithm>
#include <chrono>
#include <vector>

#include "kernels/instruction_set.h"
#include "kernels/multiply.h"
#include "kernels/pieces.h"

namespace fabula {
namespace {

HWY_EXPORT(multiply_adds);
HWY_EXPORT(read_all);

// Amount a second of the best of `tries` calls of work(i): whatever else the machine does makes one slower only, so each is short.
template <typename Work>
double best_rate(double amount, std::int64_t tries, const Work& work) {
  double best = 0.0;
  for (std::int64_t i = 0; i < tries; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work(i);
    best = std::max(best, amount / std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

std::int64_t threads_of(const Exec& exec) { return exec.pool != nullptr ? exec.pool->threads() : 1; }

}  // namespace

double peak_operations(const Exec& exec) {
  constexpr std::int64_t rounds = 100'000, tries = 200;
  const std::int64_t threads = threads_of(exec);
  std::vector<float> sinks(static_cast<std::size_t>(threads));
  const double a_thread = HWY_DYNAMIC_DISPATCH(multiply_adds)(1, sinks.data()) * static_cast<double>(rounds);
  return best_rate(a_thread * static_cast<double>(threads), tries, [&](std::int64_t) {
    in_pieces(exec, threads, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) (void)HWY_DYNAMIC_DISPATCH(multiply_adds)(rounds, &sinks[static_cast<std::size_t>(i)]);
    });
  });
}

double peak_tile_operations(const Exec& exec) {
  if (instruction_set() != InstructionSet::amx) return 0.0;
  constexpr std::int64_t rounds = 2'000, tries = 200;
  const std::int64_t threads = threads_of(exec);
  return best_rate(repeat_tile_products(rounds) * static_cast<double>(threads), tries, [&](std::int64_t) {
    in_pieces(exec, threads, 1, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) (void)repeat_tile_products(rounds);
    });
  });
}

double peak_bandwidth(const Exec& exec) {
  // Parts are read in turn, so that none is still in a cache when it comes round again.
  constexpr std::int64_t floats = std::int64_t{1} << 26U, part = floats / 16, piece = part / 16, rounds = 3;
  const std::vector<float> memory(static_cast<std::size_t>(floats), 1.0F);
  std::vector<float> sums(static_cast<std::size_t>(part / piece));
  return best_rate(static_cast<double>(part) * sizeof(float), rounds * (floats / part), [&](std::int64_t i) {
    const float* from = memory.data() + i % (floats / part) * part;
    in_pieces(exec, part, piece, [&](std::int64_t begin, std::int64_t end) {
      sums[static_cast<std::size_t>(begin / piece)] = HWY_DYNAMIC_DISPATCH(read_all)(from + begin, end - begin);
    });
  });
}

}  // namespace fabula
#endif
