// Shows a film's frames at the rate of its file.
#pragma once

#include <memory>
#include <utility>

#include "engine/film/timecode.h"
#include "engine/media_sink.h"

namespace fabula {

/// Repeats or drops frames on the way to another sink (see frames_at); samples pass as they are.
class PacedSink : public MediaSink {
 public:
  PacedSink(std::unique_ptr<MediaSink> inner, Rate film, Rate file) : inner_(std::move(inner)), film_(film), file_(file) {}

  void frame(const Image& image) override {
    for (const std::int64_t due = frames_at(++received_, film_, file_); shown_ < due; ++shown_) inner_->frame(image);
  }
  void samples(std::span<const float> interleaved_stereo) override { inner_->samples(interleaved_stereo); }
  void finish() override { inner_->finish(); }

 private:
  std::unique_ptr<MediaSink> inner_;
  Rate film_, file_;
  std::int64_t received_ = 0, shown_ = 0;
};

}  // namespace fabula
