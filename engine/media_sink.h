// Where frames and samples go. The engine knows no file format.
#pragma once

#include <span>

#include "engine/clip_model.h"

namespace fabula {

/// Frames arrive in order at the film's rate; samples are 48 kHz stereo, interleaved, and may run ahead of or behind the frames by a shot.
class MediaSink {
 public:
  virtual ~MediaSink() = default;
  virtual void frame(const Image&) = 0;
  virtual void samples(std::span<const float> interleaved_stereo) = 0;
  /// Completes the output; what was not finished is removed by the destructor.
  virtual void finish() = 0;
};

}  // namespace fabula
