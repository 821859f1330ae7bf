// The plan as plain data: what the planner writes, a person edits and the decoders follow. Times are integer milliseconds on the film clock.
#pragma once

#include <string>
#include <vector>

namespace fabula::plan {

struct Voice {
  std::string voice_id;
};

struct Character {
  std::string id, name, look;
  Voice voice;
};

struct Place {
  std::string id, description, time_of_day;
};

struct CastMember {
  std::string id, position, facing;
};

struct ActionBeat {
  int at_ms = 0;  ///< on the shot's clock
  std::string who, what;
};

struct Camera {
  std::string size, move;
};

struct Line {
  std::string speaker, text;
  int start_ms = 0, end_ms = 0;
  std::string mode = "on_screen";
};

struct Shot {
  std::string id, place;
  int start_ms = 0, duration_ms = 0;
  std::vector<CastMember> cast;
  std::vector<ActionBeat> action_beats;
  Camera camera;
  std::vector<Line> dialogue;
  std::string ambience;
};

struct Film {
  std::string prompt;  ///< what was asked; kept in the file because the planner's states depend on it
  std::string treatment, title, aspect = "16:9";
  int fps = 24;
  int total_ms = 0;
  std::string language = "en";
  std::vector<Character> characters;
  std::vector<Place> places;
  std::vector<Shot> shots;
  std::string music = "none";
  std::vector<std::string> unsupported;
};

}  // namespace fabula::plan
