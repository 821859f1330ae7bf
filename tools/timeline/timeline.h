// A film as an editor's timeline: one clip per shot, each with its own file of media and handles.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/film/timecode.h"
#include "engine/plan.h"

namespace fabula::timeline {

/// Something at a time of a clip: a line, an action, a sound.
struct Marker {
  std::int64_t at = 0, frames = 1;  ///< from the clip's first frame
  std::string kind;                 ///< line, action or sound
  std::string name, comment;
};

/// Frames count at the timeline's rate.
struct Clip {
  std::string id, name;        ///< of the shot; its id and what happens
  std::string media;           ///< file, relative to the timeline's folder
  std::string reel;            ///< unique, at most 8 capital letters and digits
  std::int64_t start = 0;      ///< in the film
  std::int64_t frames = 0;     ///< of the shot itself
  std::int64_t head = 0;       ///< frames of the media before the shot's first: its first picture, held
  std::int64_t tail = 0;       ///< frames of the media behind the shot's last
  std::int64_t held_tail = 0;  ///< of these, at the end: the last picture, held
  std::string transition;      ///< into this clip: dissolve, wipe, fade; empty: a cut
  std::int64_t overlap = 0;    ///< frames of a dissolve or a wipe, which begins at the clip's start
  std::int64_t fade_in = 0;    ///< from black
  std::int64_t fade_out = 0;   ///< to black, under the next clip's transition
  std::vector<Marker> markers = {};

  [[nodiscard]] std::int64_t media_frames() const { return head + frames + tail; }
};

struct Timeline {
  std::string title, language;
  Rate rate;
  int width = 0, height = 0;
  bool is_of_film = false;  ///< the media of all clips are the finished film, which has no timecode and in which no picture is held
  std::vector<Clip> clips;

  [[nodiscard]] std::int64_t frames() const { return clips.empty() ? 0 : clips.back().start + clips.back().frames; }
};

/// What the media of one shot has beyond the shot, in film frames.
struct Handles {
  std::int64_t head = 0, tail = 0, held_tail = 0;
};

/// The film's cut. handles: one per shot. media: "media/{id}.mov", where {id} becomes the shot's. Throws Error(bad_data) as edges_of does.
[[nodiscard]] Timeline timeline_of(const plan::Film&, Rate, const std::vector<Handles>& handles, const std::string& media);

/// A kind of file that a timeline is written to.
struct Format {
  const char* option;     ///< "otio"
  const char* extension;  ///< ".otio"
  const char* what;       ///< for people
  /// `folder`: absolute, where the timeline's file is.
  std::string (*write)(const Timeline&, const std::string& folder);
};
/// Another format is its function in a file of its own and a line in formats.cpp.
[[nodiscard]] const std::vector<Format>& formats();

[[nodiscard]] std::string to_otio(const Timeline&, const std::string& folder);
[[nodiscard]] std::string to_edl(const Timeline&, const std::string& folder);
[[nodiscard]] std::string to_fcp7(const Timeline&, const std::string& folder);

}  // namespace fabula::timeline
