// What the film pipeline asks of a model family: a shot's frames and samples from its conditioning.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "engine/conditioning.h"

namespace fabula {

/// How a clip is sampled: the same for all shots of a film.
struct ClipSettings {
  int steps = 12;                 ///< of the sampler
  const char* sampler = "euler";  ///< engine/sample/samplers.h
};

struct ClipRequest {
  const Conditioning* conditioning = nullptr;
  int frames = 0;  ///< at the model's own rate; a length the model can make (Bundle::shot_frames)
  std::uint64_t seed = 0;
  ClipSettings settings = {};
};

/// One RGB frame, 8 bits per channel, row-major (height, width, 3).
struct Image {
  int width = 0, height = 0;
  std::vector<std::uint8_t> rgb;
};

/// Interleaved samples in [-1, 1].
struct Sound {
  int sample_rate = 0, channels = 1;
  std::vector<float> samples;
};

struct ClipFormat {
  int width = 0, height = 0;
  int fps = 0;
  int sample_rate = 0, channels = 1;
};

class ClipModel {
 public:
  virtual ~ClipModel() = default;
  /// progress(done, total) in steps and decoded chunks; returning false stops with Error(interrupted).
  using Progress = std::function<bool(int done, int total)>;
  using FrameReceiver = std::function<void(const Image&)>;

  [[nodiscard]] virtual ClipFormat format() const = 0;
  /// Bytes of activation memory that generate() takes: exact, from a dry run.
  [[nodiscard]] virtual std::size_t footprint(const ClipRequest&) const = 0;
  /// Frames are handed out in order as they are decoded; the sound of the whole shot is returned.
  [[nodiscard]] virtual Sound generate(const ClipRequest&, const FrameReceiver&, const Progress&) = 0;
  /// Seconds spent in each stage since construction, by name, in the order of the data.
  struct StageTime {
    const char* stage;
    double seconds;
  };
  [[nodiscard]] virtual std::vector<StageTime> stage_times() const = 0;
};

}  // namespace fabula
