// Canvas and length by the reference's rules; pictures by Pillow's Lanczos, sounds by torchaudio's resampling.
#include "video/h3/request.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "audio/resample.h"
#include "base/error.h"
#include "engine/resample_picture.h"
#include "video/h3/audio_vae/config.h"
#include "video/h3/config.h"

namespace fabula::h3 {
namespace {

[[noreturn]] void refuse(const std::string& sentence) { throw Error(ExitCode::usage, sentence); }

std::string size_text(std::int64_t width, std::int64_t height) { return std::to_string(width) + " x " + std::to_string(height); }

Image lanczos(const Image& image, std::int64_t width, std::int64_t height) {
  if (image.width == width && image.height == height) return image;
  return resample_picture(image, static_cast<int>(width), static_cast<int>(height), PictureFilter::lanczos, FixedPoint::pillow);
}

Image cropped(const Image& image, int left, int top, int width, int height) {
  Image result{width, height, {}};
  result.rgb.reserve(std::size_t{3} * static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  for (int row = top; row < top + height; ++row) {
    const auto begin = image.rgb.begin() + std::ptrdiff_t{3} * (std::ptrdiff_t{row} * image.width + left);
    result.rgb.insert(result.rgb.end(), begin, begin + std::ptrdiff_t{3} * width);
  }
  return result;
}

// Enlarged or reduced until it covers the canvas, then cut around its middle.
Image covering(const Image& image, const Canvas& canvas) {
  if (image.width == canvas.width && image.height == canvas.height) return image;
  const double scale = std::max(static_cast<double>(canvas.width) / image.width, static_cast<double>(canvas.height) / image.height);
  const std::int64_t width = std::max<std::int64_t>(canvas.width, std::llrint(image.width * scale)),
                     height = std::max<std::int64_t>(canvas.height, std::llrint(image.height * scale));
  return cropped(lanczos(image, width, height), static_cast<int>((width - canvas.width) / 2),
                 static_cast<int>((height - canvas.height) / 2), static_cast<int>(canvas.width), static_cast<int>(canvas.height));
}

Canvas canvas_of(const RequestRules& rules, double width, double height) {
  return resolve_canvas(width, height, rules.multiple, rules.folder.canvas_short_edge, rules.folder.canvas_max_pixels);
}

// The first picture given binds the canvas where nothing else does.
Canvas canvas_for(const RequestRules& rules, const Asked& asked, const GivenMedia& media) {
  if (asked.canvas) {
    const Canvas canvas = *asked.canvas;
    if (canvas.width < 1 || canvas.height < 1 || canvas.width % rules.multiple != 0 || canvas.height % rules.multiple != 0)
      refuse("a canvas of " + size_text(canvas.width, canvas.height) + ": both sides must be multiples of " +
             std::to_string(rules.multiple));
    return canvas;
  }
  const std::optional<Image>& first = media.first_frame ? media.first_frame : media.last_frame;
  if (first && !asked.has_aspect) return canvas_of(rules, first->width, first->height);
  return canvas_of(rules, asked.aspect_width, asked.aspect_height);
}

int frames_for(const RequestRules& rules, const Asked& asked) {
  const std::int64_t frames = align_frames(asked.frames, rules.chunk, rules.kept);
  const double seconds = static_cast<double>(frames) / folder_fps;
  if (seconds < shortest_seconds || seconds > longest_seconds) {
    refuse("a clip of " + std::to_string(asked.frames) + " frames, which become " + std::to_string(frames) +
           ": the model makes 5 to 15 seconds at " + std::to_string(folder_fps) + " frames a second");
  }
  return static_cast<int>(frames);
}

void check_references(const std::vector<GivenReference>& references) {
  constexpr std::ptrdiff_t most_pictures = 9, most_videos = 3, most_sounds = 3;
  constexpr std::size_t most = 12;
  const auto count = [&](GivenReference::Kind kind) {
    return std::count_if(references.begin(), references.end(), [&](const GivenReference& r) { return r.kind == kind; });
  };
  const std::ptrdiff_t sounds = count(GivenReference::Kind::audio);
  if (count(GivenReference::Kind::image) > most_pictures) refuse("more than 9 reference pictures");
  if (count(GivenReference::Kind::video) > most_videos) refuse("more than 3 reference videos");
  if (sounds > most_sounds) refuse("more than 3 reference sounds");
  if (references.size() > most) refuse("more than 12 references");
  if (!references.empty() && sounds == static_cast<std::ptrdiff_t>(references.size()))
    refuse("a reference sound needs a reference picture or video beside it");
}

Image reference_picture(const RequestRules& rules, const Image& image) {
  if (image.width > 4 * image.height || image.height > 4 * image.width)
    refuse("a reference picture of " + size_text(image.width, image.height) + ": its aspect must lie between 1:4 and 4:1");
  const double scale = rules.folder.reference_image_short_edge / std::min(image.width, image.height);
  const auto side = [&](int length) {
    return std::max<std::int64_t>(rules.multiple, std::llrint(length * scale / static_cast<double>(rules.multiple)) * rules.multiple);
  };
  return lanczos(image, side(image.width), side(image.height));
}

// Whole frames are dropped and repeated, as FFmpeg's fps filter does.
std::vector<Image> at_model_rate(const std::vector<Image>& frames, double fps, std::size_t most) {
  const auto slot = [&](std::size_t i) {
    return static_cast<std::int64_t>(std::floor(static_cast<double>(i) * (static_cast<double>(folder_fps) / fps) + 0.5));
  };
  std::vector<Image> result;
  for (std::size_t i = 0; i < frames.size() && result.size() < most; ++i) {
    const std::int64_t times = fps == static_cast<double>(folder_fps) ? 1 : slot(i + 1) - slot(i);
    for (std::int64_t k = 0; k < times && result.size() < most; ++k) result.push_back(frames[i]);
  }
  return result;
}

std::vector<Image> reference_frames(const RequestRules& rules, const GivenReference& given, int frames) {
  if (!(given.fps > 0.0) || given.pictures.empty()) refuse("a reference video without frames or without a frame rate");
  std::vector<Image> result = at_model_rate(given.pictures, given.fps, static_cast<std::size_t>(frames));
  const Canvas canvas = canvas_of(rules, given.pictures.front().width, given.pictures.front().height);
  for (Image& frame : result) frame = lanczos(frame, canvas.width, canvas.height);
  return result;
}

// Cut at its own rate, then resampled; one channel becomes two.
Sound reference_sound(const RequestRules& rules, const Sound& given, int frames) {
  if (given.channels < 1 || given.channels > 2)
    refuse("a reference sound of " + std::to_string(given.channels) + " channels, expected one or two");
  const auto channels = static_cast<std::size_t>(given.channels);
  const auto most = static_cast<std::size_t>(static_cast<double>(frames) / folder_fps * given.sample_rate);
  const std::size_t count = std::min(most, given.samples.size() / channels);
  std::vector<std::vector<float>> resampled;
  for (std::size_t channel = 0; channel < channels; ++channel) {
    std::vector<float> one(count);
    for (std::size_t i = 0; i < count; ++i) one[i] = given.samples[i * channels + channel];
    resampled.push_back(resample_as_torchaudio(one, given.sample_rate, rules.sample_rate));
  }
  Sound sound{rules.sample_rate, folder_audio_channels, {}};
  for (std::size_t i = 0; i < resampled.front().size(); ++i) {
    sound.samples.push_back(resampled.front()[i]);
    sound.samples.push_back(resampled.back()[i]);
  }
  return sound;
}

GivenReference normalised(const RequestRules& rules, const GivenReference& given, int frames) {
  GivenReference result{.kind = given.kind};
  if (given.has_sound()) result.sound = reference_sound(rules, given.sound, frames);
  if (given.kind == GivenReference::Kind::image) result.pictures = {reference_picture(rules, given.pictures.front())};
  if (given.kind == GivenReference::Kind::video) {
    result.pictures = reference_frames(rules, given, frames);
    result.fps = folder_fps;
  }
  return result;
}

}  // namespace

RequestRules rules_of(const H3Folder& folder) {
  const VaeConfig vae = VaeConfig::load(folder.vae);
  std::error_code ignored;
  const bool has_plain = std::filesystem::is_regular_file(folder.transformer / "config.json", ignored);
  const DitConfig dit = DitConfig::load(has_plain ? folder.transformer : folder.transformer_ref);
  return {.folder = folder,
          .multiple = vae.spatial_ratio() * dit.patch_w,
          .chunk = vae.clip_length,
          .kept = vae.latents_per_clip(),
          .sample_rate = AudioVaeConfig::read(folder.audio_vae).sampling_rate};
}

std::vector<int> lengths_of(const RequestRules& rules) {
  std::vector<int> lengths;
  for (std::int64_t frames = rules.kept; static_cast<double>(frames) <= longest_seconds * folder_fps; frames += rules.chunk) {
    if (static_cast<double>(frames) >= shortest_seconds * folder_fps) lengths.push_back(static_cast<int>(frames));
  }
  return lengths;
}

const char* name_of(Workflow workflow) {
  constexpr const char* names[] = {"t2va", "fl2va", "ref2va"};
  return names[static_cast<std::size_t>(workflow)];
}

Workflow workflow_of(const GivenMedia& media) {
  const bool has_frames = media.first_frame || media.last_frame;
  if (has_frames && !media.references.empty()) refuse("a clip is led by its first and last frame or by references, not by both");
  if (!media.references.empty()) return Workflow::ref2va;
  return has_frames ? Workflow::fl2va : Workflow::t2va;
}

ClipOrder resolve(const RequestRules& rules, const Asked& asked, const GivenMedia& media) {
  ClipOrder order;
  order.workflow = workflow_of(media);
  check_references(media.references);
  order.canvas = canvas_for(rules, asked, media);
  order.frames = frames_for(rules, asked);
  const auto stretched = [&](const Image& image) { return lanczos(image, order.canvas.width, order.canvas.height); };
  if (media.first_frame) order.media.first_frame = stretched(*media.first_frame);
  // The first in the list is stretched, the second covers the canvas.
  if (media.last_frame)
    order.media.last_frame = media.first_frame ? covering(*media.last_frame, order.canvas) : stretched(*media.last_frame);
  for (const GivenReference& reference : media.references) order.media.references.push_back(normalised(rules, reference, order.frames));
  return order;
}

}  // namespace fabula::h3
