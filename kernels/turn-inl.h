// Turns rows in registers, so that a vector holds one word of several of them: what products pack their weights with. Compiled once for
// each instruction set, as simd-inl.h.
#if defined(FABULA_KERNELS_TURN_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef FABULA_KERNELS_TURN_INL_H_
#undef FABULA_KERNELS_TURN_INL_H_
#else
#define FABULA_KERNELS_TURN_INL_H_
#endif

#include <hwy/highway.h>

#include <cstdint>
#include <cstring>

#include "kernels/simd-inl.h"

#if HWY_MAX_BYTES >= 16

HWY_BEFORE_NAMESPACE();
namespace fabula {
namespace HWY_NAMESPACE {

constexpr std::int64_t turned_rows = HWY_MAX_BYTES >= 32 ? 8 : 4;
using TurnedWords = hn::FixedTag<std::uint32_t, turned_rows>;

/// Words [0, count) of turned_rows rows that lie `stride` bytes apart: use(i, words [i] of the rows).
template <typename Use>
HWY_INLINE void turn(const std::uint8_t* rows, std::int64_t stride, std::int64_t count, const Use& use) {
  const TurnedWords d;
  const hn::FixedTag<std::uint64_t, turned_rows / 2> pairs;
  const hn::FixedTag<std::uint8_t, 16> bytes;
  [[maybe_unused]] const hn::FixedTag<std::uint8_t, 4 * turned_rows> both;
  for (std::int64_t i = 0; i < count; i += 4) {
    const auto quarter = [&](std::int64_t row) ALWAYS_INLINE {
      const std::uint8_t* from = rows + row * stride + 4 * i;
      if (HWY_LIKELY(count - i >= 4)) return hn::LoadU(bytes, from);
      HWY_ALIGN std::uint8_t padded[16] = {};
      std::memcpy(padded, from, static_cast<std::size_t>(4 * (count - i)));
      return hn::Load(bytes, padded);
    };
    const auto load = [&](std::int64_t row) ALWAYS_INLINE {
      if constexpr (turned_rows == 8)
        return hn::BitCast(d, hn::Combine(both, quarter(row + 4), quarter(row)));
      else
        return hn::BitCast(d, quarter(row));
    };
    const auto r0 = load(0), r1 = load(1), r2 = load(2), r3 = load(3);
    const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, r0, r1)), low23 = hn::BitCast(pairs, hn::InterleaveLower(d, r2, r3));
    const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, r0, r1)), high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, r2, r3));
    use(i, hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)));
    if (count - i > 1) use(i + 1, hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)));
    if (count - i > 2) use(i + 2, hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)));
    if (count - i > 3) use(i + 3, hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace fabula
HWY_AFTER_NAMESPACE();

#endif  // HWY_MAX_BYTES
#endif  // per target
