// Tiles cover the picture, and what is put together is what was cut.
#include "video/tiling/tiling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "tests/support/random.h"

namespace fabula {
namespace {

class TilingTest : public ::testing::Test {
 protected:
  Tensor normal(Shape shape) { return constant(ctx, random.normals(shape.elements()), shape); }

  test::Random random{test::seed()};
  Arena arena{std::size_t{1} << 24};
  Context ctx{reference_kernels(), arena, {}};
};

TileGrid grid_of(std::int64_t height, std::int64_t width, const Tiling& t, std::int64_t ratio) {
  return {split_tiles(height, t.tile_height, t.min_overlap_height, ratio), split_tiles(width, t.tile_width, t.min_overlap_width, ratio)};
}

// Tiles of one picture agree where they overlap, so that fading between them must give the picture back.
TEST_F(TilingTest, TilesThatAreLeftAloneGiveThePictureBack) {
  const Tiling tiling{.tile_height = 12, .tile_width = 8, .min_overlap_height = 4, .min_overlap_width = 2};
  const Tensor picture = normal({3, 34, 28});
  const TileGrid grid = grid_of(34, 28, tiling, 2);
  ASSERT_GT(grid.rows.count(), 2U);
  ASSERT_GT(grid.columns.count(), 2U);
  const Tensor result = map_tiles(ctx, picture, grid, grid, 3, [](Tensor tile) { return tile; });
  ASSERT_EQ(result.shape, picture.shape);
  for (std::int64_t i = 0; i < picture.elements(); ++i)
    ASSERT_NEAR(result.f32()[i], picture.f32()[i], 1e-6F * std::max(1.0F, std::abs(picture.f32()[i]))) << i;
}

TEST_F(TilingTest, ATileFadesInOverItsNeighboursEdge) {
  const Tensor before = constant(ctx, std::vector<float>(4, 1.0F), {4, 1}), x = constant(ctx, std::vector<float>(6, 0.0F), {6, 1});
  cross_fade(ctx, before, x);
  const float expected[] = {1.0F, 0.75F, 0.5F, 0.25F, 0.0F, 0.0F};
  for (int i = 0; i < 6; ++i) EXPECT_FLOAT_EQ(x.f32()[i], expected[i]);
}

TEST_F(TilingTest, CropTakesTheRectangleThatWasAskedFor) {
  const Tensor x = normal({2, 5, 7});
  const Tensor part = crop(ctx, x, 1, 3, 2, 4);
  ASSERT_EQ(part.shape, (Shape{2, 3, 4}));
  for (std::int64_t p = 0; p < 2; ++p)
    for (std::int64_t r = 0; r < 3; ++r)
      for (std::int64_t c = 0; c < 4; ++c) EXPECT_EQ(part.f32()[(p * 3 + r) * 4 + c], x.f32()[(p * 5 + r + 1) * 7 + c + 2]);
}

TEST_F(TilingTest, TilesCoverEveryLengthWithAtLeastTheOverlap) {
  for (int trial = 0; trial < 200; ++trial) {
    const std::int64_t ratio = 1 + random.below(8), tile = ratio * (2 + random.below(12)), overlap = ratio * random.below(tile / ratio),
                       length = ratio * (1 + random.below(200));
    const TileAxis axis = split_tiles(length, tile, overlap, ratio);
    ASSERT_EQ(axis.starts.front(), 0);
    ASSERT_EQ(axis.extent(), length);
    for (std::size_t i = 0; i + 1 < axis.count(); ++i) {
      ASSERT_GE(axis.overlaps[i], overlap);
      ASSERT_EQ(axis.starts[i] + axis.lengths[i] - axis.overlaps[i], axis.starts[i + 1]);
      ASSERT_EQ(axis.starts[i] % ratio, 0);
    }
  }
}

TEST_F(TilingTest, TilesThatCannotCoverAreRefused) {
  EXPECT_THROW((void)split_tiles(64, 32, 32, 16), Error);  // no progress
  EXPECT_THROW((void)split_tiles(64, 40, 16, 16), Error);  // a border between two latents
  EXPECT_THROW((void)split_tiles(0, 32, 16, 16), Error);
  EXPECT_THROW((void)split_tiles(std::int64_t{1} << 40, 32, 16, 16), Error);
}

}  // namespace
}  // namespace fabula
