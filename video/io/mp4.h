// The film's file: H.264 and AAC in an MP4.
#pragma once

#include <filesystem>
#include <memory>

#include "video/io/sinks.h"

namespace fabula {

/// H.264 (x264, yuv420p, BT.709, preset medium) and AAC 48 kHz stereo, the index in front (+faststart). Written as an OutputFile and two
/// spool files without a name; finish() gives it the output's name. Until then that name does not exist, and what was not finished is
/// removed. Writing an MP4 needs seeking, so a device or a pipe gets a copy of the finished file. The same input yields
/// the same bytes. Memory does not grow with the film.
///
/// Errors: usage for an odd size, unavailable where FFmpeg lacks libx264, cannot_create as OutputFile, io when a
/// write fails (disk full). After an error only destruction is allowed. Not thread-safe.
class Mp4Sink : public FileSink {
 public:
  explicit Mp4Sink(std::filesystem::path output, SinkOptions options = {});
  ~Mp4Sink() override;
  Mp4Sink(const Mp4Sink&) = delete;
  Mp4Sink& operator=(const Mp4Sink&) = delete;

  void frame(const Image& image) override;
  void samples(std::span<const float> interleaved_stereo) override;
  /// A film without samples has no sound track. Throws Error(internal) for a film without frames or whose sound and picture differ by
  /// more than one frame.
  void finish() override;
  [[nodiscard]] const std::filesystem::path& output() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fabula
