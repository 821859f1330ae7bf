// Packs rows in the order of the reference, each with its position and tag.
#include "video/h3/layout.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"

namespace fabula::h3 {
namespace {

// Pixel frames that each latent frame of a clip covers: the first one, then the autoencoder's temporal ratio.
constexpr std::array<double, 5> frames_per_latent = {1, 4, 4, 4, 4};
constexpr double spatial_scale = 32.0;

double span_of(std::int64_t latent, double ticks_per_frame) {
  return ticks_per_frame * frames_per_latent[static_cast<std::size_t>(latent) % frames_per_latent.size()];
}

// numpy.linspace(…, endpoint=False), operation by operation, because the float64 coordinates are compared exactly.
std::vector<double> spatial_axis(std::int64_t size, std::int64_t patch, double root_area) {
  const double ratio = static_cast<double>(size) / root_area, left = (1.0 - ratio) / 2.0;
  const std::int64_t count = size / patch;
  const double step = ((left + ratio) - left) / static_cast<double>(count);
  std::vector<double> axis;
  for (std::int64_t i = 0; i < count; ++i) axis.push_back((static_cast<double>(i) * step + left) * spatial_scale);
  return axis;
}

struct FrameGrid {
  std::vector<double> rows, columns;
};

FrameGrid frame_grid(std::int64_t height, std::int64_t width, const std::array<std::int64_t, 3>& patch) {
  if (height < patch[1] || width < patch[2]) throw Error(ExitCode::internal, "pack: a picture is smaller than a patch");
  const double root_area = std::sqrt(static_cast<double>(height * width));
  return {spatial_axis(height, patch[1], root_area), spatial_axis(width, patch[2], root_area)};
}

// numpy's pairwise summation, which the reference uses only for the last keyframe's time.
double pairwise_sum(std::span<const double> values) {
  const std::size_t n = values.size();
  if (n < 8) return std::accumulate(values.begin(), values.end(), 0.0);
  if (n <= 128) {
    std::array<double, 8> r{};
    std::copy_n(values.begin(), 8, r.begin());
    std::size_t i = 8;
    for (; i + 8 <= n; i += 8) {
      for (std::size_t k = 0; k < 8; ++k) r[k] += values[i + k];
    }
    double sum = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]));
    for (; i < n; ++i) sum += values[i];
    return sum;
  }
  const std::size_t half = n / 2 - n / 2 % 8;
  return pairwise_sum(values.first(half)) + pairwise_sum(values.subspan(half));
}

// Appends blocks of rows to a layout.
class Packer {
 public:
  explicit Packer(const ClipGeometry& geometry) : geometry_(geometry), ticks_per_frame_(ticks_per_second / geometry.fps) {
    const auto& [t, h, w] = geometry.patch;
    if (t != 1 || h < 1 || w < 1 || geometry.frames < 1 || geometry.audio_latents < 0 || geometry.audio_channels < 1 || geometry.fps < 1) {
      throw Error(ExitCode::internal, "pack: the geometry of the clip makes no sense");
    }
  }

  void text(std::span<const std::int32_t> tags, std::span<const double> score_start) {
    const std::size_t untimed = tags.size() - score_start.size();
    for (std::size_t i = 0; i < tags.size(); ++i) {
      const double time = i < untimed ? static_cast<double>(i) : static_cast<double>(untimed) + score_start[i - untimed] * ticks_per_second;
      layout_.text.push_back(row(time, 0.0, 0.0, tags[i]));
    }
  }

  // One frame at one time.
  void frame(double time, const FrameGrid& grid) {
    for (const double h : grid.rows) {
      for (const double w : grid.columns) layout_.video.push_back(row(time, h, w, video_tag));
    }
  }

  void video(std::int64_t frames, double origin, const FrameGrid& grid) {
    double passed = 0.0;  // summed one by one, as torch.cumsum does
    for (std::int64_t i = 0; i < frames; ++i) {
      frame(origin + passed, grid);
      passed += span_of(i, ticks_per_frame_);
    }
  }

  // Channel by channel; the channels are at the two ends of the width axis.
  void audio(std::int64_t latents, double origin, const FrameGrid& grid) {
    for (int channel = 0; channel < geometry_.audio_channels; ++channel) {
      const double w = channel == 0 ? grid.columns.front() : grid.columns.back();
      for (std::int64_t i = 0; i < latents; ++i) layout_.audio.push_back(row(origin + static_cast<double>(i), 0.0, w, audio_tag));
    }
  }

  void all_so_far_is_given() {
    layout_.given_video_rows = static_cast<std::int64_t>(layout_.video.size());
    layout_.given_audio_rows = static_cast<std::int64_t>(layout_.audio.size());
  }

  [[nodiscard]] double ticks_per_frame() const { return ticks_per_frame_; }
  Layout take() { return std::move(layout_); }

 private:
  std::int32_t row(double t, double h, double w, std::int32_t tag) {
    layout_.positions.insert(layout_.positions.end(), {t, h, w});
    layout_.tags.push_back(tag);
    return static_cast<std::int32_t>(layout_.tags.size() - 1);
  }

  const ClipGeometry& geometry_;
  double ticks_per_frame_;
  Layout layout_;
};

}  // namespace

Layout pack(const ClipGeometry& geometry, std::span<const std::int32_t> text_tags, std::span<const Anchor> anchors,
            std::span<const double> score_start) {
  Packer packer(geometry);
  packer.text(text_tags, score_start);
  const auto origin = static_cast<double>(text_tags.size() - score_start.size());
  const FrameGrid grid = frame_grid(geometry.height, geometry.width, geometry.patch);
  for (const Anchor anchor : anchors) {
    double time = origin;
    if (anchor == Anchor::last) {
      std::vector<double> spans;
      for (std::int64_t i = 0; i < geometry.frames; ++i) spans.push_back(span_of(i, packer.ticks_per_frame()));
      time = origin + pairwise_sum(spans) - packer.ticks_per_frame();
    }
    packer.frame(time, grid);
  }
  packer.all_so_far_is_given();
  packer.audio(geometry.audio_latents, origin, grid);
  packer.video(geometry.frames, origin, grid);
  return packer.take();
}

Layout pack(const ClipGeometry& geometry, std::span<const std::int32_t> text_tags, std::span<const LayoutReference> references) {
  Packer packer(geometry);
  packer.text(text_tags, {});
  auto time = static_cast<double>(text_tags.size());
  const FrameGrid target = frame_grid(geometry.height, geometry.width, geometry.patch);
  for (const LayoutReference& reference : references) {
    const auto sounding = static_cast<double>(reference.audio_latents);
    switch (reference.kind) {
      case LayoutReference::Kind::image:  // one whole slot, not a latent frame's span
        for (std::int64_t i = 0; i < reference.frames; ++i)
          packer.frame(time, frame_grid(reference.height, reference.width, geometry.patch));
        time += 1.0;
        break;
      case LayoutReference::Kind::audio:
        packer.audio(reference.audio_latents, time, target);
        time += sounding;
        break;
      case LayoutReference::Kind::video: {
        const FrameGrid grid = frame_grid(reference.height, reference.width, geometry.patch);
        packer.audio(reference.audio_latents, time, grid);
        packer.video(reference.frames, time, grid);
        double span = 0.0;
        for (std::int64_t i = 0; i < reference.frames; ++i) span += span_of(i, packer.ticks_per_frame());
        time += std::max(sounding, span);
        break;
      }
    }
  }
  packer.all_so_far_is_given();
  packer.audio(geometry.audio_latents, time, target);
  packer.video(geometry.frames, time, target);
  return packer.take();
}

std::int64_t align_frames(std::int64_t frames, std::int64_t chunk, std::int64_t kept) {
  if (frames < 1) throw Error(ExitCode::usage, "a clip has at least one frame");
  const std::int64_t over = ((kept - frames) % chunk + chunk) % chunk;
  return frames + over;
}

std::int64_t latent_frames(std::int64_t aligned, std::int64_t chunk, std::int64_t kept) { return (aligned - kept) / chunk * kept + 2; }

std::int64_t audio_latents(std::int64_t frames, double fps) { return std::llrint(static_cast<double>(frames) / fps * ticks_per_second); }

Canvas resolve_canvas(double aspect_width, double aspect_height, std::int64_t multiple, double short_edge, double max_pixels) {
  const double ratio = aspect_width / aspect_height;
  if (!(aspect_width > 0.0) || !(aspect_height > 0.0) || ratio < 0.25 || ratio > 4.0)
    throw Error(ExitCode::usage, "the aspect ratio must lie between 1:4 and 4:1");
  double width = ratio >= 1.0 ? short_edge * ratio : short_edge;
  double height = ratio >= 1.0 ? short_edge : short_edge / ratio;
  if (width * height > max_pixels) {
    const double scale = std::sqrt(max_pixels / (width * height));
    width *= scale;
    height *= scale;
  }
  const auto rounded = [multiple](double size) {
    return std::max<std::int64_t>(multiple, std::llrint(size / static_cast<double>(multiple)) * multiple);
  };
  return {rounded(height), rounded(width)};
}

}  // namespace fabula::h3
