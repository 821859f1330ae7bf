// The video autoencoder beyond its goldens: lengths, threads, memory.
#include "video/h3/vae.h"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <vector>

#include "base/error.h"
#include "engine/machine.h"
#include "tests/support/random.h"

namespace fabula::h3 {
namespace {

const std::filesystem::path goldens = std::filesystem::path(FABULA_SOURCE_DIR) / "tests/goldens";

class H3VaeTest : public ::testing::Test {
 protected:
  // (latent channels, frames, height, width)
  std::vector<float> latents(std::int64_t frames) { return random.normals(vae.config.latent_channels * frames * height * width); }

  // Decodes in an arena of exactly the dry run's size; a byte more would throw.
  std::vector<float> decoded(const std::vector<float>& values, std::int64_t frames, int threads, std::size_t* peak = nullptr) {
    std::vector<float> pixels;
    const auto work = [&](Context& ctx) {
      const Tensor z = constant(ctx, values, {vae.config.latent_channels, frames, height, width});
      decode(ctx, vae, z, Tiling{}, [&](Tensor part) {
        const std::vector<float> made = to_host(ctx, part);
        pixels.insert(pixels.end(), made.begin(), made.end());
      });
    };
    const Machine machine = cpu_machine(threads);
    const std::size_t footprint = footprint_of(machine, work);
    run_in(machine, footprint, [&](Context& ctx) {
      work(ctx);
      EXPECT_EQ(ctx.arena.peak(), footprint);
      if (peak != nullptr) *peak = ctx.arena.peak();
    });
    return pixels;
  }

  static constexpr std::int64_t height = 3, width = 4;
  test::Random random{test::seed()};
  VideoVae vae = VideoVae::load(goldens / "vae_ratio8", Precision::fp32);
};

TEST_F(H3VaeTest, LengthsAreThoseOfTheReference) {
  for (std::int64_t n = 1; n < 20; ++n) {
    EXPECT_EQ(decoded_frames(vae.config, 5 * n + 2), 17 * n + 5);
    EXPECT_EQ(decoded_chunks(vae.config, 5 * n + 2), n);
  }
  EXPECT_THROW((void)decoded_frames(vae.config, 1), Error);
}

TEST_F(H3VaeTest, EveryFrameIsGivenOnceWithAnyNumberOfThreadsAlike) {
  const auto z = latents(9);
  const auto pixels = decoded(z, 9, 1);
  EXPECT_EQ(static_cast<std::int64_t>(pixels.size()), decoded_frames(vae.config, 9) * 3 * height * 8 * width * 8);
  for (const int threads : {2, 3}) {
    const auto again = decoded(z, 9, threads);
    ASSERT_EQ(again.size(), pixels.size());
    EXPECT_EQ(std::memcmp(again.data(), pixels.data(), pixels.size() * sizeof(float)), 0) << threads << " threads";
  }
}

// Only the latents themselves grow with the video: each is there as it came and once more with its frames first.
TEST_F(H3VaeTest, MemoryOfDecodingDoesNotGrowWithTheVideo) {
  std::size_t shorter = 0, longer = 0;
  (void)decoded(latents(12), 12, 2, &shorter);
  (void)decoded(latents(62), 62, 2, &longer);
  const std::size_t fifty_latents = static_cast<std::size_t>(50 * vae.config.latent_channels * height * width) * sizeof(float);
  EXPECT_LE(longer - shorter, 2 * fifty_latents + 2 * Arena::alignment);
}

TEST_F(H3VaeTest, AStillIsOneLatentFrame) {
  const Shape moments = run_sized(cpu_machine(1), [&](Context& ctx) {
    return encode(ctx, vae, constant(ctx, random.normals(3 * 24 * 32), {1, 3, 24, 32}), Tiling{}).shape;
  });
  EXPECT_EQ(moments, (Shape{2 * vae.config.latent_channels, 1, 3, 4}));
}

}  // namespace
}  // namespace fabula::h3
