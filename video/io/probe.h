// Reads a film back: its file's metadata, and every frame and sample.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "engine/clip_model.h"
#include "video/io/labels.h"
#include "video/io/sinks.h"

namespace fabula {

struct FilmProbe {
  std::string container;        ///< libav's name, e.g. "mov,mp4,m4a,3gp,3g2,mj2"
  bool index_in_front = false;  ///< moov before mdat: playable before it is all there
  double duration_s = 0.0;      ///< of the file
  std::string title, comment;   ///< empty: none
  std::string timecode;         ///< of the first frame; empty: none
  std::vector<Chapter> chapters;

  std::string subtitle_codec, subtitle_language;  ///< empty: no subtitle track
  std::vector<Cue> subtitles;                     ///< as plain text, a line each, without speakers
  std::string aigc;                               ///< the key AIGC, as JSON (GB 45438-2025); empty: none
  FoundLabels labels;

  std::string video_codec, pixel_format;
  int width = 0, height = 0;
  int fps_num = 0, fps_den = 1;
  std::int64_t video_frames = 0;                   ///< decoded
  double video_duration_s = 0.0;                   ///< from the first frame's start to the last one's end
  std::string primaries, transfer, matrix, range;  ///< libav's names: "bt709", "tv"

  bool has_audio = false;
  std::string audio_codec, language;  ///< ISO 639-2; empty or "und": not said
  int sample_rate = 0, channels = 0;
  std::int64_t sample_frames = 0;  ///< decoded, the codec's padding left out
  double audio_start_s = 0.0;      ///< relative to the first frame
};

/// Decodes the whole film: a file, or a sequence of pictures (sequence_name). Frames come as RGB of the film's size, samples interleaved in
/// the track's channels; either receiver may be empty. Throws Error: input_missing when the file cannot be opened, bad_data when it has
/// neither picture nor sound or does not decode.
FilmProbe read_film(const std::filesystem::path& file, const std::function<void(const Image&)>& on_frame,
                    const std::function<void(std::span<const float>)>& on_samples);

/// read_film for the metadata alone.
[[nodiscard]] inline FilmProbe probe_film(const std::filesystem::path& file) { return read_film(file, {}, {}); }

}  // namespace fabula
