// Stems as Broadcast Wave files: what a mixer takes into an editing system.
#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "audio/master.h"
#include "base/output_file.h"
#include "engine/film/stems.h"

namespace fabula {

/// dialogue.wav, effects.wav and mix.wav in a folder: 48 kHz, 24 bit, stereo, with a bext chunk (EBU Tech 3285), all of the film's length.
/// Samples go to files without a name until finish(); memory does not grow with the film.
class StemFiles {
 public:
  /// Makes the folder. `lead`: sample frames before the film's first shot. Throws Error(cannot_create).
  StemFiles(std::filesystem::path folder, Existing existing, std::int64_t lead);
  ~StemFiles();

  /// The names of the files, for a check before the work.
  [[nodiscard]] static std::vector<std::filesystem::path> names(const std::filesystem::path& folder);

  void stem(Stem, std::span<const float> interleaved_stereo);
  void mix(std::span<const float> interleaved_stereo);

  /// Writes all three under the film's gain, each limited to its true peak. Throws Error(io).
  void finish(double gain_db, double true_peak_dbtp, const std::string& title);
  /// Level of mix − (dialogue + effects) below the mix, in dB, before the gain: −infinity where they add up. To be called before finish().
  [[nodiscard]] double residual_db();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fabula
