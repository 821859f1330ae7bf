// The containers a film can be written in.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "audio/master.h"
#include "base/output_file.h"
#include "engine/film/subtitles.h"
#include "engine/film/timecode.h"
#include "engine/media_sink.h"
#include "video/io/framing.h"
#include "video/io/labels.h"

namespace fabula {

struct Chapter {
  std::int64_t start_ms = 0, end_ms = 0;
  std::string title;
  bool operator==(const Chapter&) const = default;
};

struct SinkOptions {
  /// At which the frames come and the file shows them.
  Rate rate = {};
  /// Constant rate factor of the picture's encoder; none: the format's own.
  std::optional<int> crf = {};
  /// Size of the film; 0: that of the frames. Frames of another size are scaled (Lanczos). Even numbers: the chroma is halved.
  int width = 0, height = 0;
  /// Of frames of another shape.
  Fit fit = Fit::pad;
  /// The whole film is brought to this loudness with one gain and a true-peak limiter.
  LoudnessTarget loudness = {};
  /// What players show. Empty: none.
  std::string title = {};
  std::string comment = {};
  /// One after another, from the film's start.
  std::vector<Chapter> chapters = {};
  /// Of a subtitle track in the language of the sound; empty: no track.
  std::vector<Cue> subtitles = {};
  /// Language of the sound as BCP 47 has it ("en", "pt-BR"); one that ISO 639-2 has no code for is "und".
  std::string language = {};
  /// What the film says of its making; nothing where absent.
  std::optional<FilmLabels> labels = {};
  /// Changes the finished film before it is checked, for example signs it. What it throws leaves finish().
  std::function<void(const std::filesystem::path& film)> sign = {};
  /// What happens to an existing file of the output's name.
  Existing existing = Existing::refuse;
  /// Looks at the finished film before it gets its name; what it throws leaves finish(), and the film is removed.
  std::function<void(const std::filesystem::path& film)> check = {};
};

/// A sink that is a file.
class FileSink : public MediaSink {
 public:
  /// As OutputFile's: after finish() the name that the film got.
  [[nodiscard]] virtual const std::filesystem::path& output() const = 0;
  /// After finish(): the loudness of the sound; nothing for a film without sound.
  [[nodiscard]] virtual const std::optional<Mastered>& mastered() const = 0;
};

/// A kind of file that a film can be.
struct Container {
  const char* extension;  ///< ".mp4"
  const char* codec;      ///< "h264": of the picture, or of the sound where there is none
  const char* what;       ///< what is stored, for people
  enum class Holds { both, picture, sound } holds;
  double bits_a_pixel;  ///< roughly, for estimates
  std::unique_ptr<FileSink> (*open)(std::filesystem::path output, SinkOptions options);
};

/// The first is the default, for outputs without an extension; the first of an extension is that extension's.
[[nodiscard]] std::span<const Container> containers();
/// `codec`: empty for the extension's first. Null where there is none.
[[nodiscard]] const Container* container_of(std::string_view extension, std::string_view codec = {});
/// ".mp4", or all of them: ".mp4, .mov".
[[nodiscard]] std::string container_extensions();

}  // namespace fabula
