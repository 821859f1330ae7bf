// What the film pipeline asks of a model family: a shot's frames and samples from its conditioning.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
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
  std::string before = {};  ///< of a clip that goes on: what names the picture that it begins with; for the store alone
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

/// A clip as its denoising loop leaves it: all that its decoders need.
struct CleanLatents {
  LatentTensor video, audio;
  bool operator==(const CleanLatents&) const = default;
};

struct ClipFormat {
  int width = 0, height = 0;
  int fps = 0;
  int sample_rate = 0, channels = 1;
};

class ClipModel {
 public:
  virtual ~ClipModel() = default;
  /// progress(done, total) of the whole clip, in steps and decoded chunks; returning false stops with Error(interrupted).
  using Progress = std::function<bool(int done, int total)>;
  using FrameReceiver = std::function<void(const Image&)>;

  [[nodiscard]] virtual ClipFormat format() const = 0;
  /// Everything but the request that denoise() depends on: weights, precision, version of the numerics. Equal strings, equal latents.
  [[nodiscard]] virtual std::string fingerprint() const = 0;
  /// Bytes of activation memory that denoise() and decode() take at most: exact, from a dry run.
  [[nodiscard]] virtual std::size_t footprint(const ClipRequest&) const = 0;
  [[nodiscard]] virtual CleanLatents denoise(const ClipRequest&, const Progress&) = 0;
  /// The sound of a clip whose picture is given, clean: the audio latents that the request's conditioning leads to. As long as denoise().
  [[nodiscard]] virtual LatentTensor denoise_sound(const ClipRequest&, const LatentTensor& picture, const Progress&) = 0;
  /// decode()'s sound alone.
  [[nodiscard]] virtual Sound decode_sound(const ClipRequest&, const LatentTensor& sound) = 0;
  /// Frames are handed out in order as they are decoded; the sound of the whole shot is returned. Throws Error(bad_data) where the latents
  /// are not the request's in shape.
  [[nodiscard]] virtual Sound decode(const ClipRequest&, const CleanLatents&, const FrameReceiver&, const Progress&) = 0;
  /// Seconds spent in each stage since construction, by name, in the order of the data.
  struct StageTime {
    const char* stage;
    double seconds;
  };
  [[nodiscard]] virtual std::vector<StageTime> stage_times() const = 0;
  /// What a user should know of how clips were made so far, a sentence each.
  [[nodiscard]] virtual std::vector<std::string> notes() const { return {}; }
};

}  // namespace fabula
