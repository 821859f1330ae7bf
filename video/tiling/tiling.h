// Tiles: large pictures go through a network piece by piece; overlaps are cross-faded.
// Reference: _split_tiles, _blend, _stitch_tiles of diffusers' video autoencoder (h3/vae.h).
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "engine/ops.h"

namespace fabula {

/// How a picture is cut, in pixels. The defaults are the reference's.
struct Tiling {
  std::int64_t tile_height = 256, tile_width = 256;
  std::int64_t min_overlap_height = 64, min_overlap_width = 64;
};

/// The tiles along one axis: tile i covers [starts[i], starts[i] + lengths[i]) and shares overlaps[i] with tile i + 1.
struct TileAxis {
  std::vector<std::int64_t> starts, lengths, overlaps;

  [[nodiscard]] std::size_t count() const { return starts.size(); }
  [[nodiscard]] std::int64_t extent() const { return starts.back() + lengths.back(); }
  /// The same tiles on a grid that is coarser by `ratio`.
  [[nodiscard]] TileAxis divided_by(std::int64_t ratio) const;
};

/// The fewest tiles that cover `length` with overlaps of at least `min_overlap`; slack widens the overlaps in turn, in steps of `ratio`.
/// Throws Error(bad_data) for tiles that cannot cover, or whose borders are not multiples of `ratio`.
[[nodiscard]] TileAxis split_tiles(std::int64_t length, std::int64_t tile, std::int64_t min_overlap, std::int64_t ratio);

struct TileGrid {
  TileAxis rows, columns;

  [[nodiscard]] bool single() const { return rows.count() == 1 && columns.count() == 1; }
  [[nodiscard]] TileGrid divided_by(std::int64_t ratio) const { return {rows.divided_by(ratio), columns.divided_by(ratio)}; }
};

/// Fades from `before` (n, …) to the first n entries of `x` (m ≥ n, …), in place: entry k becomes before·(1 − k/n) + x·k/n.
void cross_fade(Context&, Tensor before, Tensor x);

/// x (planes, height, width) -> (planes, rows, columns), the part that begins at (top, left).
[[nodiscard]] Tensor crop(Context&, Tensor x, std::int64_t top, std::int64_t rows, std::int64_t left, std::int64_t columns);

/// Maps the tiles `in` of x (planes, height, width) one by one, (planes, h, w) -> (out_planes, h', w'), and puts the results together where
/// `out` says. Each tile fades in over the unfaded edge of its upper, then of its left neighbour. Holds one tile and two edges at a time.
[[nodiscard]] Tensor map_tiles(Context&, Tensor x, const TileGrid& in, const TileGrid& out, std::int64_t out_planes,
                               const std::function<Tensor(Tensor)>& network);

}  // namespace fabula
