// bf16 products by AMX. Tiles are a state of the thread, so they are set before each product and released behind it.
#include "kernels/multiply.h"

#if defined(__x86_64__)

#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <vector>

#include "base/error.h"
#include "kernels/bf16.h"

#define FABULA_TILE_NAMESPACE amx
#define FABULA_TILE_TARGET __attribute__((target("amx-tile,amx-bf16")))
// GCC does not know that a tile is read from memory or written to it.
#define FABULA_TILE_LOAD(t, base, stride) \
  do {                                    \
    __asm__ volatile("" ::: "memory");    \
    _tile_loadd(t, base, stride);         \
  } while (false)
#define FABULA_TILE_STREAM(t, base, stride) \
  do {                                      \
    __asm__ volatile("" ::: "memory");      \
    _tile_stream_loadd(t, base, stride);    \
  } while (false)
#define FABULA_TILE_STORE(t, base, stride) \
  do {                                     \
    _tile_stored(t, base, stride);         \
    __asm__ volatile("" ::: "memory");     \
  } while (false)
#define FABULA_TILE_ZERO(t) _tile_zero(t)
#define FABULA_TILE_PRODUCTS(sum, a, b) _tile_dpbf16ps(sum, a, b)
#include "kernels/multiply_tiles-inl.h"

namespace fabula {
namespace {

// Palette 1: eight tiles of 16 rows of 64 bytes (Intel SDM, LDTILECFG).
struct TileConfiguration {
  std::uint8_t palette = 1, start_row = 0, reserved[14] = {};
  std::uint16_t bytes_in_a_row[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfiguration) == 64);

bool has_instructions() {
  constexpr unsigned amx_bf16 = 1U << 22U, amx_tile = 1U << 24U;  // leaf 7, EDX
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (d & amx_bf16) != 0 && (d & amx_tile) != 0;
}

// Linux gives a process tiles when it asks for them (Documentation/arch/x86/xstate.rst).
bool is_granted() {
  constexpr long request_permission = 0x1023, tile_data = 18;  // ARCH_REQ_XCOMP_PERM, XFEATURE_XTILEDATA
  return ::syscall(SYS_arch_prctl, request_permission, tile_data) == 0;
}

FABULA_TILE_TARGET void begin() {
  static constexpr TileConfiguration configuration;
  __asm__ volatile("ldtilecfg %0" ::"m"(configuration));  // GCC 12's intrinsic says that it reads eight bytes of it
}

FABULA_TILE_TARGET void end() { _tile_release(); }

FABULA_TILE_TARGET void multiply_configured(const std::uint32_t* a, Matrix<const std::uint16_t> b, Matrix<float> c, std::int64_t m,
                                            std::int64_t n, std::int64_t k, const Finish& finish) {
  begin();
  amx::multiply_blocks(a, b, c, m, n, k, finish);
  end();
}

// Numbers on which every order of adding differs in some sum.
bool gives_the_same_bytes() {
  constexpr std::int64_t m = 37, n = 45, k = 131;
  std::vector<float> a(m * k);
  std::vector<std::uint16_t> b(n * k);
  std::uint32_t state = 1;
  const auto next = [&state] {
    state = state * 1664525U + 1013904223U;
    return to_bf16(static_cast<float>(static_cast<std::int32_t>(state)) * 1e-9F);
  };
  std::generate(a.begin(), a.end(), [&next] { return from_bf16(next()); });
  std::generate(b.begin(), b.end(), next);
  std::vector<std::uint32_t> tiles(words_in_tiles(m, k));
  pack_rows({a.data(), k}, m, k, tiles.data());
  std::vector<float> expected(m * n), found(m * n);
  multiply_bf16({a.data(), k}, {b.data(), k, true}, {expected.data(), n}, m, n, k);
  multiply_configured(tiles.data(), {b.data(), k, true}, {found.data(), n}, m, n, k, {});
  return std::memcmp(expected.data(), found.data(), expected.size() * sizeof(float)) == 0;
}

}  // namespace

bool cpu_has_tiles() {
  static const bool has = has_instructions() && is_granted() && gives_the_same_bytes();
  return has;
}

void multiply_by_tiles(const std::uint32_t* a, Matrix<const std::uint16_t> b, Matrix<float> c, std::int64_t m, std::int64_t n,
                       std::int64_t k, const Finish& finish) {
  multiply_configured(a, b, c, m, n, k, finish);
}

FABULA_TILE_TARGET double repeat_tile_products(std::int64_t rounds) {
  begin();
  for (std::int64_t i = 0; i < rounds; ++i) {
    FABULA_TILE_PRODUCTS(0, 4, 6);
    FABULA_TILE_PRODUCTS(1, 4, 7);
    FABULA_TILE_PRODUCTS(2, 5, 6);
    FABULA_TILE_PRODUCTS(3, 5, 7);
  }
  end();
  return 4.0 * 2.0 * static_cast<double>(tile_side * tile_side * tile_k) * static_cast<double>(rounds);
}

const TileUnit& amx_tiles() {
  static constexpr TileUnit unit{begin, end, amx::multiply_packed};
  return unit;
}

}  // namespace fabula

#else

namespace fabula {

bool cpu_has_tiles() { return false; }
void multiply_by_tiles(const std::uint32_t*, Matrix<const std::uint16_t>, Matrix<float>, std::int64_t, std::int64_t, std::int64_t,
                       const Finish&) {}
double repeat_tile_products(std::int64_t) { return 0.0; }
const TileUnit& amx_tiles() {
  static constexpr TileUnit none{};
  return none;
}

}  // namespace fabula

#endif
