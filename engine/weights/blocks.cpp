// Widens ggml's blocks (ggml-quants.c, dequantize_row_*). Every product below is exact in float32, so neither order nor fused additions
// change a bit.
#include "engine/weights/blocks.h"

#include <cmath>
#include <cstring>

namespace fabula {
namespace {

using Byte = std::uint8_t;

float f16_at(const Byte* at) {
  std::uint16_t bits;
  std::memcpy(&bits, at, 2);
  return from_f16(bits);
}

int low(Byte byte) { return byte & 15; }
int high(Byte byte) { return byte >> 4; }

// 32 weights: scale, 16 bytes of two. The low halves come first.
void q4_0(const Byte* block, float* to) {
  const float scale = f16_at(block);
  for (int i = 0; i < 16; ++i) {
    to[i] = scale * static_cast<float>(low(block[2 + i]) - 8);
    to[i + 16] = scale * static_cast<float>(high(block[2 + i]) - 8);
  }
}

// 32 weights: scale, offset, 16 bytes of two.
void q4_1(const Byte* block, float* to) {
  const float scale = f16_at(block), offset = f16_at(block + 2);
  for (int i = 0; i < 16; ++i) {
    to[i] = scale * static_cast<float>(low(block[4 + i])) + offset;
    to[i + 16] = scale * static_cast<float>(high(block[4 + i])) + offset;
  }
}

// 32 weights: scale, 32 fifth bits, 16 bytes of two.
void q5_0(const Byte* block, float* to) {
  const float scale = f16_at(block);
  std::uint32_t fifth;
  std::memcpy(&fifth, block + 2, 4);
  const auto bit = [&](int i) { return static_cast<int>(fifth >> i & 1U) << 4; };
  for (int i = 0; i < 16; ++i) {
    to[i] = scale * static_cast<float>((low(block[6 + i]) | bit(i)) - 16);
    to[i + 16] = scale * static_cast<float>((high(block[6 + i]) | bit(i + 16)) - 16);
  }
}

// 32 weights: scale, 32 signed bytes.
void q8_0(const Byte* block, float* to) {
  const float scale = f16_at(block);
  for (int i = 0; i < 32; ++i) to[i] = scale * static_cast<float>(static_cast<std::int8_t>(block[2 + i]));
}

struct ScaleAndOffset {
  float scale, offset;
};

// The i-th of eight pairs of six bits in twelve bytes (get_scale_min_k4).
ScaleAndOffset six_bits(const Byte* packed, int i, float scale, float offset) {
  const int s = i < 4 ? packed[i] & 63 : low(packed[i + 4]) | packed[i - 4] >> 6 << 4;
  const int m = i < 4 ? packed[i + 4] & 63 : high(packed[i + 4]) | packed[i] >> 6 << 4;
  return {scale * static_cast<float>(s), offset * static_cast<float>(m)};
}

// 256 weights: scale, offset, eight six-bit scales and offsets, for Q5_K 256 fifth bits, 128 bytes of two.
void q45_k(const Byte* block, bool has_fifth, float* to) {
  const float scale = f16_at(block), offset = f16_at(block + 2);
  const Byte *fifth = block + 16, *quants = fifth + (has_fifth ? 32 : 0);
  for (int part = 0; part < 8; ++part) {
    const auto [s, m] = six_bits(block + 4, part, scale, offset);
    const Byte* bytes = quants + part / 2 * 32;
    for (int i = 0; i < 32; ++i) {
      const int four = part % 2 == 0 ? low(bytes[i]) : high(bytes[i]), one = has_fifth ? (fifth[i] >> part & 1) << 4 : 0;
      *to++ = s * static_cast<float>(four | one) - m;
    }
  }
}
void q4_k(const Byte* block, float* to) { q45_k(block, false, to); }
void q5_k(const Byte* block, float* to) { q45_k(block, true, to); }

// 256 weights: 128 bytes of two low halves, 64 bytes of four upper pairs of bits, 16 signed scales, the scale of these.
void q6_k(const Byte* block, float* to) {
  const float scale = f16_at(block + 208);
  for (int i = 0; i < 256; ++i) {
    const int half = i / 128, quarter = i % 128 / 32, at = i % 32;
    const Byte lower = block[half * 64 + quarter % 2 * 32 + at], upper = block[128 + half * 32 + at];
    const int quant = (quarter < 2 ? low(lower) : high(lower)) | (upper >> 2 * quarter & 3) << 4;
    to[i] = scale * static_cast<float>(static_cast<std::int8_t>(block[192 + i / 16])) * static_cast<float>(quant - 32);
  }
}

constexpr BlockFormat formats[] = {{"Q4_0", 2, 32, 18, q4_0},   {"Q4_1", 3, 32, 20, q4_1},    {"Q5_0", 6, 32, 22, q5_0},
                                   {"Q8_0", 8, 32, 34, q8_0},   {"Q4_K", 12, 256, 144, q4_k}, {"Q5_K", 13, 256, 176, q5_k},
                                   {"Q6_K", 14, 256, 210, q6_k}};

}  // namespace

std::span<const BlockFormat> block_formats() { return formats; }

float from_f16(std::uint16_t bits) {
  const float sign = bits >> 15 ? -1.0F : 1.0F;
  const int exponent = bits >> 10 & 31;
  const int mantissa = bits & 1023;
  if (exponent == 31) return mantissa != 0 ? std::nanf("") : sign * INFINITY;
  return sign *
         (exponent == 0 ? std::ldexp(static_cast<float>(mantissa), -24) : std::ldexp(static_cast<float>(mantissa + 1024), exponent - 25));
}

}  // namespace fabula
