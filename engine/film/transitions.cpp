// Mixes the frames of neighbouring shots.
#include "engine/film/transitions.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "engine/film/film.h"

namespace fabula {
namespace {

bool crosses(const plan::Transition& t) { return t.kind == "dissolve" || t.kind == "wipe"; }

std::int64_t frames_of(const plan::Film& film, std::size_t shot) {
  const plan::Shot& s = film.shots[shot];
  return frames_before(std::int64_t{s.start_ms} + s.transition.ms, film.fps) - frames_before(s.start_ms, film.fps);
}

// part / whole of b and the rest of a, rounded.
std::uint8_t mixed(std::uint8_t a, std::uint8_t b, std::int64_t part, std::int64_t whole) {
  return static_cast<std::uint8_t>((a * (whole - part) + b * part + whole / 2) / whole);
}

// Frame k of n of a dissolve: neither shot is seen alone.
Image dissolved(const Image& before, Image after, std::int64_t k, std::int64_t n) {
  for (std::size_t i = 0; i < after.rgb.size(); ++i) after.rgb[i] = mixed(before.rgb[i], after.rgb[i], k + 1, n + 1);
  return after;
}

// Frame k of n of a wipe from the left, its edge softened over a thirty-second of the width.
Image wiped(const Image& before, Image after, std::int64_t k, std::int64_t n) {
  const std::int64_t soft = std::max(1, after.width / 32), edge = (k + 1) * (after.width + soft) / (n + 1);
  for (std::int64_t x = 0; x < after.width; ++x) {
    const std::int64_t part = std::clamp<std::int64_t>(edge - x, 0, soft);
    for (std::int64_t y = 0; y < after.height; ++y) {
      for (std::int64_t c = 0; c < 3; ++c) {
        const auto at = static_cast<std::size_t>(3 * (y * after.width + x) + c);
        after.rgb[at] = mixed(before.rgb[at], after.rgb[at], part, soft);
      }
    }
  }
  return after;
}

Image darkened(Image image, std::int64_t part, std::int64_t whole) {
  for (std::uint8_t& value : image.rgb) value = mixed(0, value, part, whole);
  return image;
}

}  // namespace

ShotEdges edges_of(const plan::Film& film, std::size_t shot) {
  const plan::Shot& s = film.shots[shot];
  if (s.transition.kind == "continue") {
    throw Error(ExitCode::bad_data,
                "shot " + s.id + " is to continue the take before it, which this model cannot do: make the transition a cut");
  }
  ShotEdges edges;
  edges.frames = frames_before(std::int64_t{s.start_ms} + s.duration_ms, film.fps) - frames_before(s.start_ms, film.fps);
  edges.is_wipe = s.transition.kind == "wipe";
  if (shot > 0 && crosses(s.transition)) edges.cross_in = std::min(frames_of(film, shot), edges.frames);
  if (s.transition.kind == "fade") edges.fade_in = shot == 0 ? frames_of(film, shot) : frames_of(film, shot) - frames_of(film, shot) / 2;
  if (shot + 1 < film.shots.size()) {
    const plan::Transition& next = film.shots[shot + 1].transition;
    if (crosses(next)) edges.handle = frames_of(film, shot + 1);
    if (next.kind == "fade") edges.fade_out = frames_of(film, shot + 1) / 2;
  } else if (film.ending.kind == "fade") {
    edges.fade_out = std::min(frames_before(film.ending.ms, film.fps), edges.frames);
  }
  return edges;
}

void PictureEdit::begin(const ShotEdges& edges) {
  edges_ = edges;
  shown_ = 0;
}

void PictureEdit::frame(const Image& image) {
  const std::int64_t k = shown_++;
  if (k >= edges_.frames) {
    handle_.push_back(image);
    return;
  }
  const std::int64_t left = edges_.frames - 1 - k;
  if (left == 0 && edges_.handle > 0) last_ = image;
  if (k < edges_.cross_in && !before_.empty()) {
    const Image& before = before_[static_cast<std::size_t>(std::min(k, std::ssize(before_) - 1))];
    sink_.frame(edges_.is_wipe ? wiped(before, image, k, edges_.cross_in) : dissolved(before, image, k, edges_.cross_in));
  } else if (k < edges_.fade_in) {
    sink_.frame(darkened(image, k, edges_.fade_in));
  } else if (left < edges_.fade_out) {
    sink_.frame(darkened(image, left, edges_.fade_out));
  } else {
    sink_.frame(image);
  }
}

std::int64_t PictureEdit::end() {
  const std::int64_t held = edges_.handle - std::ssize(handle_);
  if (edges_.handle > 0 && handle_.empty()) handle_.push_back(std::move(last_));
  before_ = std::exchange(handle_, {});
  return held;
}

}  // namespace fabula
