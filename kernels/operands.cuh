// How products on tensor cores are made of floats: as three in TF32, or of operands rounded to bf16.
#pragma once

#include "kernels/launch.cuh"
#include "kernels/mma_sync.cuh"

namespace fabula::cuda {

constexpr int columns_per_tile = 8;  // of a product's sum

/// The column of an operand that element i of lane t holds.
__device__ inline int column_of(int i, int t) { return 8 * (i / 2) + 2 * t + i % 2; }

// An instruction multiplies `depth` columns of a with as many rows of b. Of them a lane holds those at
// 8·(i / 2) + 2t + i % 2, i < depth / 4: for tf32 not the instruction's own order, but the same in both operands, so that the sum is the
// same. In that order the sums of one product are the operand a of the next.

/// Nearly float32: each value is the sum of two in TF32, and the product of the two lower parts is left out (error 2⁻²²).
struct SplitTf32 {
  static constexpr int depth = 8, per_word = 1;
  struct A {
    std::uint32_t high[4], low[4];
  };
  struct B {
    std::uint32_t high[2], low[2];
  };
  __device__ static void split(float value, std::uint32_t& high, std::uint32_t& low) {
    high = to_tf32(value);
    low = to_tf32(value - __uint_as_float(high));
  }
  __device__ static A a(const float (&x)[2][2]) {
    A made;
    for (int i = 0; i < 4; ++i) split(x[i % 2][i / 2], made.high[i], made.low[i]);
    return made;
  }
  __device__ static B b(const float (&x)[2]) {
    B made;
    for (int i = 0; i < 2; ++i) split(x[i], made.high[i], made.low[i]);
    return made;
  }
  /// Of words that are floats, in the instruction's own order.
  __device__ static A a_of(const std::uint32_t (&words)[4]) {
    A made;
    for (int i = 0; i < 4; ++i) split(__uint_as_float(words[i]), made.high[i], made.low[i]);
    return made;
  }
  __device__ static B b_of(const std::uint32_t (&words)[2]) {
    B made;
    for (int i = 0; i < 2; ++i) split(__uint_as_float(words[i]), made.high[i], made.low[i]);
    return made;
  }
  __device__ static void add(float (&sum)[4], const A& a, const B& b) {
    mma_tf32(sum, a.low, b.high);
    mma_tf32(sum, a.high, b.low);
    mma_tf32(sum, a.high, b.high);
  }
};

/// Operands rounded to bf16.
struct Bf16Products {
  static constexpr int depth = 16, per_word = 2;
  struct A {
    std::uint32_t pair[4];
  };
  struct B {
    std::uint32_t pair[2];
  };
  __device__ static A a(const float (&x)[2][4]) {
    A made;
    for (int i = 0; i < 4; ++i) made.pair[i] = pack_bf16(x[i % 2][i / 2 * 2], x[i % 2][i / 2 * 2 + 1]);
    return made;
  }
  __device__ static B b(const float (&x)[4]) {
    B made;
    for (int i = 0; i < 2; ++i) made.pair[i] = pack_bf16(x[2 * i], x[2 * i + 1]);
    return made;
  }
  /// Of words that are pairs of bf16 numbers.
  __device__ static A a_of(const std::uint32_t (&words)[4]) { return {{words[0], words[1], words[2], words[3]}}; }
  __device__ static B b_of(const std::uint32_t (&words)[2]) { return {{words[0], words[1]}}; }
  __device__ static void add(float (&sum)[4], const A& a, const B& b) { mma_bf16(sum, a.pair, b.pair); }
};

}  // namespace fabula::cuda
