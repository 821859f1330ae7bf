// Cuts pictures into overlapping tiles and fades the results together.
#include "video/tiling/tiling.h"

#include <algorithm>
#include <string>

#include "base/error.h"

namespace fabula {
namespace {

// The edges that the next tile fades over: one strip a column of tiles, another for the tile at the left. Two of each, because a tile's own
// edge is kept before its neighbour's has been used up.
struct Edges {
  std::vector<Tensor> bottom[2];  // [column]: (overlap, planes, w), rows first
  Tensor right[2];                // (overlap, planes, h), columns first
};

std::int64_t longest(const std::vector<std::int64_t>& lengths) {
  return lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
}

Edges take_edges(Context& ctx, const TileGrid& grid, std::int64_t planes) {
  Edges edges;
  for (int k = 0; k < 2; ++k) {
    for (const std::int64_t width : grid.columns.lengths)
      edges.bottom[k].push_back(ctx.arena.take({longest(grid.rows.overlaps), planes, width}));
    edges.right[k] = ctx.arena.take({longest(grid.columns.overlaps), planes, longest(grid.rows.lengths)});
  }
  return edges;
}

// How much of tile i is seen before tile i + 1 takes over.
std::int64_t visible(const TileAxis& axis, std::size_t i) {
  return i + 1 < axis.count() ? axis.lengths[i] - axis.overlaps[i] : axis.lengths[i];
}

// Fades tile (i, j) of (planes, h, w) over its neighbours' edges and keeps its own. -> columns first (w, planes, h)
Tensor blend(Context& ctx, Edges& edges, const TileGrid& grid, std::size_t i, std::size_t j, Tensor tile) {
  const TileAxis &rows = grid.rows, &columns = grid.columns;
  const Tensor by_row = permute(ctx, tile, {1, 0, 2});
  Tensor by_column = permute(ctx, tile, {2, 0, 1});
  if (i + 1 < rows.count()) copy(ctx, by_row.slice(visible(rows, i), rows.overlaps[i]), edges.bottom[i % 2][j].slice(0, rows.overlaps[i]));
  if (j + 1 < columns.count())
    copy(ctx, by_column.slice(visible(columns, j), columns.overlaps[j]), edges.right[j % 2].slice(0, columns.overlaps[j]));
  if (i > 0) {
    cross_fade(ctx, edges.bottom[(i - 1) % 2][j].slice(0, rows.overlaps[i - 1]), by_row);
    by_column = permute(ctx, by_row, {2, 1, 0});
  }
  if (j > 0) cross_fade(ctx, edges.right[(j - 1) % 2].slice(0, columns.overlaps[j - 1]), by_column);
  return by_column;
}

}  // namespace

TileAxis TileAxis::divided_by(std::int64_t ratio) const {
  TileAxis coarse = *this;
  for (auto* values : {&coarse.starts, &coarse.lengths, &coarse.overlaps}) {
    for (std::int64_t& value : *values) value /= ratio;
  }
  return coarse;
}

TileAxis split_tiles(std::int64_t length, std::int64_t tile, std::int64_t min_overlap, std::int64_t ratio) {
  if (length > 0 && tile >= length) return {{0}, {length}, {}};
  constexpr std::int64_t longest = 1 << 20;  // pixels: beyond it, a corrupted file
  if (ratio < 1 || length < 1 || length > longest || tile < 1 || min_overlap < 0 || min_overlap >= tile || tile % ratio != 0 ||
      min_overlap % ratio != 0 || length % ratio != 0) {
    throw Error(ExitCode::bad_data, "tiles of " + std::to_string(tile) + " with an overlap of " + std::to_string(min_overlap) +
                                        " cannot cover " + std::to_string(length) + ": all must be multiples of " + std::to_string(ratio) +
                                        " and the overlap smaller than the tile");
  }
  std::int64_t count = (length + tile - 1) / tile;
  while (tile * count - min_overlap * (count - 1) < length) ++count;

  TileAxis axis;
  axis.lengths.assign(static_cast<std::size_t>(count), tile);
  axis.overlaps.assign(static_cast<std::size_t>(count - 1), min_overlap);
  const std::int64_t slack = tile * count - min_overlap * (count - 1) - length;
  for (std::int64_t i = 0; i < slack / ratio; ++i) axis.overlaps[static_cast<std::size_t>(i % (count - 1))] += ratio;
  axis.starts.push_back(0);
  for (const std::int64_t overlap : axis.overlaps) axis.starts.push_back(axis.starts.back() + tile - overlap);
  return axis;
}

void cross_fade(Context& ctx, Tensor before, Tensor x) {
  const std::int64_t count = before.shape[0];
  for (std::int64_t k = 0; k < count; ++k) {
    const float share = static_cast<float>(k) / static_cast<float>(count);
    axpby_into(ctx, 1.0F - share, before.slice(k, 1), share, x.slice(k, 1), x.slice(k, 1));
  }
}

Tensor crop(Context& ctx, Tensor x, std::int64_t top, std::int64_t rows, std::int64_t left, std::int64_t columns) {
  const Tensor band = permute(ctx, x, {1, 0, 2}).slice(top, rows);
  return permute(ctx, permute(ctx, band, {2, 1, 0}).slice(left, columns), {1, 2, 0});
}

Tensor map_tiles(Context& ctx, Tensor x, const TileGrid& in, const TileGrid& out, std::int64_t out_planes,
                 const std::function<Tensor(Tensor)>& network) {
  const Tensor result = ctx.arena.take({out_planes, out.rows.extent(), out.columns.extent()});
  const Arena::Scope scope(ctx.arena);
  const Tensor canvas = ctx.arena.take({out.rows.extent(), out_planes, out.columns.extent()});
  Edges edges = take_edges(ctx, out, out_planes);
  for (std::size_t i = 0; i < out.rows.count(); ++i) {
    const Arena::Scope row_scope(ctx.arena);
    const Tensor band = ctx.arena.take({out.columns.extent(), out_planes, out.rows.lengths[i]});
    for (std::size_t j = 0; j < out.columns.count(); ++j) {
      const Arena::Scope tile_scope(ctx.arena);
      const Tensor piece = crop(ctx, x, in.rows.starts[i], in.rows.lengths[i], in.columns.starts[j], in.columns.lengths[j]);
      const Tensor blended = blend(ctx, edges, out, i, j, network(piece));
      const std::int64_t columns = visible(out.columns, j);
      copy(ctx, blended.slice(0, columns), band.slice(out.columns.starts[j], columns));
    }
    const std::int64_t rows = visible(out.rows, i);
    copy(ctx, permute(ctx, band, {2, 1, 0}).slice(0, rows), canvas.slice(out.rows.starts[i], rows));
  }
  copy(ctx, permute(ctx, canvas, {1, 0, 2}), result);
  return result;
}

}  // namespace fabula
