// The film's samples on disk until its gain is known. Included by the files of this folder only.
#pragma once

#include <span>
#include <vector>

#include "audio/master.h"
#include "audio/mix.h"
#include "base/output_file.h"

namespace fabula {

/// Interleaved stereo, written once and played as often as needed.
class SampleSpool {
 public:
  explicit SampleSpool(const std::filesystem::path& beside) : spool_(beside) {}

  void write(std::span<const float> samples) {
    spool_.write(std::as_bytes(samples));
    sample_frames_ += std::ssize(samples) / film_channels;
  }
  [[nodiscard]] std::int64_t sample_frames() const { return sample_frames_; }

  /// All of it, from the start.
  void play(const SampleReceiver& receive) {
    spool_.rewind();
    std::vector<float> piece(piece_samples);
    while (const std::size_t got = read(piece)) receive(std::span(piece).first(got));
  }
  void rewind() { spool_.rewind(); }
  /// Fills `piece` as far as the spool lasts; returns the number of samples.
  [[nodiscard]] std::size_t read(std::span<float> piece) { return spool_.read(std::as_writable_bytes(piece)) / sizeof(float); }

  static constexpr std::size_t piece_samples = std::size_t{8192} * film_channels;

 private:
  Spool spool_;
  std::int64_t sample_frames_ = 0;
};

}  // namespace fabula
