// Frames -> H.264 packets, samples -> AAC packets. Included by the files of this folder only.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include "engine/clip_model.h"
#include "video/io/av.h"
#include "video/io/mp4.h"

namespace fabula::av {

using PacketReceiver = std::function<void(AVPacket&)>;

/// x264 at constant quality on one thread, whose bytes depend on the input alone. Packets are timed in 1 / fps.
class VideoEncoder {
 public:
  /// A film of width × height. Frames are of that size or of one other, and are scaled. Throws Error: usage for a size that is odd or out
  /// of bounds, unavailable without libx264.
  VideoEncoder(const SinkOptions& options, int width, int height);

  void encode(const Image& image, const PacketReceiver& receive);
  void flush(const PacketReceiver& receive);
  [[nodiscard]] const AVCodecContext& context() const { return *context_; }

 private:
  [[nodiscard]] SwsContext* scaler_for(const Image&);

  int source_width_ = 0, source_height_ = 0;  // of the frames that are not of the film's size
  CodecContext context_;
  Scaler scaler_, unscaled_;  // made when they are needed; for the source's size, for the film's own
  Frame frame_;
  Packet packet_;
};

/// AAC, 48 kHz stereo. Packets are timed in samples; the first one precedes time 0 by the encoder's delay.
class AudioEncoder {
 public:
  AudioEncoder();

  void encode(std::span<const float> interleaved_stereo, const PacketReceiver& receive);
  void flush(const PacketReceiver& receive);
  [[nodiscard]] const AVCodecContext& context() const { return *context_; }

 private:
  void send_pending(std::size_t sample_frames, const PacketReceiver& receive);

  CodecContext context_;
  Frame frame_;
  Packet packet_;
  std::vector<float> pending_;  // interleaved, less than one frame of the codec between calls
  std::int64_t sent_ = 0;       // sample frames
};

}  // namespace fabula::av
