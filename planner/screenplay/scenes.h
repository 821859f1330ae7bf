// The part of a screenplay that is filmed: scenes, their shots, the lines spoken in them. Plain data, in film order.
#pragma once

#include <string>
#include <vector>

#include "planner/screenplay/screenplay.h"

namespace fabula::screenplay {

/// From [[fabula: key = value]]; ";" or line breaks separate several in one note. It applies to what precedes it: the film (before the
/// first scene), a scene (after its heading), a shot (after action), a line, or all lines of a cue (after the cue).
struct Override {
  std::string key, value;
  int line = 0;
};

struct SpokenLine {
  std::string speaker;             ///< as in the cue, "FOX"
  std::string text;                ///< without emphasis; its lines joined by spaces
  std::string delivery;            ///< parentheticals before it, and extensions other than modes: "whispering"
  std::string mode = "on_screen";  ///< or voiceover (V.O.), off_screen (O.S., O.C.)
  bool sung = false;
  bool with_previous = false;  ///< dual dialogue: at the same time as the previous line
  int line = 0;
  std::vector<Override> overrides;
};

struct Shot {
  std::string action;      ///< a paragraph without emphasis; empty if a scene begins with speech
  std::string transition;  ///< into this shot, as written: "CUT TO:"; empty: a cut
  std::vector<SpokenLine> dialogue;
  std::vector<std::string> captions;  ///< centred text
  int line = 0;
  std::vector<Override> overrides;
};

struct Scene {
  std::string heading;      ///< as written; empty before the first heading
  std::string setting;      ///< interior, exterior, both, or empty
  std::string place;        ///< "FOREST - CLEARING"
  std::string time_of_day;  ///< lower case; that of the previous scene for CONTINUOUS, LATER or SAME; empty if not given
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

/// Throws Error(bad_data) for a fabula note that is not "key = value", naming its line.
[[nodiscard]] Script scenes_of(const Screenplay&);

}  // namespace fabula::screenplay
