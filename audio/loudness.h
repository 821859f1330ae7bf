// Loudness after ITU-R BS.1770 and EBU R 128, by libebur128.
#pragma once

#include <cstdint>
#include <memory>
#include <span>

namespace fabula {

/// Measures 48 kHz stereo as it streams by; memory does not grow with its length.
class LoudnessMeter {
 public:
  enum class Measures : std::uint8_t { loudness, loudness_and_peak };

  /// Peaks between samples take several times as long to find as loudness.
  explicit LoudnessMeter(Measures = Measures::loudness_and_peak);
  ~LoudnessMeter();
  LoudnessMeter(LoudnessMeter&&) noexcept;
  LoudnessMeter& operator=(LoudnessMeter&&) noexcept;

  void add(std::span<const float> interleaved_stereo);
  /// Gated loudness of all so far in LUFS, to 0.1; −infinity for silence and for less than 0.4 s.
  [[nodiscard]] double integrated_lufs() const;
  /// Of the louder channel, in dBTP; −infinity for digital silence. Throws Error(internal) if peaks are not measured.
  [[nodiscard]] double true_peak_dbtp() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fabula
