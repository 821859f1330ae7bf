// AutoencoderKLMiniMaxH3: encode, decode, and the table of the tile splitter.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "tools/golden_check/parameters.h"
#include "video/h3/vae.h"

namespace fabula::golden {
namespace {

using nlohmann::json;

// `tiling`: false, true for the reference's own tiles, or an object that says how large they are.
std::optional<Tiling> tiling_of(const json& parameters) {
  const json given = parameters.value("tiling", json(true));
  if (given.is_boolean()) return given.get<bool>() ? std::optional<Tiling>(Tiling{}) : std::nullopt;
  const auto side = [&](const char* name, std::int64_t otherwise) {
    if (!given.is_object() || !given.value(name, json(otherwise)).is_number_integer())
      throw Error(ExitCode::bad_data, "its metadata's tiling is malformed");
    return given.value(name, otherwise);
  };
  const Tiling defaults;
  return Tiling{side("tile_sample_min_height", defaults.tile_height), side("tile_sample_min_width", defaults.tile_width),
                side("tile_sample_min_overlap_height", defaults.min_overlap_height),
                side("tile_sample_min_overlap_width", defaults.min_overlap_width)};
}

// (batch, channels, frames, height, width) -> (channels, frames, height, width) of one item, in the arena.
Tensor item_of(Context& ctx, const Case& one, const std::string& name, std::int64_t item) {
  const Tensor stored = one.in(name);
  if (stored.shape.rank() != 5 || item >= stored.shape[0])
    throw Error(ExitCode::bad_data, "in." + name + " is not (batch, channels, frames, height, width)");
  return constant(ctx, floats(stored.slice(item, 1)), {stored.shape[1], stored.shape[2], stored.shape[3], stored.shape[4]});
}

void check_decode(Context& ctx, const h3::VideoVae& vae, Tensor latents, const std::optional<Tiling>& tiling, const Tap& tap,
                  const std::function<void(Tensor)>& result) {
  const std::int64_t ratio = vae.config.spatial_ratio(), frames = decoded_frames(vae.config, latents.shape[1]);
  const Tensor video = ctx.arena.take({frames, vae.config.out_channels, latents.shape[2] * ratio, latents.shape[3] * ratio});
  std::int64_t done = 0;
  decode(
      ctx, vae, latents, tiling,
      [&](Tensor part) {
        copy(ctx, part, video.slice(done, part.shape[0]));
        done += part.shape[0];
      },
      tap);
  if (done != frames)
    throw Error(ExitCode::check_failed, std::to_string(done) + " frames were decoded, expected " + std::to_string(frames));
  result(permute(ctx, video, {1, 0, 2, 3}));
}

void check_encode(Context& ctx, const h3::VideoVae& vae, Tensor pixels, const std::optional<Tiling>& tiling, const Tap& tap,
                  const std::function<void(Tensor)>& result) {
  result(encode(ctx, vae, permute(ctx, pixels, {1, 0, 2, 3}), tiling, tap));
}

// "length,tile,min_overlap" -> [starts, lengths, overlaps]
void check_splits(const json& parameters, const h3::VaeConfig& config, Comparison& compare) {
  const json splits = parameters.value("splits", json());
  if (!splits.is_object() || splits.empty()) throw Error(ExitCode::bad_data, "its metadata holds no splits");
  for (const auto& [key, expected] : splits.items()) {
    long long length = 0, tile = 0, overlap = 0;
    if (std::sscanf(key.c_str(), "%lld,%lld,%lld", &length, &tile, &overlap) != 3)
      throw Error(ExitCode::bad_data, "the split \"" + key + "\" is malformed");
    const TileAxis axis = split_tiles(length, tile, overlap, config.spatial_ratio());
    compare.exact(json{axis.starts, axis.lengths, axis.overlaps} == expected, "the tiles of \"" + key + "\" differ");
  }
  // The table is metadata; the file's one tensor is a zero in its place, because a file holds at least one.
  const float none = 0.0F;
  compare.values("out.none", std::span(&none, 1), {1});
}

// What a module put out when it ran last: chunks and tiles run it again and again, and the reference's hooks keep the last output.
class LastTaps {
 public:
  explicit LastTaps(const Comparison& compare) : compare_(compare) {}

  Tap tap(Context& ctx) {
    return Tap([this, &ctx](const std::string& module, Tensor out) {
      if (compare_.wants("tap." + module) && !ctx.arena.is_dry()) kept_["tap." + module] = {out.shape, to_host(ctx, out)};
    });
  }
  void hand_to(Comparison& compare, std::int64_t item, std::int64_t items) {
    for (auto& [name, kept] : kept_) {
      Tensor tensor;
      tensor.data = kept.values.data();
      tensor.shape = kept.shape;
      compare.slice(name, item, items, tensor);
    }
  }

 private:
  struct Kept {
    Shape shape;
    std::vector<float> values;
  };
  const Comparison& compare_;
  std::map<std::string, Kept> kept_;
};

}  // namespace

void run_vae(const Case& one, const Setup& setup, Comparison& compare) {
  const json parameters = json::parse(one.parameters);
  const json op = parameters.value("op", json());
  if (op == "split_tiles") return check_splits(parameters, h3::VaeConfig::load(one.weights), compare);
  if (op != "decode" && op != "encode") throw Error(ExitCode::bad_data, "its metadata's op is neither decode nor encode nor split_tiles");

  const bool decodes = op == "decode";
  const std::optional<Tiling> tiling = tiling_of(parameters);
  const h3::VideoVae vae = h3::VideoVae::load(one.weights, setup.precision, setup.machine.device);
  const std::string input = decodes ? "latents" : "pixels", output = decodes ? "out.pixels" : "out.moments";
  const std::int64_t items = one.in(input).shape.rank() == 5 ? one.in(input).shape[0] : 1;
  for (std::int64_t item = 0; item < items; ++item) {
    LastTaps taps(compare);
    run_sized(setup, [&](Context& ctx) {
      const auto check = decodes ? check_decode : check_encode;
      check(ctx, vae, item_of(ctx, one, input, item), tiling, taps.tap(ctx),
            [&](Tensor result) { compare.slice(output, item, items, result); });
    });
    taps.hand_to(compare, item, items);
  }
}

}  // namespace fabula::golden
