// Frames and samples -> packets. Included by the files of this folder only.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "engine/clip_model.h"
#include "video/io/av.h"
#include "video/io/framing.h"
#include "video/io/movie.h"

namespace fabula::av {

using PacketReceiver = std::function<void(AVPacket&)>;

/// Frames as one format has them, in bytes that depend on the input alone. Packets are timed in frames.
class VideoEncoder {
 public:
  /// A film of width × height. Frames are of that size or of one other, and are framed and scaled. Throws Error: usage for a size that is
  /// odd or out of bounds, unavailable without the encoder.
  VideoEncoder(const MovieFormat&, const SinkOptions&, int width, int height);

  void encode(const Image& image, const PacketReceiver& receive);
  void flush(const PacketReceiver& receive);
  [[nodiscard]] const AVCodecContext& context() const { return *context_; }

 private:
  struct FramedScaler {
    Scaler scaler;
    Framing framing;
  };
  [[nodiscard]] FramedScaler& scaler_for(const Image&);
  [[nodiscard]] std::array<std::uint8_t*, 4> planes_at(const Rectangle&) const;
  void fill(const Image&);
  void pack(const Image&);

  Fit fit_;
  int source_width_ = 0, source_height_ = 0;  // of the frames that are not of the film's size
  CodecContext context_;
  FramedScaler scaled_, unscaled_;  // made when they are needed; for the source's size, for the film's own
  Frame frame_;
  Image last_;  // what frame_ holds
  Packet packet_;
};

/// A sample as a whole number of 24 bits.
[[nodiscard]] inline std::int32_t sample_24(float sample) {
  return static_cast<std::int32_t>(std::lround(std::clamp(static_cast<double>(sample), -1.0, 1.0) * 8388607.0));
}

/// 48 kHz stereo in one of libavcodec's codecs. Packets are timed in samples; AAC's first one precedes time 0 by the encoder's delay.
class AudioEncoder {
 public:
  explicit AudioEncoder(const char* encoder);

  void encode(std::span<const float> interleaved_stereo, const PacketReceiver& receive);
  void flush(const PacketReceiver& receive);
  [[nodiscard]] const AVCodecContext& context() const { return *context_; }

 private:
  void put_samples(std::size_t sample_frames);
  void send_pending(std::size_t sample_frames, const PacketReceiver& receive);

  CodecContext context_;
  Frame frame_;
  Packet packet_;
  std::vector<float> pending_;  // interleaved, less than one frame of the codec between calls
  std::int64_t sent_ = 0;       // sample frames
};

}  // namespace fabula::av
