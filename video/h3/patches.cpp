// Patches as moves of short runs of values: a line of a patch is contiguous in the latents and in its row.
#include "video/h3/patches.h"

#include <vector>

#include "base/error.h"

namespace fabula::h3 {
namespace {

// For each run of patch[2] values in the rows, in order: its run in the latents.
std::vector<std::int32_t> runs_in_latents(std::int64_t channels, const ClipGeometry& g) {
  const auto& [pt, ph, pw] = g.patch;
  std::vector<std::int32_t> runs;
  runs.reserve(static_cast<std::size_t>(channels * g.frames * g.height * g.width / pw));
  for (std::int64_t t = 0; t < g.frames; t += pt)
    for (std::int64_t h = 0; h < g.height; h += ph)
      for (std::int64_t w = 0; w < g.width; w += pw)
        for (std::int64_t c = 0; c < channels; ++c)
          for (std::int64_t i = 0; i < pt; ++i)
            for (std::int64_t j = 0; j < ph; ++j)
              runs.push_back(static_cast<std::int32_t>((((c * g.frames + t + i) * g.height + h + j) * g.width + w) / pw));
  return runs;
}

// Both as runs of a patch's line: (runs, patch[2]).
struct Runs {
  std::vector<std::int32_t> index;
  Tensor latents, rows;
};

Runs runs_of(Tensor latents, const ClipGeometry& g, Tensor rows) {
  const std::int64_t channels = latents.shape.rank() == 4 ? latents.shape[0] : 0;
  if (latents.shape != Shape{channels, g.frames, g.height, g.width} || rows.elements() != latents.elements() || latents.elements() == 0 ||
      g.frames % g.patch[0] != 0 || g.height % g.patch[1] != 0 || g.width % g.patch[2] != 0) {
    throw Error(ExitCode::internal,
                "patchify: latents " + latents.shape.text() + " cannot be cut into whole patches that fill rows " + rows.shape.text());
  }
  const Shape shape{latents.elements() / g.patch[2], g.patch[2]};
  return {runs_in_latents(channels, g), latents.view(shape), rows.view(shape)};
}

}  // namespace

void patchify(Context& ctx, Tensor latents, const ClipGeometry& geometry, Tensor rows) {
  const Runs runs = runs_of(latents, geometry, rows);
  const Arena::Scope scope(ctx.arena);
  copy(ctx, gather_rows(ctx, runs.latents, indices(ctx, runs.index)), runs.rows);
}

void unpatchify(Context& ctx, Tensor rows, const ClipGeometry& geometry, Tensor latents) {
  const Runs runs = runs_of(latents, geometry, rows);
  const Arena::Scope scope(ctx.arena);
  scatter_rows(ctx, runs.rows, indices(ctx, runs.index), runs.latents);
}

}  // namespace fabula::h3
