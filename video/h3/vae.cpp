// Clips and tiles around the encoder and the decoder: what is cut, cross-faded and dropped.
#include "video/h3/vae.h"

#include <algorithm>
#include <string>

#include "base/error.h"

namespace fabula::h3 {
namespace {

TileGrid grid_for(const VaeConfig& config, const Tiling& tiling, std::int64_t height, std::int64_t width) {
  const std::int64_t ratio = config.spatial_ratio();
  return {split_tiles(height, tiling.tile_height, tiling.min_overlap_height, ratio),
          split_tiles(width, tiling.tile_width, tiling.min_overlap_width, ratio)};
}

Tensor frames_first(Context& ctx, Tensor x) { return permute(ctx, x, {1, 0, 2, 3}); }
Tensor as_planes(Tensor x) { return x.view({x.shape[0] * x.shape[1], x.shape[2], x.shape[3]}); }

// x (frames, …) with its last frame repeated at the end.
Tensor extended(Context& ctx, Tensor x, std::int64_t frames) {
  if (x.shape[0] == frames) return x;
  const Tensor longer = ctx.arena.take({frames, x.shape[1], x.shape[2], x.shape[3]});
  copy(ctx, x, longer.slice(0, x.shape[0]));
  for (std::int64_t i = x.shape[0]; i < frames; ++i) copy(ctx, x.slice(x.shape[0] - 1, 1), longer.slice(i, 1));
  return longer;
}

// One clip, in tiles where it is larger than one. pixels (channels, frames, height, width) -> moments, likewise.
Tensor encode_tiled(Context& ctx, const VideoVae& vae, Tensor pixels, const std::optional<Tiling>& tiling, const Tap& tap) {
  const Shape& s = pixels.shape;
  if (!tiling || (s[2] <= tiling->tile_height && s[3] <= tiling->tile_width)) return encode_clip(ctx, vae.encoder, pixels, tap);
  const TileGrid grid = grid_for(vae.config, *tiling, s[2], s[3]);
  const std::int64_t frames = (s[1] + vae.config.temporal_ratio() - 1) / vae.config.temporal_ratio(),
                     channels = 2 * vae.config.latent_channels;
  const TileGrid latent_grid = grid.divided_by(vae.config.spatial_ratio());
  const Tensor moments = map_tiles(ctx, as_planes(pixels), grid, latent_grid, channels * frames, [&](Tensor tile) {
    return as_planes(encode_clip(ctx, vae.encoder, tile.view({s[0], s[1], tile.shape[1], tile.shape[2]}), tap));
  });
  return moments.view({channels, frames, moments.shape[1], moments.shape[2]});
}

// One clip. latents (frames, channels, height, width) -> pixels, likewise.
Tensor decode_tiled(Context& ctx, const VideoVae& vae, Tensor latents, const std::optional<Tiling>& tiling, const Tap& tap) {
  const Shape& s = latents.shape;
  const std::int64_t ratio = vae.config.spatial_ratio(), height = s[2] * ratio, width = s[3] * ratio;
  if (!tiling || (height <= tiling->tile_height && width <= tiling->tile_width))
    return decode_clip(ctx, vae.config, vae.decoder, latents, tap);
  const TileGrid grid = grid_for(vae.config, *tiling, height, width);
  const std::int64_t frames = s[0] * vae.config.temporal_ratio(), channels = vae.config.out_channels;
  const Tensor pixels = map_tiles(ctx, as_planes(latents), grid.divided_by(ratio), grid, frames * channels, [&](Tensor tile) {
    return as_planes(decode_clip(ctx, vae.config, vae.decoder, tile.view({s[0], s[1], tile.shape[1], tile.shape[2]}), tap));
  });
  return pixels.view({frames, channels, height, width});
}

// How a latent video is cut for decoding: chunk i is latent frames [i·chunk, i·chunk + chunk + overlap).
struct Chunks {
  std::int64_t count = 0;    // chunks
  std::int64_t latents = 0;  // latent frames after the last one was repeated to fill the last chunk
  std::int64_t frames = 0;   // pixel frames that come out
  std::int64_t faded = 0;    // pixel frames that two neighbouring chunks both make
};

// The pixel frames that belong to the repeated latent frames: a clip's last latent frame covers fewer than the others.
std::int64_t frames_of_padding(const VaeConfig& config, std::int64_t latent_frames, std::int64_t padding) {
  const std::int64_t ratio = config.temporal_ratio(), tail = config.clip_length % ratio;
  std::int64_t frames = 0;
  for (std::int64_t k = 0; k < padding; ++k) frames += tail != 0 && (latent_frames + k) % config.latents_per_clip() == 0 ? tail : ratio;
  return frames;
}

Chunks chunks_of(const VaeConfig& config, std::int64_t latent_frames) {
  const std::int64_t chunk = config.latents_per_clip(), overlap = config.latent_overlap();
  const std::int64_t tokens = latent_frames + config.token_drop, padding = (chunk - tokens % chunk) % chunk;
  Chunks chunks;
  chunks.count = (tokens + padding) / chunk - (config.token_drop > 0 ? 1 : 0);
  chunks.latents = latent_frames + padding;
  chunks.faded = std::max<std::int64_t>(overlap * config.temporal_ratio() - config.frame_pre_padding(), 0);
  chunks.frames = chunks.count * config.clip_length + chunks.faded - frames_of_padding(config, latent_frames, padding);
  if (latent_frames < 1 || chunks.count < 1 || chunks.frames < 1) {
    throw Error(ExitCode::bad_data, "video decoder: " + std::to_string(latent_frames) + " latent frames are too few for one clip");
  }
  return chunks;
}

}  // namespace

VideoVae VideoVae::load(const std::filesystem::path& folder, Precision precision, DeviceKind device) {
  return take(VaeConfig::load(folder), Weights::open(folder, precision, device));
}

VideoVae VideoVae::measure(const std::filesystem::path& folder, Precision precision) {
  return take(VaeConfig::load(folder), Weights::measure(folder, precision));
}

VideoVae VideoVae::take(const VaeConfig& config, Weights weights) {
  VideoVae vae(config, std::move(weights));
  vae.encoder = VaeEncoder::take(vae.weights, vae.config);
  vae.decoder = VaeDecoder::take(vae.weights, vae.config);
  vae.weights.finish();
  return vae;
}

Tensor encode(Context& ctx, const VideoVae& vae, Tensor pixels, const std::optional<Tiling>& tiling, const Tap& tap) {
  const VaeConfig& c = vae.config;
  const Shape& s = pixels.shape;
  if (s.rank() != 4 || s[0] < 1 || s[1] != c.in_channels)
    throw Error(ExitCode::internal, "video encoder: expected (frames, channels, height, width), got " + s.text());
  if (s[0] == 1) return encode_tiled(ctx, vae, frames_first(ctx, pixels), tiling, tap);  // a still has no clips, and nothing is dropped

  const std::int64_t clips = (s[0] + c.clip_length - 1) / c.clip_length;
  const Shape one = encoded_shape(vae.encoder, {s[1], c.clip_length, s[2], s[3]});
  const std::int64_t kept = clips * one[1] - c.token_drop;
  const Tensor moments = ctx.arena.take({one[0], kept, one[2], one[3]});
  const Arena::Scope scope(ctx.arena);
  const Tensor by_frame = ctx.arena.take({kept, one[0], one[2], one[3]});
  const Tensor video = extended(ctx, pixels, clips * c.clip_length);
  for (std::int64_t i = 0; i < clips; ++i) {
    const Arena::Scope clip_scope(ctx.arena);
    const Tensor clip =
        frames_first(ctx, encode_tiled(ctx, vae, frames_first(ctx, video.slice(i * c.clip_length, c.clip_length)), tiling, tap));
    const std::int64_t count = std::min(one[1], kept - i * one[1]);
    copy(ctx, clip.slice(0, count), by_frame.slice(i * one[1], count));
  }
  copy(ctx, frames_first(ctx, by_frame), moments);
  return moments;
}

std::int64_t decoded_chunks(const VaeConfig& config, std::int64_t latent_frames) { return chunks_of(config, latent_frames).count; }
std::int64_t decoded_frames(const VaeConfig& config, std::int64_t latent_frames) { return chunks_of(config, latent_frames).frames; }

void decode(Context& ctx, const VideoVae& vae, Tensor latents, const std::optional<Tiling>& tiling, const FramesReceiver& receive,
            const Tap& tap) {
  const VaeConfig& c = vae.config;
  const Shape& s = latents.shape;
  if (s.rank() != 4 || s[0] != c.latent_channels)
    throw Error(ExitCode::internal, "video decoder: expected (channels, frames, height, width), got " + s.text());
  const Chunks chunks = chunks_of(c, s[1]);
  const std::int64_t own = c.latents_per_clip(), own_frames = own * c.temporal_ratio(), skipped = c.frame_pre_padding();
  std::int64_t given = 0;
  const auto give = [&](Tensor frames) {  // the frames of repeated latents are the last and are dropped
    const std::int64_t count = std::min(frames.shape[0], chunks.frames - given);
    if (count > 0) receive(frames.slice(0, count));
    given += std::max<std::int64_t>(count, 0);
  };

  const Arena::Scope scope(ctx.arena);
  const Tensor z = extended(ctx, frames_first(ctx, latents), chunks.latents);
  const Tensor overlap = ctx.arena.take({chunks.faded, c.out_channels, s[2] * c.spatial_ratio(), s[3] * c.spatial_ratio()});
  for (std::int64_t i = 0; i < chunks.count; ++i) {
    const Arena::Scope chunk_scope(ctx.arena);
    const Tensor clip = decode_tiled(ctx, vae, z.slice(i * own, own + c.latent_overlap()), tiling, tap);
    const Tensor chunk = clip.slice(skipped, own_frames - skipped);
    if (i > 0) cross_fade(ctx, overlap, chunk);
    copy(ctx, clip.slice(clip.shape[0] - chunks.faded, chunks.faded), overlap);
    give(chunk);
  }
  give(overlap);
}

}  // namespace fabula::h3
