// How fast the cpu table's expensive entries are: bin/kernels_bench [--benchmark_filter=linear]. The last argument is the number of
// threads; `op/s` counts a multiplication and an addition as two.
#include <benchmark/benchmark.h>

#include <vector>

#include "kernels/kernels.h"

namespace fabula {
namespace {

/// Floats between -0.5 and 0.5 of no particular pattern; speed depends on the values only if they are denormal or not numbers.
class Memory {
 public:
  Tensor floats(Shape shape) {
    std::vector<float>& block = blocks_.emplace_back(static_cast<std::size_t>(shape.elements()));
    std::uint32_t state = 1;
    for (float& value : block) value = static_cast<float>((state = state * 1664525U + 1013904223U) >> 8U) * 0x1p-24F - 0.5F;
    return {.data = block.data(), .shape = shape};
  }
  /// Bit patterns of small bf16 numbers.
  Tensor bf16(Shape shape) {
    std::vector<std::uint16_t>& block = narrow_.emplace_back(static_cast<std::size_t>(shape.elements()));
    for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<std::uint16_t>(0x3D00U + (i * 37U) % 128U);
    return {.data = block.data(), .shape = shape, .dtype = DType::bf16};
  }

 private:
  std::vector<std::vector<float>> blocks_;
  std::vector<std::vector<std::uint16_t>> narrow_;
};

void report(benchmark::State& state, double operations) {
  state.counters["op/s"] = benchmark::Counter(operations, benchmark::Counter::kIsIterationInvariantRate, benchmark::Counter::OneK::kIs1000);
}

void linear(benchmark::State& state, bool narrow) {
  const std::int64_t rows = state.range(0), k = state.range(1), n = state.range(2);
  ThreadPool pool(static_cast<int>(state.range(3)));
  Memory memory;
  const Tensor x = memory.floats({rows, k}), weight = narrow ? memory.bf16({n, k}) : memory.floats({n, k}), out = memory.floats({rows, n});
  const std::size_t bytes = linear_scratch(x, weight);
  const Tensor scratch = bytes == 0 ? Tensor{} : memory.floats({static_cast<std::int64_t>(bytes / sizeof(float) + 1)});
  for (auto _ : state) cpu_kernels().linear({.pool = &pool}, x, weight, {}, Activation::none, scratch, out);
  report(state, 2.0 * static_cast<double>(rows * k * n));
}

void linear_shapes(benchmark::internal::Benchmark* b) {
  for (const int threads : {1, 2}) {
    b->Args({450, 256, 1024, threads})
        ->Args({450, 1024, 256, threads})
        ->Args({1, 1024, 4096, threads})
        ->Args({8, 256, 1024, threads})
        ->Args({2048, 1024, 1024, threads});
  }
  b->ArgNames({"rows", "k", "n", "threads"})->UseRealTime();
}
BENCHMARK_CAPTURE(linear, f32, false)->Apply(linear_shapes);
BENCHMARK_CAPTURE(linear, bf16, true)->Apply(linear_shapes);

void attention(benchmark::State& state) {
  const std::int64_t rows = state.range(0), heads = state.range(1), dim = state.range(2);
  ThreadPool pool(static_cast<int>(state.range(3)));
  Memory memory;
  const Tensor q = memory.floats({rows, heads, dim}), k = memory.floats({rows, heads, dim}), v = memory.floats({rows, heads, dim}),
               out = memory.floats({rows, heads, dim});
  for (auto _ : state) cpu_kernels().attention({.pool = &pool}, q, k, v, false, out);
  report(state, 4.0 * static_cast<double>(rows * rows * heads * dim));
}
BENCHMARK(attention)
    ->ArgNames({"rows", "heads", "dim", "threads"})
    ->Args({450, 4, 64, 1})
    ->Args({450, 4, 64, 2})
    ->Args({450, 8, 32, 2})
    ->Args({4096, 4, 128, 2})
    ->UseRealTime();

void conv1d(benchmark::State& state) {
  const std::int64_t channels = state.range(0), length = state.range(1), taps = state.range(2);
  ThreadPool pool(static_cast<int>(state.range(3)));
  Memory memory;
  const Tensor x = memory.floats({channels, length}), weight = memory.floats({channels, channels, taps}),
               out = memory.floats({channels, length});
  for (auto _ : state) cpu_kernels().conv1d({.pool = &pool}, x, weight, {}, {1, taps / 2, 1}, out);
  report(state, 2.0 * static_cast<double>(channels * channels * taps * length));
}
BENCHMARK(conv1d)
    ->ArgNames({"channels", "length", "taps", "threads"})
    ->Args({16, 30000, 7, 1})
    ->Args({16, 30000, 7, 2})
    ->Args({64, 8000, 7, 2})
    ->Args({256, 1000, 11, 2})
    ->UseRealTime();

void conv_transpose1d(benchmark::State& state) {
  const std::int64_t channels = state.range(0), length = state.range(1), stride = state.range(2);
  ThreadPool pool(static_cast<int>(state.range(3)));
  Memory memory;
  const Tensor x = memory.floats({channels, length}), weight = memory.floats({channels, channels / 2, 2 * stride}),
               out = memory.floats({channels / 2, length * stride});
  for (auto _ : state) cpu_kernels().conv_transpose1d({.pool = &pool}, x, weight, {}, {stride, stride / 2, 1}, out);
  report(state, 2.0 * static_cast<double>(channels * channels * stride * length));
}
BENCHMARK(conv_transpose1d)
    ->ArgNames({"channels", "length", "stride", "threads"})
    ->Args({128, 1000, 4, 1})
    ->Args({128, 1000, 4, 2})
    ->UseRealTime();

void conv3d(benchmark::State& state) {
  const std::int64_t c_in = state.range(0), c_out = state.range(1), height = state.range(2), width = state.range(3);
  ThreadPool pool(static_cast<int>(state.range(4)));
  Memory memory;
  const Tensor x = memory.floats({c_in, 4, height + 2, width + 2}), weight = memory.floats({c_out, c_in, 3, 3, 3}),
               out = memory.floats({c_out, 2, height, width});
  for (auto _ : state) cpu_kernels().conv3d({.pool = &pool}, x, weight, {}, {}, out);
  report(state, 2.0 * 27.0 * static_cast<double>(c_in * c_out * 2 * height * width));
}
BENCHMARK(conv3d)
    ->ArgNames({"in", "out", "height", "width", "threads"})
    ->Args({32, 32, 128, 224, 1})
    ->Args({32, 32, 128, 224, 2})
    ->Args({128, 128, 32, 56, 2})
    ->UseRealTime();

void alias_free(benchmark::State& state) {
  const std::int64_t channels = state.range(0), length = state.range(1);
  ThreadPool pool(static_cast<int>(state.range(2)));
  Memory memory;
  const Tensor x = memory.floats({channels, length}), out = memory.floats({channels, length}), alpha = memory.floats({channels}),
               filter = memory.floats({12});
  for (auto _ : state) cpu_kernels().snake_beta_alias_free({.pool = &pool}, x, alpha, alpha, filter, filter, out);
  report(state, static_cast<double>(channels * length) * (2 * 12 * 2 + 2 * 3));
}
BENCHMARK(alias_free)->ArgNames({"channels", "length", "threads"})->Args({16, 30000, 1})->Args({16, 30000, 2})->UseRealTime();

void norm(benchmark::State& state) {
  const std::int64_t rows = state.range(0), width = state.range(1);
  ThreadPool pool(static_cast<int>(state.range(2)));
  Memory memory;
  const Tensor x = memory.floats({rows, width}), weight = memory.floats({width}), out = memory.floats({rows, width});
  for (auto _ : state) cpu_kernels().rms_norm({.pool = &pool}, x, weight, 1e-6F, out);
  state.SetBytesProcessed(state.iterations() * rows * width * 8);
}
BENCHMARK(norm)->ArgNames({"rows", "width", "threads"})->Args({450, 256, 1})->Args({450, 256, 2})->UseRealTime();

/// What it costs to hand an op to the pool: two pieces that do nothing.
void pool_call(benchmark::State& state) {
  ThreadPool pool(static_cast<int>(state.range(0)));
  for (auto _ : state) pool.for_each(2, 1, [](std::int64_t, std::int64_t) {});
}
BENCHMARK(pool_call)->ArgName("threads")->Arg(1)->Arg(2)->Arg(3)->UseRealTime();

}  // namespace
}  // namespace fabula
