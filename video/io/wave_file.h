// Broadcast Wave files, and the sink that keeps a film's sound alone.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "video/io/sinks.h"

namespace fabula {

struct WaveNotes {
  std::string description = {};
  std::int64_t time_reference = 0;  ///< of the first sample frame, counted from midnight
  std::string comment = {}, tool = {};
};

/// 48 kHz, 24 bit, stereo, with a bext chunk (EBU Tech 3285); RF64 from 4 GB on. The same samples and notes give the same bytes.
class WaveFile {
 public:
  /// Writes into an existing file. Throws Error: unavailable, io.
  WaveFile(const std::filesystem::path& file, const WaveNotes&);
  ~WaveFile();
  void write(std::span<const float> interleaved_stereo);
  void finish();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// The film's sound at its loudness, without the picture. The time reference is 01:00:00:00 at the film's rate. Errors as MovieSink's.
class WaveSink : public FileSink {
 public:
  WaveSink(std::filesystem::path output, SinkOptions options);
  ~WaveSink() override;

  void frame(const Image&) override {}
  void samples(std::span<const float> interleaved_stereo) override;
  void finish() override;
  [[nodiscard]] const std::filesystem::path& output() const override;
  [[nodiscard]] const std::optional<Mastered>& mastered() const override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace fabula
