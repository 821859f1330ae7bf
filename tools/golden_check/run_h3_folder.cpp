// Requests through a whole published folder: from prompt and given media to frames and samples, every stage compared. A case names its
// folder, which lies beside it; the stages' bounds are in the table below.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "planner/h3/encoder.h"
#include "tools/golden_check/parameters.h"
#include "video/h3/decode.h"
#include "video/h3/denoise.h"
#include "video/h3/folder.h"
#include "video/h3/given.h"
#include "video/h3/patches.h"
#include "video/h3/request.h"
#include "video/h3/vae.h"

namespace fabula::golden {
namespace {

using nlohmann::json;

// How far a stage may be from the reference. Float32 outputs are of order one; what the reference itself moves by when its noise moves by
// 1e-6, times ten. `of_bf16`: root mean square for products of bf16 operands, where 1e-6 of noise already moves the latents by 0.012;
// `distance`: the reference's own distance between its two precisions, which counts twice where a case states it.
struct Stage {
  const char* name;  // the beginning of the tensor's
  Bound fp32;
  double of_bf16;
  const char* distance;
};
constexpr Stage stages[] = {
    {"tap.pixel_values", {1e-6, 0.0}, 0.0, nullptr},
    {"tap.condition_noise", {2e-6, 0.0}, 0.0, nullptr},  // logarithms and cosines
    {"tap.video_noise", {2e-6, 0.0}, 0.0, nullptr},
    {"tap.audio_noise", {2e-6, 0.0}, 0.0, nullptr},
    {"tap.prompt_embeds", {1e-4, 0.0}, 0.12, "prompt_embeds"},
    {"tap.condition_moments", {2e-5, 0.0}, 0.0, nullptr},  // the encoder is float32 in both profiles
    {"tap.condition_latents", {0.0, 6e-5}, 0.0, nullptr},  // a difference of 1e-6 flips a rounding to half precision
    {"tap.condition_rows", {0.0, 6e-5}, 0.0, nullptr},
    {"tap.audio_condition_rows", {2e-4, 0.0}, 0.0, nullptr},
    {"tap.first_velocity", {5e-4, 3e-5}, 0.05, "first_velocity"},
    {"tap.first_audio_velocity", {5e-4, 3e-5}, 0.05, "first_velocity"},
    {"tap.rows_after_step", {5e-4, 3e-5}, 0.05, "latents"},
    {"tap.audio_rows_after_step", {5e-4, 3e-5}, 0.05, "audio_latents"},
    {"out.latents", {5e-4, 3e-5}, 0.05, "latents"},
    {"out.audio_latents", {5e-4, 3e-5}, 0.05, "audio_latents"},
    {"out.float_frames", {2e-4, 0.0}, 0.01, "float_frames"},
    {"out.frames", {1.5, 0.0}, 3.0, nullptr},  // a rounding may flip
    {"out.wave", {1e-4, 0.0}, 0.01, "wave"},
};
constexpr double normalized_sound = 1e-5;  // sums of a filter in another order

// A case, and its results as they are handed over.
class Run {
 public:
  Run(const Case& one, const Setup& setup, Comparison& compare)
      : one_(one), setup_(setup), compare_(compare), parameters_(json::parse(one.parameters)) {}

  [[nodiscard]] const Case& its_case() const { return one_; }
  [[nodiscard]] const Setup& setup() const { return setup_; }
  [[nodiscard]] const json& parameters() const { return parameters_; }
  [[nodiscard]] bool wants(const std::string& name) const { return compare_.wants(name); }

  void operator()(const std::string& name, const Tensor& actual) const { compare_.within(bound_of(name, actual), name, actual); }
  template <typename T>
  void operator()(const std::string& name, const std::vector<T>& values, Shape shape, DType dtype) const {
    Tensor tensor;
    tensor.data = const_cast<T*>(values.data());
    tensor.dtype = dtype;
    tensor.shape = shape;
    (*this)(name, tensor);
  }
  void pictures(const std::string& name, const std::vector<Image>& images) const {
    std::vector<std::uint8_t> all;
    for (const Image& image : images) all.insert(all.end(), image.rgb.begin(), image.rgb.end());
    (*this)(name, all, {static_cast<std::int64_t>(images.size()), images.front().height, images.front().width, 3}, DType::u8);
  }
  // Hands on what a part of the engine taps.
  [[nodiscard]] Tap tap() const {
    return Tap([this](const std::string& name, Tensor out) { (*this)("tap." + name, out); });
  }

 private:
  [[nodiscard]] Bound bound_of(const std::string& name, const Tensor& actual) const {
    if (name.rfind("tap.normalized", 0) == 0 && actual.dtype == DType::f32) return {normalized_sound, 0.0};
    for (const Stage& stage : stages) {
      if (name.rfind(stage.name, 0) != 0) continue;
      const json& distances = parameters_["result"].value("distance_from_float32", json::object());
      if (!distances.empty() && stage.distance != nullptr && distances.contains(stage.distance))
        return {0.0, 2.0 * distances[stage.distance].value("rms", 0.0)};
      const bool loose = setup_.precision == Precision::bf16 || !distances.empty();
      return loose && stage.of_bf16 > 0.0 ? Bound{0.0, stage.of_bf16} : stage.fp32;
    }
    return {};
  }

  const Case& one_;
  const Setup& setup_;
  Comparison& compare_;
  json parameters_;
};

std::vector<std::uint8_t> bytes_of(const Tensor& tensor) {
  if (tensor.dtype != DType::u8) throw Error(ExitCode::bad_data, "a picture of the case is not uint8");
  return {tensor.as<const std::uint8_t>(), tensor.as<const std::uint8_t>() + tensor.elements()};
}

// (frames, height, width, 3) or (height, width, 3)
std::vector<Image> images_of(const Tensor& tensor) {
  const Shape& s = tensor.shape;
  const int last = s.rank() - 1;
  if ((last != 2 && last != 3) || s[last] != 3 || tensor.elements() == 0)
    throw Error(ExitCode::bad_data, "a picture has shape " + s.text());
  const std::vector<std::uint8_t> all = bytes_of(tensor);
  const auto height = static_cast<int>(s[last - 2]), width = static_cast<int>(s[last - 1]);
  const std::ptrdiff_t picture = std::ptrdiff_t{3} * height * width;
  std::vector<Image> images;
  for (std::ptrdiff_t at = 0; at < static_cast<std::ptrdiff_t>(all.size()); at += picture)
    images.push_back({width, height, {all.begin() + at, all.begin() + at + picture}});
  return images;
}

// (channels, samples) -> interleaved
Sound sound_of(const Tensor& tensor, int sample_rate) {
  if (tensor.shape.rank() != 2 || tensor.shape[0] > 2) throw Error(ExitCode::bad_data, "a sound has shape " + tensor.shape.text());
  const std::vector<float> values = floats(tensor);
  const auto channels = static_cast<std::size_t>(tensor.shape[0]), count = static_cast<std::size_t>(tensor.shape[1]);
  Sound sound{sample_rate, static_cast<int>(channels), {}};
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t c = 0; c < channels; ++c) sound.samples.push_back(values[c * count + i]);
  }
  return sound;
}

GivenMedia media_of(const Run& run, int sample_rate) {
  const Case& one = run.its_case();
  GivenMedia media;
  if (one.has("in.image")) media.first_frame = images_of(one.in("image")).front();
  if (one.has("in.last_image")) media.last_frame = images_of(one.in("last_image")).front();
  std::size_t i = 0;
  for (const json& described : run.parameters().value("references", json::array())) {
    const std::string prefix = "references." + std::to_string(i++) + ".", kind = described.value("kind", "");
    GivenReference reference;
    reference.kind = kind == "image"   ? GivenReference::Kind::image
                     : kind == "audio" ? GivenReference::Kind::audio
                                       : GivenReference::Kind::video;
    if (one.has("in." + prefix + "image")) reference.pictures = images_of(one.in(prefix + "image"));
    if (one.has("in." + prefix + "frames")) reference.pictures = images_of(one.in(prefix + "frames"));
    if (one.has("in." + prefix + "audio"))
      reference.sound = sound_of(one.in(prefix + "audio"), described.value("sample_rate", sample_rate));
    reference.fps = described.value("fps", static_cast<double>(h3::folder_fps));
    media.references.push_back(std::move(reference));
  }
  return media;
}

h3::Asked asked_of(const Run& run) {
  const json& asked = run.parameters().at("asked");
  h3::Asked result;
  if (asked.contains("height")) result.canvas = h3::Canvas{asked.value("height", 0), asked.value("width", 0)};
  result.frames = asked.value("num_frames", h3::default_frames);
  return result;
}

void compare_order(const Run& run, const h3::ClipOrder& order) {
  const json& result = run.parameters().at("result");
  if (order.canvas.height != result.value("height", 0) || order.canvas.width != result.value("width", 0) ||
      order.frames != result.value("num_frames", 0) || h3::name_of(order.workflow) != run.parameters().value("workflow", ""))
    throw Error(ExitCode::check_failed, "canvas, length or workflow are not the reference's");
  std::size_t keyframe = 0;
  for (const std::optional<Image>* image : {&order.media.first_frame, &order.media.last_frame}) {
    if (*image) run.pictures("tap.keyframes." + std::to_string(keyframe++), {**image});
  }
  for (std::size_t i = 0; i < order.media.references.size(); ++i) {
    const GivenReference& reference = order.media.references[i];
    const std::string prefix = "tap.normalized." + std::to_string(i) + ".";
    if (!reference.pictures.empty())
      run.pictures(prefix + (reference.kind == GivenReference::Kind::video ? "frames" : "image"), reference.pictures);
    if (!reference.has_sound()) continue;
    const std::size_t channels = static_cast<std::size_t>(reference.sound.channels), count = reference.sound.samples.size() / channels;
    std::vector<float> planar(channels * count);
    for (std::size_t k = 0; k < planar.size(); ++k) planar[k] = reference.sound.samples[k % count * channels + k / count];
    run(prefix + "audio", planar, {static_cast<std::int64_t>(channels), static_cast<std::int64_t>(count)}, DType::f32);
  }
}

// Consecutive blocks of one video are one entry of the reference's grid.
void compare_presentation(const Run& run, const h3::Presentation& presentation) {
  const auto count = static_cast<std::int64_t>(presentation.tokens.size());
  run("tap.token_ids", presentation.tokens, {count}, DType::i32);
  run("tap.text_token_tags", presentation.tags, {count}, DType::i32);
  std::vector<float> pixels[2];
  std::vector<std::int64_t> grids[2];
  for (std::size_t i = 0; i < presentation.blocks.size(); ++i) {
    const Patches& block = presentation.blocks[i];
    const bool is_video = presentation.is_video[i];
    pixels[is_video].insert(pixels[is_video].end(), block.pixels.begin(), block.pixels.end());
    std::vector<std::int64_t>& grid = grids[is_video];
    if (is_video && !grid.empty())
      ++grid[0];  // no case has two videos
    else
      grid.insert(grid.end(), {1, block.grid.height, block.grid.width});
  }
  const char* names[2][2] = {{"tap.pixel_values", "tap.image_grid_thw"}, {"tap.pixel_values_videos", "tap.video_grid_thw"}};
  for (std::size_t k = 0; k < 2; ++k) {
    if (grids[k].empty()) continue;
    const Shape wanted = run.its_case().tensors->at(names[k][0]).shape;
    run(names[k][0], pixels[k], {static_cast<std::int64_t>(pixels[k].size()) / wanted[1], wanted[1]}, DType::f32);
    run(names[k][1], grids[k], {static_cast<std::int64_t>(grids[k].size()) / 3, 3}, DType::i64);
  }
}

void compare_layout(const Run& run, const h3::Layout& layout) {
  const auto list = [&](const char* name, const std::vector<std::int32_t>& values) {
    run(name, values, {static_cast<std::int64_t>(values.size())}, DType::i32);
  };
  run("tap.position_ids", layout.positions, {layout.rows(), 3}, DType::f64);
  list("tap.token_tags", layout.tags);
  list("tap.video_indices", layout.video);
  list("tap.audio_indices", layout.audio);
}

void compare_timesteps(const Run& run, const h3::Layout& layout, const h3::Schedules& schedules) {
  const auto list = [&](const std::string& name, const std::vector<float>& values) {
    run(name, values, {static_cast<std::int64_t>(values.size())}, DType::f32);
  };
  list("tap.timesteps", schedules.video.timesteps());
  list("tap.audio_timesteps", schedules.audio.timesteps());
  for (std::size_t i = 0; i < schedules.video.steps(); ++i) {
    const h3::RowTimesteps rows = h3::row_timesteps(layout, schedules.video.timesteps()[i], schedules.audio.timesteps()[i]);
    list("tap.timestep." + std::to_string(i), rows.distinct);
    run("tap.timestep_indices." + std::to_string(i), rows.index, {layout.rows()}, DType::i32);
  }
}

void compare_given(const Run& run, const std::vector<GivenLatents>& all) {
  std::size_t pictures = 0, sounds = 0;
  for (const GivenLatents& given : all) {
    const auto& v = given.video.shape;
    const auto& a = given.audio.shape;
    if (!v.empty()) run("tap.condition_latents." + std::to_string(pictures++), given.video.values, {v[0], v[1], v[2], v[3]}, DType::f32);
    if (!a.empty()) run("tap.audio_condition_rows." + std::to_string(sounds++), given.audio.values, {a[0], a[1]}, DType::f32);
  }
}

// The networks of a folder.
struct Parts {
  h3::Dit dit;
  h3::VideoVae vae;
  h3::AudioVae audio_vae;
};

h3::ClipGeometry geometry_of(const Parts& parts, const h3::ClipOrder& order) {
  const h3::VaeConfig& v = parts.vae.config;
  const h3::DitConfig& d = parts.dit.config;
  h3::ClipGeometry g;
  g.frames = h3::latent_frames(order.frames, v.clip_length, v.latents_per_clip());
  g.height = order.canvas.height / v.spatial_ratio();
  g.width = order.canvas.width / v.spatial_ratio();
  g.audio_latents = h3::audio_latents(order.frames, h3::folder_fps);
  g.audio_channels = h3::folder_audio_channels;
  g.patch = {d.patch_t, d.patch_h, d.patch_w};
  g.fps = h3::folder_fps;
  return g;
}

struct Made {
  Tensor video, audio;  // clean latents; rows
};

// Noise to clean latents.
Made sample(Context& ctx, const Run& run, const Parts& parts, const h3::ClipGeometry& g, const h3::Layout& layout, const h3::Denoising& how,
            const Conditioning& conditioning) {
  const h3::DitConfig& d = parts.dit.config;
  const Shape video_shape = {d.in_channels, g.frames, g.height, g.width},
              audio_shape = {g.audio_latents * g.audio_channels, d.audio_in_channels};
  const Tensor rows = ctx.arena.take({static_cast<std::int64_t>(layout.video.size()), d.patch_dim()});
  const Tensor audio = ctx.arena.take({static_cast<std::int64_t>(layout.audio.size()), d.audio_in_channels});
  const std::int64_t given = layout.given_video_rows, given_audio = layout.given_audio_rows;
  TorchGenerator generator(run.parameters().at("seed").get<std::uint64_t>());
  write_given(ctx, g, conditioning.given, how.given_video, generator, rows.slice(0, given), audio.slice(0, given_audio), run.tap());
  const h3::ClipLatents noise = h3::draw_noise(ctx, generator, video_shape, audio_shape);
  run("tap.video_noise", noise.video);
  run("tap.audio_noise", noise.audio);
  patchify(ctx, noise.video, g, rows.slice(given, rows.shape[0] - given));
  copy(ctx, noise.audio, audio.slice(given_audio, audio_shape[0]));
  const Tensor text = constant(ctx, conditioning.states, {conditioning.rows(), conditioning.dim});
  bool is_first = true;
  const Tap first([&](const std::string& name, Tensor out) {
    if (is_first) run("tap.first_" + name, out);
    is_first = is_first && name != "audio_velocity";
  });
  const auto after_step = [&](std::size_t done) {
    run("tap.rows_after_step." + std::to_string(done - 1), rows);
    run("tap.audio_rows_after_step." + std::to_string(done - 1), audio);
    return true;
  };
  denoise(ctx, parts.dit, layout, how, {text, rows, audio}, after_step, first);
  unpatchify(ctx, rows.slice(given, rows.shape[0] - given), g, noise.video);
  return {noise.video, audio.slice(given_audio, audio_shape[0])};
}

// The frames with these numbers; all for "all".
template <typename T>
std::vector<T> kept(const std::vector<T>& frames, std::size_t size, const json& which) {
  if (!which.is_array()) return frames;
  std::vector<T> some;
  for (const json& number : which) {
    const auto begin = frames.begin() + static_cast<std::ptrdiff_t>(number.get<std::size_t>() * size);
    some.insert(some.end(), begin, begin + static_cast<std::ptrdiff_t>(size));
  }
  return some;
}

void compare_frames(Context& ctx, const Run& run, const Parts& parts, Tensor latents) {
  const h3::VaeConfig& v = parts.vae.config;
  const std::int64_t height = latents.shape[2] * v.spatial_ratio(), width = latents.shape[3] * v.spatial_ratio();
  const auto picture = static_cast<std::size_t>(height * width);
  std::vector<float> in_unit_range;  // (frames, height, width, 3)
  std::vector<std::uint8_t> rounded;
  decode(ctx, parts.vae, h3::denormalise(ctx, latents, v.latents_mean, v.latents_std), Tiling{}, [&](Tensor part) {
    std::vector<float> values = to_host(ctx, part);
    h3::to_unit_range(values, height * width);
    for (std::size_t at = 0; at < values.size(); at += 3 * picture) {
      const auto frame = std::span(values).subspan(at, 3 * picture);
      for (std::size_t i = 0; i < 3 * picture; ++i) in_unit_range.push_back(frame[i % 3 * picture + i / 3]);
    }
    for (const Image& image : h3::images_of(ctx, part)) rounded.insert(rounded.end(), image.rgb.begin(), image.rgb.end());
  });
  if (rounded.empty()) return;  // nothing was computed
  const json& result = run.parameters().at("result");
  const auto floats = kept(in_unit_range, 3 * picture, result.at("float_frames_kept"));
  const auto bytes = kept(rounded, 3 * picture, result.at("frames_kept"));
  const auto count = [&](std::size_t values) { return static_cast<std::int64_t>(values / (3 * picture)); };
  run("out.float_frames", floats, {count(floats.size()), height, width, 3}, DType::f32);
  run("out.frames", bytes, {count(bytes.size()), height, width, 3}, DType::u8);
}

Conditioning read_prompt(const Run& run, const h3::H3Folder& folder, const h3::ClipOrder& order) {
  const h3::PromptReader reader = h3::PromptReader::open(folder.tokenizer, folder.processor);
  const h3::Presentation presentation = h3::present(reader, text(run.its_case(), "prompt"), order.media, h3::folder_fps);
  compare_presentation(run, presentation);
  const h3::TextEncoder encoder(folder.text_encoder, !order.media.empty(), run.setup().precision, run.setup().machine);
  Conditioning conditioning = encoder.encode(presentation);
  run("tap.prompt_embeds", conditioning.states, {1, conditioning.rows(), conditioning.dim}, DType::f32);
  return conditioning;
}

}  // namespace

void run_h3_folder(const Case& one, const Setup& setup, Comparison& compare) {
  const Run run(one, setup, compare);
  const h3::H3Folder folder = h3::H3Folder::open(one.file.parent_path() / text(one, "folder"));
  const bool follows = run.parameters().value("workflow", "") == "ref2va";
  const DeviceKind device = setup.machine.device;
  const Parts parts{h3::Dit::load(follows ? folder.transformer_ref : folder.transformer, setup.precision, device),
                    h3::VideoVae::load(folder.vae, setup.precision, device), h3::AudioVae::load(folder.audio_vae, device)};
  const h3::VaeConfig& v = parts.vae.config;
  const h3::RequestRules rules{folder, v.spatial_ratio() * parts.dit.config.patch_w, v.clip_length, v.latents_per_clip(),
                               parts.audio_vae.sample_rate()};
  const h3::ClipOrder order = h3::resolve(rules, asked_of(run), media_of(run, rules.sample_rate));
  compare_order(run, order);
  Conditioning conditioning = read_prompt(run, folder, order);
  conditioning.given = h3::encode_given(setup.exact, parts.vae, parts.audio_vae, order.media, run.tap());
  compare_given(run, conditioning.given);

  const h3::ClipGeometry g = geometry_of(parts, order);
  const h3::Layout layout = h3::pack_given(g, conditioning);
  compare_layout(run, layout);
  h3::Denoising how{.schedules = {Schedule::load(folder.scheduler), Schedule::load(folder.audio_scheduler)}};
  const int points = run.parameters().at("asked").value("num_inference_steps", h3::default_points);
  how.schedules.video.set_points(points);
  how.schedules.audio.set_points(points);
  compare_timesteps(run, layout, how.schedules);
  run_sized(setup, [&](Context& ctx) {
    const Made made = sample(ctx, run, parts, g, layout, how, conditioning);
    run("out.latents", made.video);
    const std::int64_t channels = g.audio_channels, latents = g.audio_latents;
    run("out.audio_latents", permute(ctx, made.audio.view({channels, latents, made.audio.shape[1]}), {0, 2, 1}));
    run("out.wave", h3::decode_sound(ctx, parts.audio_vae, made.audio, channels));
    compare_frames(ctx, run, parts, made.video);
  });
}

}  // namespace fabula::golden
