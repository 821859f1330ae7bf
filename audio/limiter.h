// A look-ahead limiter that keeps the true peak below a ceiling.
#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

namespace fabula {

/// 48 kHz stereo, both channels under one gain. The gain falls within 5 ms before a peak and comes back within about 100 ms. What is
/// below the ceiling passes unchanged. Streaming: what comes out lags behind what goes in until finish().
class Limiter {
 public:
  /// ceiling: in dBTP (ITU-R BS.1770 true peak, four times oversampled).
  explicit Limiter(double ceiling_dbtp);

  /// Appends what is ready to `out`, interleaved.
  void process(std::span<const float> interleaved_stereo, std::vector<float>& out);
  /// Appends the rest: as many samples have come out as went in.
  void finish(std::vector<float>& out);

 private:
  static constexpr std::size_t window = 240;  ///< look-ahead in sample frames, 5 ms
  static constexpr std::size_t taps = 12;     ///< of the oversampling filter: those of libebur128's meter
  static constexpr std::size_t lag = taps / 2 + window - 1;

  void push(float left, float right, std::vector<float>& out);
  [[nodiscard]] double peak_around_centre() const;
  [[nodiscard]] double smoothed(double needed);

  double ceiling_, harmless_;                          ///< samples up to harmless_ stay below the ceiling however they fall
  std::array<std::array<double, taps>, 3> phases_;     ///< between two samples at 1/4, 2/4, 3/4
  std::array<std::array<float, 2>, taps> recent_{};    ///< ring of input for the oversampling
  std::array<std::array<float, 2>, lag + 1> delay_{};  ///< ring of input until its gain is known
  std::array<double, window> needed_{}, held_{};       ///< rings of gains: before and after the release
  double held_sum_, release_ = 1.0;
  std::size_t count_ = 0, emitted_ = 0, skip_;      ///< sample frames in, out; those that only fill the rings
  std::size_t since_loud_ = 0, since_limited_ = 0;  ///< sample frames since the last peak that matters
};

}  // namespace fabula
