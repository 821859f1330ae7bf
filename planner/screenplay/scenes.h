// What is to be filmed of a screenplay: scenes, their shots, the lines spoken in them. Plain data, in the order of the film.
#pragma once

#include <string>
#include <vector>

#include "planner/screenplay/screenplay.h"

namespace fabula::screenplay {

/// From [[fabula: key = value]]; several in one note are parted by ";" or line breaks. It holds for what it stands behind: the film (before
/// the first scene), a scene (behind its heading), a shot (behind action), a line (behind it) or all lines of a cue (behind the cue).
struct Override {
  std::string key, value;
  int line = 0;
};

struct SpokenLine {
  std::string speaker;             ///< as in the cue, "FOX"
  std::string text;                ///< without emphasis; its lines joined by spaces
  std::string delivery;            ///< parentheticals before it and extensions that are no mode, "whispering"
  std::string mode = "on_screen";  ///< or voiceover (V.O.), off_screen (O.S., O.C.)
  bool sung = false;
  bool with_previous = false;  ///< dual dialogue: at the same time as the line before
  int line = 0;
  std::vector<Override> overrides;
};

struct Shot {
  std::string action;      ///< a paragraph without emphasis; empty where a scene begins with speech
  std::string transition;  ///< into this shot, as written: "CUT TO:"; empty: a cut
  std::vector<SpokenLine> dialogue;
  std::vector<std::string> captions;  ///< centred text
  int line = 0;
  std::vector<Override> overrides;
};

struct Scene {
  std::string heading;      ///< as written; empty for what stands before the first heading
  std::string setting;      ///< interior, exterior, both, or empty
  std::string place;        ///< "FOREST - CLEARING"
  std::string time_of_day;  ///< lower case; of the scene before where the heading says CONTINUOUS, LATER or SAME; empty: not said
  std::string number;
  int line = 0;
  std::vector<Override> overrides;
  std::vector<Shot> shots;
};

struct Script {
  std::string title;
  std::string end_transition;  ///< after the last shot: "FADE OUT."
  std::vector<Override> overrides;
  std::vector<Scene> scenes;
};

/// Throws Error(bad_data) for a fabula note that is no "key = value", with its line.
[[nodiscard]] Script scenes_of(const Screenplay&);

}  // namespace fabula::screenplay
