// The film's frames as files, before they are encoded.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "engine/media_sink.h"

namespace fabula {

/// Throws Error(cannot_create) unless `folder` is absent or empty, so that nothing is replaced and no other film's frames are among them.
void check_frames_out(const std::string& folder);

/// Writes each frame to FOLDER/frame_000000.png … and passes everything on. Without a folder it only passes on.
class FramesOut final : public MediaSink {
 public:
  /// Makes the folder. Throws Error(cannot_create).
  FramesOut(MediaSink& sink, const std::string& folder);
  void frame(const Image&) override;
  void samples(std::span<const float> samples) override { sink_.samples(samples); }
  void finish() override { sink_.finish(); }

 private:
  MediaSink& sink_;
  std::filesystem::path folder_;
  int written_ = 0;
};

}  // namespace fabula
