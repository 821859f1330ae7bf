// A picture of every shot, taken as the frames go by.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/media_sink.h"
#include "engine/plan.h"

namespace fabula {

/// Passes everything on to another sink and hands out each shot's middle frame, made small.
class ShotPictures final : public MediaSink {
 public:
  using Receiver = std::function<void(const Image&)>;
  /// The sink must outlive this. `receive` may be empty.
  ShotPictures(MediaSink&, const plan::Film&, Receiver receive);

  void frame(const Image&) override;
  void samples(std::span<const float> interleaved_stereo) override { sink_.samples(interleaved_stereo); }
  void finish() override { sink_.finish(); }

 private:
  MediaSink& sink_;
  Receiver receive_;
  std::vector<std::int64_t> middles_;  // of the shots, in frames of the film
  std::size_t next_ = 0;               // of these
  std::int64_t shown_ = 0;
};

}  // namespace fabula
