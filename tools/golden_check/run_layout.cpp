// Packed sequences, clip sizes and patches: integers and moves, which must be equal.
#include <algorithm>
#include <cstring>
#include <nlohmann/json.hpp>
#include <tuple>

#include "tools/golden_check/parameters.h"
#include "video/h3/denoise.h"
#include "video/h3/layout.h"
#include "video/h3/patches.h"

namespace fabula::golden {
namespace {

using nlohmann::json;

constexpr std::int64_t most = 4096;  // latents on a side: anything larger is no case but a corrupted file

h3::ClipGeometry geometry_of(const Case& one) {
  h3::ClipGeometry geometry;
  geometry.frames = whole_number(one, "num_latent_frames", 1, most);
  geometry.height = whole_number(one, "latent_height", 1, most);
  geometry.width = whole_number(one, "latent_width", 1, most);
  geometry.audio_latents = whole_number(one, "num_audio_latents", 0, 1 << 16);
  geometry.audio_channels = static_cast<int>(whole_number(one, "audio_channels", 1, 2));
  const auto patch = whole_numbers(one, "patch_size", 3, 1, 64);
  geometry.patch = {patch[0], patch[1], patch[2]};
  if (geometry.frames * geometry.rows_per_frame() > 1 << 20) throw Error(ExitCode::bad_data, "the case asks for more than a million rows");
  return geometry;
}

std::vector<h3::LayoutReference> references_of(const json& list) {
  std::vector<h3::LayoutReference> references;
  for (const json& entry : list) {
    h3::LayoutReference reference;
    const auto kind = entry.at("kind").get<std::string>();
    reference.kind = kind == "image"   ? h3::LayoutReference::Kind::image
                     : kind == "audio" ? h3::LayoutReference::Kind::audio
                                       : h3::LayoutReference::Kind::video;
    if (entry.at("latent_shape").is_array()) {
      const auto shape = entry["latent_shape"].get<std::vector<std::int64_t>>();
      if (shape.size() != 3 || *std::min_element(shape.begin(), shape.end()) < 1 || *std::max_element(shape.begin(), shape.end()) > 512) {
        throw Error(ExitCode::bad_data, "a reference's latent_shape makes no sense");
      }
      reference.frames = shape[0];
      reference.height = shape[1];
      reference.width = shape[2];
    }
    reference.audio_latents = std::clamp<std::int64_t>(entry.at("num_audio_latents").get<std::int64_t>(), 0, 1 << 16);
    references.push_back(reference);
  }
  return references;
}

h3::Layout pack_case(const Case& one, const json& parameters) {
  const std::vector<std::int64_t> stored = integers(one.in("text_token_tags"));
  const std::vector<std::int32_t> tags(stored.begin(), stored.end());
  const h3::ClipGeometry geometry = geometry_of(one);
  if (parameters.at("task") == "ref2va") return h3::pack(geometry, tags, references_of(parameters.at("references")));
  std::vector<h3::Anchor> anchors;
  for (const auto& anchor : parameters.value("keyframe_anchors", std::vector<std::string>{}))
    anchors.push_back(anchor == "first" ? h3::Anchor::first : h3::Anchor::last);
  return h3::pack(geometry, tags, anchors);
}

template <typename T>
void compare_integers(Comparison& compare, const char* name, const std::vector<T>& values) {
  const std::vector<std::int64_t> wide(values.begin(), values.end());
  compare.values(name, wide, {static_cast<std::int64_t>(wide.size())});
}

void compare_timesteps(const h3::Layout& layout, const json& given, Comparison& compare) {
  const h3::RowTimesteps times =
      h3::row_timesteps(layout, given.at("video").get<float>(), given.at("audio").get<float>(), given.at("condition_video").get<float>());
  compare.values("out.timestep", times.distinct, {static_cast<std::int64_t>(times.distinct.size())});
  compare_integers(compare, "out.timestep_indices", times.index);
}

}  // namespace

void run_layout(const Case& one, const Setup&, Comparison& compare) {
  const json parameters = json::parse(one.parameters);
  const h3::Layout layout = pack_case(one, parameters);
  compare.values("out.position_ids", layout.positions, {layout.rows(), 3});
  compare_integers(compare, "out.token_tags", layout.tags);
  compare_integers(compare, "out.video_indices", layout.video);
  compare_integers(compare, "out.audio_indices", layout.audio);
  compare_integers(compare, "out.text_indices", layout.text);
  compare_integers(compare, "out.num_condition_video_rows", std::vector{layout.given_video_rows});
  compare_integers(compare, "out.num_condition_audio_rows", std::vector{layout.given_audio_rows});
  compare_timesteps(layout, parameters.at("row_timesteps"), compare);
}

void run_geometry(const Case& one, const Setup&, Comparison& compare) {
  std::vector<std::int64_t> aligned, latents, audio_24, audio_12;
  for (const std::int64_t frames : integers(one.in("num_frames"))) {
    if (frames < 1 || frames > 1 << 20) throw Error(ExitCode::bad_data, "a number of frames makes no sense");
    aligned.push_back(h3::align_frames(frames));
    latents.push_back(h3::latent_frames(aligned.back()));
    audio_24.push_back(h3::audio_latents(aligned.back(), 24.0));
    audio_12.push_back(h3::audio_latents(aligned.back(), 12.0));
  }
  compare_integers(compare, "out.aligned", aligned);
  compare_integers(compare, "out.video_latents", latents);
  compare_integers(compare, "out.audio_latents_24", audio_24);
  compare_integers(compare, "out.audio_latents_12", audio_12);

  const Tensor aspects = one.in("aspect");
  if (aspects.dtype != DType::f64 || aspects.shape.rank() != 2 || aspects.width() != 2)
    throw Error(ExitCode::bad_data, "in.aspect is not a list of pairs");
  std::vector<std::int64_t> large, small;
  for (std::int64_t i = 0; i < aspects.shape[0]; ++i) {
    double pair[2];
    std::memcpy(pair, aspects.as<const char>() + i * 16, sizeof pair);
    for (auto& [list, edge, pixels] : {std::tuple(&large, 768, 768 * 1344), std::tuple(&small, 288, 288 * 512)}) {
      const h3::Canvas canvas = h3::resolve_canvas(pair[0], pair[1], 32, edge, pixels);
      list->push_back(canvas.height);
      list->push_back(canvas.width);
    }
  }
  compare.values("out.canvas_768", large, {aspects.shape[0], 2});
  compare.values("out.canvas_288", small, {aspects.shape[0], 2});
}

void run_patchify(const Case& one, const Setup& setup, Comparison& compare) {
  const Tensor latents = one.in("latents"), audio = one.in("audio");
  if (latents.shape.rank() != 5 || latents.shape[0] != 1 || audio.shape.rank() != 3)
    throw Error(ExitCode::bad_data, "the case's inputs have the wrong shape");
  const auto patch = whole_numbers(one, "patch_size", 3, 1, 64);
  h3::ClipGeometry geometry;
  geometry.frames = latents.shape[2];
  geometry.height = latents.shape[3];
  geometry.width = latents.shape[4];
  geometry.patch = {patch[0], patch[1], patch[2]};
  const std::int64_t width = latents.shape[1] * patch[0] * patch[1] * patch[2];
  run_sized(setup, [&](Context& ctx) {
    const Tensor values = constant(ctx, floats(latents), {latents.shape[1], latents.shape[2], latents.shape[3], latents.shape[4]});
    const Tensor rows = ctx.arena.take({latents.elements() / width, width}), back = ctx.arena.take(values.shape);
    patchify(ctx, values, geometry, rows);
    unpatchify(ctx, rows, geometry, back);
    compare.exact(to_host(ctx, back) == to_host(ctx, values), "unpatchify does not undo patchify");
    compare("out.rows", rows);

    // Audio rows: (channel items, width, latents) -> (items · latents, width).
    const Tensor copied = constant(ctx, floats(audio), audio.shape);
    compare("out.audio_rows", permute(ctx, copied, {0, 2, 1}).view({audio.shape[0] * audio.shape[2], audio.shape[1]}));
  });
}

}  // namespace fabula::golden
