// Picks the frame in the middle of each shot.
#include "library/shot_pictures.h"

#include <algorithm>

#include "engine/film/film.h"
#include "video/io/images.h"

namespace fabula {

namespace {

Image made_small(const Image& image) {
  constexpr int widest = 320;
  const int width = std::min(image.width, widest), height = std::max(1, image.height * width / image.width);
  return resize(image, width, height);
}

}  // namespace

ShotPictures::ShotPictures(MediaSink& sink, const plan::Film& film, Receiver receive) : sink_(sink), receive_(std::move(receive)) {
  for (const plan::Shot& shot : film.shots) middles_.push_back(frames_before(shot.start_ms + shot.duration_ms / 2, film.fps));
}

void ShotPictures::frame(const Image& image) {
  if (receive_ && next_ < middles_.size() && shown_ >= middles_[next_]) {
    receive_(made_small(image));
    ++next_;
  }
  ++shown_;
  sink_.frame(image);
}

}  // namespace fabula
