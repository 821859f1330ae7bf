// A film as a sequence of pictures, one file per frame.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/output_file.h"
#include "video/io/sinks.h"

namespace fabula {

/// A name with a number of fixed width: "film.####.exr", "film.%04d.exr", "film.$F4.exr".
struct SequenceName {
  std::filesystem::path folder;
  std::string before, after;  ///< "film." and ".exr"
  int digits = 4;

  [[nodiscard]] std::filesystem::path file(std::int64_t number) const;
  /// The files of this name that exist, in the order of their numbers.
  [[nodiscard]] std::vector<std::filesystem::path> existing() const;
};
/// Nothing where the name has no number. Throws Error(usage) for one with several, or with none or more than nine digits.
[[nodiscard]] std::optional<SequenceName> sequence_name(const std::filesystem::path& output);

/// The number of the first frame, as film people count.
inline constexpr std::int64_t sequence_start = 1001;

/// What a frame's file says beside its picture.
struct FrameNote {
  Timecode timecode;
  Rate rate;
  std::optional<FilmLabels> labels;
};

/// 8-bit RGB, the film's own values, with XMP. Throws Error(io).
void write_png_frame(const std::filesystem::path& file, const Image&, const FrameNote&);
/// Half floats, linear light by BT.1886 (gamma 2.4) from 8-bit values, BT.709 primaries, zip; timeCode, framesPerSecond and the labels.
/// Throws Error(io).
void write_exr_frame(const std::filesystem::path& file, const Image&, const FrameNote&);

/// The frames of a film; its sound is left out. They appear together when finish() has read them back. Errors as MovieSink's, and usage for
/// a name without a number or options that need one file (a signature).
class SequenceSink : public FileSink {
 public:
  using Write = void (*)(const std::filesystem::path& file, const Image&, const FrameNote&);
  SequenceSink(Write write, std::filesystem::path output, SinkOptions options);

  void frame(const Image& image) override;
  void samples(std::span<const float>) override {}
  void finish() override;
  [[nodiscard]] const std::filesystem::path& output() const override { return output_; }
  [[nodiscard]] const std::optional<Mastered>& mastered() const override { return none_; }

 private:
  Write write_;
  std::filesystem::path output_;
  SinkOptions options_;
  SequenceName name_;
  OutputFiles files_;
  std::int64_t frames_ = 0;
  std::optional<Mastered> none_;
};

}  // namespace fabula
