// A container: tracks of picture, sound and subtitles, chapters and tags. Included by the files of this folder only.
#pragma once

#include <filesystem>
#include <vector>

#include "video/io/av.h"
#include "video/io/movie.h"

namespace fabula::av {

/// Writes `scratch`; errors name the `output` that it is for. Subtitles and chapters are those of the options. Packets come in their
/// codecs' time bases, in the order of their dts.
class Muxer {
 public:
  static constexpr std::size_t video_stream = 0, audio_stream = 1;

  /// `audio`: null for a film without sound.
  Muxer(const MovieFormat& format, const std::filesystem::path& scratch, std::filesystem::path output, const SinkOptions& options,
        const AVCodecContext& video, const AVCodecContext* audio);

  void write(std::size_t stream, AVPacket& packet);
  void finish();

 private:
  void add(const AVCodecContext& codec);
  void add_subtitles();
  void add_text_style(AVCodecParameters&) const;
  [[nodiscard]] Packet cue_packet(const std::string& text) const;
  void add_labels();
  void add_chapters();
  void tag(AVDictionary*& metadata, const char* key, const std::string& value) const;
  void write_cues_until(std::int64_t ms);
  void checked(int code) const;

  const MovieFormat& format_;
  std::filesystem::path output_;
  const SinkOptions& options_;
  Output context_;
  std::vector<AVRational> time_bases_;
  std::size_t next_cue_ = 0;
};

}  // namespace fabula::av
