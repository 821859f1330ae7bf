// Both resamplers as two phases: even and odd fine samples are in separate arrays, so that every filter tap reads contiguously.
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/alias_free_cpu.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>

#include "kernels/families.h"
#include "kernels/pieces.h"
#include "kernels/simd-inl.h"

#ifndef FABULA_ALIAS_FREE_TILE
#define FABULA_ALIAS_FREE_TILE
namespace fabula {
struct AliasFreeChannel {
  const float* x;
  std::int64_t length;
  float frequency, inverse_magnitude;
  const float* up;
  std::int64_t up_taps;
  const float* down;
  std::int64_t down_taps;
};
constexpr std::int64_t alias_free_tile = 512;  // outputs at a time
}  // namespace fabula
#endif

HWY_BEFORE_NAMESPACE();
namespace fabula {
namespace HWY_NAMESPACE {

/// out[i] = Σ taps[first + 2j] · x[i − j] (or x[i + j] if `forward`), added to what `out` holds.
HWY_INLINE void add_filtered(const float* x, std::int64_t count, const float* taps, std::int64_t first, std::int64_t number, bool forward,
                             float* out) {
  for (std::int64_t tap = first; tap < number; tap += 2) {
    const float* from = x + (forward ? tap / 2 : -(tap / 2));
    map(from, out, count, out, [&](auto v, auto sum) { return hn::MulAdd(wide(taps[tap]), v, sum); });
  }
}

/// Outputs [begin, end) of one channel; at most alias_free_tile of them.
void alias_free(const AliasFreeChannel& c, std::int64_t begin, std::int64_t end, float* out) {
  constexpr std::int64_t room = alias_free_tile + 2 * most_filter_taps;
  const std::int64_t up_pad = c.up_taps / 2 - 1, crop = 2 * up_pad + (c.up_taps - 2) / 2;
  const std::int64_t down_pad = c.down_taps / 2 - 1;
  // Pairs [first, last) of fine samples 2e and 2e + 1 are needed.
  const std::int64_t first = begin - (down_pad + 1) / 2, last = end - 1 + (c.down_taps - 1 - down_pad) / 2 + 1;
  const std::int64_t pairs = last - first;

  float phase[2][room] = {};
  float signal[room];
  for (const std::int64_t parity : {0, 1}) {
    const std::int64_t shift = (parity + crop) / 2 - up_pad, tap = (parity + crop) % 2;
    const std::int64_t reach = (c.up_taps - 1 - tap) / 2;  // pair e is made of x[e + shift − reach … e + shift]
    for (std::int64_t i = 0; i < pairs + reach; ++i) signal[i] = c.x[std::clamp<std::int64_t>(first + shift - reach + i, 0, c.length - 1)];
    add_filtered(signal + reach, pairs, c.up, tap, c.up_taps, false, phase[parity]);
    map(phase[parity], pairs, phase[parity], [&](auto sum) {
      const auto value = hn::Add(sum, sum), wave = hn::Sin(Wide(), hn::Mul(wide(c.frequency), value));
      return hn::MulAdd(hn::Mul(wave, wave), wide(c.inverse_magnitude), value);
    });
  }
  // Beyond the ends the fine signal repeats its first and its last sample.
  for (std::int64_t e = first; e < 0; ++e) phase[0][e - first] = phase[1][e - first] = phase[0][-first];
  for (std::int64_t e = std::max(first, c.length); e < last; ++e)
    phase[0][e - first] = phase[1][e - first] = phase[1][c.length - 1 - first];

  // Output o sums down[tap] · fine[2o + tap − down_pad]: the parity of tap − down_pad chooses the phase.
  std::fill(out, out + (end - begin), 0.0F);
  for (std::int64_t tap = 0; tap < c.down_taps; ++tap) {
    const std::int64_t at = tap - down_pad + 2 * (begin - first);  // of output `begin`, counted from fine sample 2·first; never negative
    map(phase[at % 2] + at / 2, out, end - begin, out, [&](auto v, auto sum) { return hn::MulAdd(wide(c.down[tap]), v, sum); });
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace fabula
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace fabula {
namespace {

HWY_EXPORT(alias_free);

void snake_beta_alias_free(const Exec& exec, Tensor x, Tensor alpha, Tensor beta, Tensor up_filter, Tensor down_filter, Tensor out) {
  const std::int64_t length = x.shape[1], tiles = (length + alias_free_tile - 1) / alias_free_tile;
  in_pieces(exec, x.shape[0] * tiles, 8, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t i = first; i < last; ++i) {
      const std::int64_t channel = i / tiles, begin = i % tiles * alias_free_tile;
      const AliasFreeChannel c = {x.f32() + channel * length,
                                  length,
                                  std::exp(alpha.f32()[channel]),
                                  1.0F / (std::exp(beta.f32()[channel]) + 1e-9F),
                                  up_filter.f32(),
                                  up_filter.elements(),
                                  down_filter.f32(),
                                  down_filter.elements()};
      HWY_DYNAMIC_DISPATCH(alias_free)(c, begin, std::min(length, begin + alias_free_tile), out.f32() + channel * length + begin);
    }
  });
}

}  // namespace

void add_cpu_alias_free(Kernels& table) { table.snake_beta_alias_free = snake_beta_alias_free; }

}  // namespace fabula
#endif  // HWY_ONCE
