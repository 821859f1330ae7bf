// Vector loops and functions shared by the cpu table's own kernels; compiled once for each instruction set (Highway's foreach_target).
#if defined(FABULA_KERNELS_SIMD_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FABULA_KERNELS_SIMD_INL_H_
#undef FABULA_KERNELS_SIMD_INL_H_
#else
#define FABULA_KERNELS_SIMD_INL_H_
#endif

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

#include "kernels/kernels.h"

#ifndef ALWAYS_INLINE  // on a lambda of a loop whose sums must stay in registers
#define ALWAYS_INLINE __attribute__((always_inline))
#endif

HWY_BEFORE_NAMESPACE();
namespace fabula {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// Sums over lanes, and so every result, must not depend on how wide a processor's vectors are: eight lanes, as AVX2 has them. Where lanes
// are not summed up and width pays, in products, they are as wide as they come (multiply_cpu.cpp).
using Floats = hn::CappedTag<float, 8>;
using Vec = hn::Vec<Floats>;
// For what goes lane by lane: as wide as they come.
using Wide = hn::ScalableTag<float>;

HWY_INLINE std::int64_t lanes() { return static_cast<std::int64_t>(hn::Lanes(Floats())); }
HWY_INLINE Vec all(float value) { return hn::Set(Floats(), value); }
HWY_INLINE hn::Vec<Wide> wide(float value) { return hn::Set(Wide(), value); }

/// The next vector of an array with `left` floats to go, padded with zeros. Reads nothing beyond them.
template <typename D>
HWY_INLINE hn::Vec<D> load(D d, const float* from, std::int64_t left) {
  if (HWY_LIKELY(left >= static_cast<std::int64_t>(hn::Lanes(d)))) return hn::LoadU(d, from);
  HWY_ALIGN float padded[hn::MaxLanes(d)] = {};
  std::memcpy(padded, from, static_cast<std::size_t>(left) * sizeof(float));
  return hn::Load(d, padded);
}
HWY_INLINE Vec load(const float* from, std::int64_t left) { return load(Floats(), from, left); }

template <typename V>
HWY_INLINE void store(V value, float* to, std::int64_t left) {
  const hn::DFromV<V> d;
  if (HWY_LIKELY(left >= static_cast<std::int64_t>(hn::Lanes(d)))) return hn::StoreU(value, d, to);
  HWY_ALIGN float padded[hn::MaxLanes(d)];
  hn::Store(value, d, padded);
  std::memcpy(to, padded, static_cast<std::size_t>(left) * sizeof(float));
}

/// Zero in the lanes from `left` on: for sums of what load() padded.
HWY_INLINE Vec keep_first(Vec value, std::int64_t left) {
  return left >= lanes() ? value : hn::IfThenElseZero(hn::FirstN(Floats(), static_cast<std::size_t>(left)), value);
}

HWY_INLINE float sum_of(Vec value) { return hn::GetLane(hn::SumOfLanes(Floats(), value)); }

/// Sum of function(x[i]): in f32 within stretches short enough for it, in f64 across them.
template <typename Function>
double sum_over(const float* x, std::int64_t count, const Function& function) {
  constexpr std::int64_t stretch = 4096;
  double total = 0.0;
  for (std::int64_t begin = 0; begin < count; begin += stretch) {
    const std::int64_t end = std::min(count, begin + stretch);
    Vec even = all(0.0F), odd = all(0.0F);
    std::int64_t i = begin;
    for (; i + 2 * lanes() <= end; i += 2 * lanes()) {
      even = hn::Add(even, function(load(x + i, lanes())));
      odd = hn::Add(odd, function(load(x + i + lanes(), lanes())));
    }
    for (; i < end; i += lanes()) even = hn::Add(even, keep_first(function(load(x + i, end - i)), end - i));
    total += static_cast<double>(sum_of(hn::Add(even, odd)));
  }
  return total;
}

/// A number to the nearest bf16, ties to even, as a float; by its bits, so that every instruction set rounds alike.
template <typename V>
HWY_INLINE V number_to_bf16(V value) {
  const hn::DFromV<V> d;
  const hn::RebindToUnsigned<hn::DFromV<V>> words;
  const auto bits = hn::BitCast(words, value);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(words, 1U));
  return hn::BitCast(d, hn::And(hn::Add(hn::Add(bits, hn::Set(words, 0x7FFFU)), odd), hn::Set(words, 0xFFFF0000U)));
}

/// The same of what may be no number and then stays none.
template <typename V>
HWY_INLINE V nearest_bf16(V value) {
  const hn::DFromV<V> d;
  const hn::RebindToUnsigned<hn::DFromV<V>> words;
  const auto quiet_nan = hn::Or(hn::And(hn::BitCast(words, value), hn::Set(words, 0xFFFF0000U)), hn::Set(words, 0x400000U));
  return hn::IfThenElse(hn::IsNaN(value), hn::BitCast(d, quiet_nan), number_to_bf16(value));
}

inline double squared_distance(const float* x, std::int64_t count, float mean) {
  return sum_over(x, count, [mean](Vec v) {
    const Vec distance = hn::Sub(v, all(mean));
    return hn::Mul(distance, distance);
  });
}

inline float inverse_root(double sum_of_squares, std::int64_t count, float eps) {
  return static_cast<float>(1.0 / std::sqrt(sum_of_squares / static_cast<double>(count) + eps));
}

/// exp with a relative error of 1.2e-7, by Cephes' polynomial (expf.c); arguments are held to where neither it nor its inverse overflows.
/// A lane's result is the same in vectors of any width.
template <typename V>
HWY_INLINE V exp(V x) {
  const hn::DFromV<V> d;
  const hn::RebindToSigned<hn::DFromV<V>> integers;
  const auto all = [d](float value) ALWAYS_INLINE { return hn::Set(d, value); };
  x = hn::Min(hn::Max(x, all(-87.0F)), all(88.0F));
  const V ones = all(12582912.0F);  // 1.5 · 2^23: a float this large has no places behind the point
  const V shifted = hn::MulAdd(x, all(1.44269504088896341F), ones), power = hn::Sub(shifted, ones);
  const V rest = hn::NegMulAdd(power, all(-2.12194440e-4F), hn::NegMulAdd(power, all(0.693359375F), x));  // x − power · ln 2
  V sum = hn::MulAdd(all(1.9875691500e-4F), rest, all(1.3981999507e-3F));
  sum = hn::MulAdd(sum, rest, all(8.3334519073e-3F));
  sum = hn::MulAdd(sum, rest, all(4.1665795894e-2F));
  sum = hn::MulAdd(sum, rest, all(1.6666665459e-1F));
  sum = hn::MulAdd(sum, rest, all(5.0000001201e-1F));
  sum = hn::Add(hn::MulAdd(sum, hn::Mul(rest, rest), rest), all(1.0F));
  const auto exponent = hn::ShiftLeft<23>(hn::BitCast(integers, shifted));  // the low bits of `shifted` are the power
  return hn::BitCast(d, hn::Add(hn::BitCast(integers, sum), exponent));
}

/// erf by Abramowitz and Stegun 7.1.26; absolute error 2e-7.
template <typename V>
HWY_INLINE V erf(V x) {
  const auto all = [](float value) ALWAYS_INLINE { return hn::Set(hn::DFromV<V>(), value); };
  const V magnitude = hn::Abs(x), one = all(1.0F);
  const V t = hn::Div(one, hn::MulAdd(all(0.3275911F), magnitude, one));
  V sum = hn::MulAdd(all(1.061405429F), t, all(-1.453152027F));
  sum = hn::MulAdd(sum, t, all(1.421413741F));
  sum = hn::MulAdd(sum, t, all(-0.284496736F));
  sum = hn::MulAdd(sum, t, all(0.254829592F));
  return hn::CopySign(hn::NegMulAdd(hn::Mul(sum, t), exp(hn::Neg(hn::Mul(x, x))), one), x);
}

template <Activation activation, typename V>
HWY_INLINE V activated(V x) {
  const auto all = [](float value) ALWAYS_INLINE { return hn::Set(hn::DFromV<V>(), value); };
  const V one = all(1.0F);
  if constexpr (activation == Activation::silu) return hn::Div(x, hn::Add(one, exp(hn::Neg(x))));
  if constexpr (activation == Activation::gelu_tanh) {
    const V inner = hn::Mul(all(0.7978845608028654F), hn::MulAdd(hn::Mul(all(0.044715F), hn::Mul(x, x)), x, x));
    // tanh(a) = 1 − 2 / (1 + exp(2a)), so that (1 + tanh(a)) / 2 = 1 / (1 + exp(−2a)).
    return hn::Div(x, hn::Add(one, exp(hn::Mul(all(-2.0F), inner))));
  }
  if constexpr (activation == Activation::gelu_erf)
    return hn::Mul(hn::Mul(all(0.5F), x), hn::Add(one, erf(hn::Mul(x, all(0.7071067811865476F)))));
  return x;
}

/// Calls body(tag) where tag.value is the activation, as a compile-time constant.
template <typename Body>
void with_activation(Activation activation, const Body& body) {
  switch (activation) {
    case Activation::none:
      return body(std::integral_constant<Activation, Activation::none>());
    case Activation::silu:
      return body(std::integral_constant<Activation, Activation::silu>());
    case Activation::gelu_tanh:
      return body(std::integral_constant<Activation, Activation::gelu_tanh>());
    case Activation::gelu_erf:
      return body(std::integral_constant<Activation, Activation::gelu_erf>());
  }
}

/// body(0), body(1), … body(count − 1), written out: a compiler that sees a loop over an array of vectors may keep it in memory.
template <int count, typename Body>
HWY_INLINE void unrolled(const Body& body) {
  const auto each = [&]<int... i>(std::integer_sequence<int, i...>) ALWAYS_INLINE { (body(i), ...); };
  each(std::make_integer_sequence<int, count>());
}

/// to[i] = function(from[i]); function takes Wide vectors.
template <typename Function>
void map(const float* from, std::int64_t count, float* to, const Function& function) {
  const Wide d;
  for (std::int64_t i = 0; i < count; i += static_cast<std::int64_t>(hn::Lanes(d)))
    store(function(load(d, from + i, count - i)), to + i, count - i);
}

/// to[i] = function(a[i], b[i])
template <typename Function>
void map(const float* a, const float* b, std::int64_t count, float* to, const Function& function) {
  const Wide d;
  for (std::int64_t i = 0; i < count; i += static_cast<std::int64_t>(hn::Lanes(d)))
    store(function(load(d, a + i, count - i), load(d, b + i, count - i)), to + i, count - i);
}

/// to = activation(x + bias); x and to (rows, count), their rows `stride` and `to_stride` apart. to may be x.
inline void finish(const float* x, std::int64_t stride, std::int64_t rows, std::int64_t count, const float* bias, Activation activation,
                   float* to, std::int64_t to_stride) {
  const Wide d;
  const auto step = static_cast<std::int64_t>(hn::Lanes(d));
  with_activation(activation, [&](auto tag) {
    const auto finished = [](auto value) ALWAYS_INLINE { return activated<decltype(tag)::value>(value); };
    std::int64_t i = 0;
    for (; i + 2 * step <= count; i += 2 * step) {  // bias stays in registers
      const auto left = bias == nullptr ? hn::Zero(d) : hn::LoadU(d, bias + i),
                 right = bias == nullptr ? left : hn::LoadU(d, bias + i + step);
      for (std::int64_t row = 0; row < rows; ++row) {
        const float* from = x + row * stride + i;
        float* at = to + row * to_stride + i;
        hn::StoreU(finished(hn::Add(hn::LoadU(d, from), left)), d, at);
        hn::StoreU(finished(hn::Add(hn::LoadU(d, from + step), right)), d, at + step);
      }
    }
    for (; i < count; i += step) {
      const auto more = bias == nullptr ? hn::Zero(d) : load(d, bias + i, count - i);
      for (std::int64_t row = 0; row < rows; ++row)
        store(finished(hn::Add(load(d, x + row * stride + i, count - i), more)), to + row * to_stride + i, count - i);
    }
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace fabula
HWY_AFTER_NAMESPACE();

#endif  // per target
