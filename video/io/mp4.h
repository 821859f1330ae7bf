// The film's file: H.264 and AAC in an MP4.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "audio/master.h"
#include "base/output_file.h"
#include "engine/media_sink.h"

namespace fabula {

struct Mp4Options {
  int fps = 24;
  int crf = 16;
  /// Size of the film; 0: that of the frames. Frames of another size are scaled (Lanczos). Even numbers: the chroma is halved.
  int width = 0, height = 0;
  /// The whole film is brought to this loudness with one gain and a true-peak limiter.
  double loudness_lufs = -16.0;
  double true_peak_dbtp = -1.0;
  /// What players show. Empty: no title.
  std::string title = {};
  /// Language of the sound as BCP 47 has it ("en", "pt-BR"); one that ISO 639-2 has no code for is "und".
  std::string language = {};
  /// What becomes of a film that has the output's name already.
  Existing existing = Existing::refuse;
  /// Looks at the finished film before it gets its name; what it throws leaves finish(), and the film is removed.
  std::function<void(const std::filesystem::path& film)> check = {};
};

/// H.264 (x264, yuv420p, BT.709, preset medium) and AAC 48 kHz stereo, the index in front (+faststart). Written as an OutputFile and two
/// spool files without a name; finish() gives it the output's name. Until then nothing stands under that, and what was not finished is
/// removed. An MP4 cannot be written without going back in it: into a device or a pipe it is copied when it is whole. The same input gives
/// the same bytes. Memory does not grow with the film.
///
/// Errors: usage for an odd size, unavailable where FFmpeg lacks libx264, cannot_create as OutputFile, io when a
/// write fails (disk full). After an error only destruction is allowed. Not thread-safe.
class Mp4Sink : public MediaSink {
 public:
  explicit Mp4Sink(std::filesystem::path output, Mp4Options options = {});
  ~Mp4Sink() override;
  Mp4Sink(const Mp4Sink&) = delete;
  Mp4Sink& operator=(const Mp4Sink&) = delete;

  void frame(const Image& image) override;
  void samples(std::span<const float> interleaved_stereo) override;
  /// A film without samples has no sound track. Throws Error(internal) for a film without frames or whose sound and picture differ by
  /// more than one frame.
  void finish() override;
  /// As OutputFile's: after finish() the name that the film got.
  [[nodiscard]] const std::filesystem::path& output() const;
  /// After finish(): what became of the sound; nothing for a film without.
  [[nodiscard]] const std::optional<Mastered>& mastered() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fabula
