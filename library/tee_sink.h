// Hands a film's frames and samples to somebody else, too, on their way to its file.
#pragma once

#include <functional>
#include <span>

#include "engine/media_sink.h"

namespace fabula {

/// Empty members: nobody takes them.
struct MediaReceiver {
  std::function<void(const Image&)> frame;
  std::function<void(std::span<const float>)> samples;  ///< interleaved stereo, 48 kHz
};

class TeeSink final : public MediaSink {
 public:
  /// The sink and the receiver must outlive this.
  TeeSink(MediaSink& sink, const MediaReceiver& receiver) : sink_(sink), receiver_(receiver) {}
  void frame(const Image& image) override {
    if (receiver_.frame) receiver_.frame(image);
    sink_.frame(image);
  }
  void samples(std::span<const float> samples) override {
    if (receiver_.samples) receiver_.samples(samples);
    sink_.samples(samples);
  }
  void finish() override { sink_.finish(); }

 private:
  MediaSink& sink_;
  const MediaReceiver& receiver_;
};

}  // namespace fabula
