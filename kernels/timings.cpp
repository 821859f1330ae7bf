// Calls entries of the cpu table on numbers of no particular pattern.
#include "kernels/timings.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <new>
#include <vector>

#include "kernels/instruction_set.h"

namespace fabula {
namespace {

// Owns operands, aligned as an arena's: a tile whose rows cross lines of the cache is loaded three times as slowly. Floats are between −0.5
// and 0.5: speed depends on values only if they are denormal or not numbers.
class Memory {
 public:
  Tensor floats(Shape shape) {
    const Tensor made = take(shape, DType::f32);
    for (std::int64_t i = 0; i < shape.elements(); ++i) made.f32()[i] = static_cast<float>(next() >> 8U) * 0x1p-24F - 0.5F;
    return made;
  }
  // Bit patterns of small bf16 numbers.
  Tensor bf16(Shape shape) {
    const Tensor made = take(shape, DType::bf16);
    for (std::int64_t i = 0; i < shape.elements(); ++i) made.as<std::uint16_t>()[i] = static_cast<std::uint16_t>(0x3D00U + next() % 128U);
    return made;
  }
  Tensor int8(Shape shape) {
    const Tensor made = take(shape, DType::i8);
    for (std::int64_t i = 0; i < shape.elements(); ++i) made.as<std::int8_t>()[i] = static_cast<std::int8_t>(next() >> 24U);
    return made;
  }
  Tensor scratch(std::size_t bytes) { return bytes == 0 ? Tensor{} : take({static_cast<std::int64_t>(bytes)}, DType::u8); }

 private:
  struct Release {
    void operator()(std::byte* bytes) const { ::operator delete(bytes, alignment); }
  };
  static constexpr std::align_val_t alignment{64};

  Tensor take(Shape shape, DType dtype) {
    Tensor made{.shape = shape, .dtype = dtype};
    made.data = blocks_.emplace_back(static_cast<std::byte*>(::operator new(made.bytes(), alignment))).get();
    return made;
  }

  std::uint32_t next() { return state_ = state_ * 1664525U + 1013904223U; }
  std::uint32_t state_ = 1;
  std::vector<std::unique_ptr<std::byte, Release>> blocks_;
};

// An entry at one size: what it does, and a call of it.
struct Case {
  std::string op, size;
  Bound bound;
  double amount;
  std::function<void(const Exec&)> call;
};

std::string by(std::initializer_list<std::int64_t> sizes) {
  std::string text;
  for (const std::int64_t size : sizes) text += (text.empty() ? "" : " x ") + std::to_string(size);
  return text;
}

Case linear(Memory& memory, std::int64_t rows, std::int64_t k, std::int64_t n, DType dtype) {
  const bool is_f32 = dtype == DType::f32, is_one = rows == 1;
  const bool is_f32_work = is_f32 || instruction_set() != InstructionSet::amx;  // without tiles the operands are widened
  const Tensor x = memory.floats({rows, k}), weight = is_f32 ? memory.floats({n, k}) : memory.bf16({n, k}), out = memory.floats({rows, n});
  const Tensor scratch = memory.scratch(linear_scratch(x, weight));
  const double operations = 2.0 * static_cast<double>(rows * k * n), bytes = static_cast<double>(n * k) * (is_f32 ? 4.0 : 2.0);
  return {is_f32 ? "linear f32" : "linear bf16", by({rows, k, n}),
          is_one        ? Bound::bandwidth
          : is_f32_work ? Bound::operations
                        : Bound::tiles,
          is_one ? bytes : operations,
          [=](const Exec& exec) { cpu_kernels().linear(exec, x, weight, {}, Activation::none, {scratch}, out); }};
}

Case linear_int8(Memory& memory, std::int64_t rows, std::int64_t k, std::int64_t n) {
  const Tensor x = memory.floats({rows, k}), weight = memory.int8({n, k}), scale = memory.floats({n}), out = memory.floats({rows, n});
  const Tensor scratch = memory.scratch(linear_i8_scratch(x));
  return {"linear int8", by({rows, k, n}), rows == 1 ? Bound::bandwidth : Bound::other,
          static_cast<double>(rows == 1 ? n * k : 2 * rows * k * n),
          [=](const Exec& exec) { cpu_kernels().linear_i8(exec, x, weight, scale, {}, Activation::none, scratch, out); }};
}

Case attention(Memory& memory, std::int64_t rows, std::int64_t heads, std::int64_t dim, DType dtype) {
  const bool is_f32 = dtype == DType::f32, is_f32_work = is_f32 || instruction_set() != InstructionSet::amx;
  const Kernels& kernels = is_f32 ? cpu_kernels() : cpu_bf16_kernels();
  const auto with_tiles = [=](Exec exec) {
    if (!is_f32_work) exec.attention = AttentionBy::tiles;
    return exec;
  };
  const Tensor q = memory.floats({rows, heads, dim}), k = memory.floats({rows, heads, dim}), v = memory.floats({rows, heads, dim}),
               out = memory.floats({rows, heads, dim}), scratch = memory.scratch(attention_scratch(with_tiles({}), q, k, false));
  return {is_f32 ? "attention f32" : "attention bf16", by({rows, heads, dim}), is_f32_work ? Bound::operations : Bound::tiles,
          4.0 * static_cast<double>(rows * rows * heads * dim),
          [=, &kernels](const Exec& exec) { kernels.attention(with_tiles(exec), q, k, v, false, scratch, out); }};
}

// Two frames from four, as the video decoder's 3 x 3 x 3 convolutions make them.
Case conv3d(Memory& memory, std::int64_t in, std::int64_t out_channels, std::int64_t height, std::int64_t width) {
  const Tensor x = memory.floats({in, 4, height + 2, width + 2}), weight = memory.floats({out_channels, in, 3, 3, 3}),
               out = memory.floats({out_channels, 2, height, width});
  return {"conv3d f32", by({in, out_channels, height, width}), Bound::operations,
          2.0 * 27.0 * static_cast<double>(in * out_channels * 2 * height * width),
          [=](const Exec& exec) { cpu_kernels().conv3d(exec, x, weight, {}, {}, out); }};
}

Case conv1d(Memory& memory, std::int64_t channels, std::int64_t length, std::int64_t taps) {
  const Tensor x = memory.floats({channels, length}), weight = memory.floats({channels, channels, taps}),
               out = memory.floats({channels, length});
  return {"conv1d f32", by({channels, length, taps}), Bound::operations, 2.0 * static_cast<double>(channels * channels * taps * length),
          [=](const Exec& exec) {
            cpu_kernels().conv1d(exec, x, weight, {}, {1, taps / 2, 1}, out);
          }};
}

Case conv_transpose1d(Memory& memory, std::int64_t channels, std::int64_t length, std::int64_t stride) {
  const Tensor x = memory.floats({channels, length}), weight = memory.floats({channels, channels / 2, 2 * stride}),
               out = memory.floats({channels / 2, length * stride});
  return {"conv_transpose1d f32", by({channels, length, stride}), Bound::operations,
          2.0 * static_cast<double>(channels * channels * stride * length), [=](const Exec& exec) {
            cpu_kernels().conv_transpose1d(exec, x, weight, {}, {stride, stride / 2, 1}, out);
          }};
}

Case snake(Memory& memory, std::int64_t channels, std::int64_t length) {
  constexpr std::int64_t taps = 12;
  const Tensor x = memory.floats({channels, length}), out = memory.floats({channels, length}), alpha = memory.floats({channels}),
               filter = memory.floats({taps});
  return {"snake_beta_alias_free", by({channels, length}), Bound::operations, static_cast<double>(channels * length * (4 * taps + 6)),
          [=](const Exec& exec) { cpu_kernels().snake_beta_alias_free(exec, x, alpha, alpha, filter, filter, out); }};
}

Case rms_norm(Memory& memory, std::int64_t rows, std::int64_t width) {
  const Tensor x = memory.floats({rows, width}), weight = memory.floats({width}), out = memory.floats({rows, width});
  return {"rms_norm", by({rows, width}), Bound::bandwidth, static_cast<double>(rows * width) * 8.0,
          [=](const Exec& exec) { cpu_kernels().rms_norm(exec, x, weight, 1e-6F, out); }};
}

Case group_norm(Memory& memory, std::int64_t channels, std::int64_t height, std::int64_t width) {
  const Tensor x = memory.floats({channels, 2, height, width}), weight = memory.floats({channels}),
               out = memory.floats({channels, 2, height, width});
  return {"group_norm silu", by({channels, height, width}), Bound::bandwidth, static_cast<double>(x.elements()) * 8.0,
          [=](const Exec& exec) { cpu_kernels().group_norm(exec, x, weight, weight, 8, 1e-6F, Activation::silu, out); }};
}

using Make = std::function<Case(Memory&)>;

// The sizes of the shipped bundle's networks, of its successor's, and of language models.
const std::vector<Make>& cases() {
  static const std::vector<Make> all = {
      [](Memory& m) { return linear(m, 450, 256, 1024, DType::f32); },
      [](Memory& m) { return linear(m, 450, 256, 1024, DType::bf16); },
      [](Memory& m) { return linear(m, 784, 384, 1536, DType::f32); },
      [](Memory& m) { return linear(m, 784, 384, 1536, DType::bf16); },
      [](Memory& m) { return linear_int8(m, 784, 384, 1536); },
      [](Memory& m) { return linear(m, 1, 4096, 11008, DType::f32); },
      [](Memory& m) { return linear(m, 1, 4096, 11008, DType::bf16); },
      [](Memory& m) { return linear_int8(m, 1, 4096, 11008); },
      [](Memory& m) { return attention(m, 450, 8, 32, DType::f32); },
      [](Memory& m) { return attention(m, 450, 8, 32, DType::bf16); },
      [](Memory& m) { return attention(m, 3141, 6, 64, DType::f32); },
      [](Memory& m) { return attention(m, 3141, 6, 64, DType::bf16); },
      [](Memory& m) { return attention(m, 3141, 3, 128, DType::f32); },
      [](Memory& m) { return attention(m, 3141, 3, 128, DType::bf16); },
      [](Memory& m) { return conv3d(m, 32, 32, 128, 224); },
      [](Memory& m) { return conv3d(m, 128, 128, 32, 56); },
      [](Memory& m) { return conv1d(m, 64, 8000, 7); },
      [](Memory& m) { return conv1d(m, 256, 1000, 11); },
      [](Memory& m) { return conv_transpose1d(m, 128, 1000, 4); },
      [](Memory& m) { return snake(m, 16, 30000); },
      [](Memory& m) { return rms_norm(m, 4096, 1024); },
      [](Memory& m) { return group_norm(m, 128, 128, 224); },
  };
  return all;
}

double fastest(const Case& one, const Exec& exec, double seconds) {
  using Clock = std::chrono::steady_clock;
  constexpr int fewest = 3;
  one.call(exec);  // warms caches up
  double best = std::numeric_limits<double>::infinity();
  const auto began = Clock::now();
  for (int i = 0; i < fewest || std::chrono::duration<double>(Clock::now() - began).count() < seconds; ++i) {
    const auto start = Clock::now();
    one.call(exec);
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

}  // namespace

void time_kernels(const Exec& exec, double seconds_each, const std::function<bool(const KernelTiming&)>& receive) {
  for (const Make& make : cases()) {
    Memory memory;  // of one case: the largest holds 180 MB
    const Case one = make(memory);
    if (!receive({one.op, one.size, one.bound, fastest(one, exec, seconds_each), one.amount})) return;
  }
}

}  // namespace fabula
