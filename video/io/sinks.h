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
#include "engine/media_sink.h"
#include "video/io/labels.h"

namespace fabula {

struct Chapter {
  std::int64_t start_ms = 0, end_ms = 0;
  std::string title;
  bool operator==(const Chapter&) const = default;
};

struct SinkOptions {
  int fps = 24;
  int crf = 16;
  /// Size of the film; 0: that of the frames. Frames of another size are scaled (Lanczos). Even numbers: the chroma is halved.
  int width = 0, height = 0;
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

struct Container {
  const char* extension;  ///< ".mp4"
  std::unique_ptr<FileSink> (*open)(std::filesystem::path output, SinkOptions options);
};

/// The first is the default, for outputs without an extension.
[[nodiscard]] std::span<const Container> containers();
/// Null where no container has the extension.
[[nodiscard]] const Container* container_of(std::string_view extension);
/// ".mp4", or all of them: ".mp4, .mov".
[[nodiscard]] std::string container_extensions();

}  // namespace fabula
