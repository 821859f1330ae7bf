// What a prompt means, before it is a plan: the Story of tools/train/grammar.py.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "planner/text/spans.h"

namespace fabula::oracle {

/// Somebody in an event. Empty: not said.
struct Role {
  std::string actor, action, position, facing;
  bool is_named = false;  ///< by a word of the world, not by one that it does not know or by a pronoun
  std::string mood = {};
};

/// A thing that is to be seen.
struct Thing {
  std::string prop, position = {};
  TextSpan source = {0, 0};
};

/// What happens at once: one or two actors, where, when, in which weather, beside which things, and a line or none. Empty: not said.
struct Event {
  std::vector<Role> roles;
  std::string place, time, weather = {};
  TextSpan weather_source = {0, 0};
  std::vector<Thing> props = {};
  std::string speaker;
  std::vector<std::string> line;  ///< cut into spans of the prompt that a shot has room for
  TextSpan source = {0, 0};       ///< of the prompt, from its first word to its last
};

struct Story {
  std::vector<Event> events;
  std::map<std::string, std::string> voices;  ///< actor -> voice, where asked for or heard from he and she
  int shots = 0;                              ///< as asked for; 0: not said
  std::string size, move;                     ///< of the camera
  std::vector<std::string> removed;           ///< actors that the prompt wants gone: "without the crab"
  std::vector<std::string> removed_props;     ///< likewise: "take away the tree"
  bool is_addition = false;                   ///< who is named comes to those who are there: "also", "too", "add"
  bool is_silent = false;                     ///< nothing is to be said
  std::vector<std::string> unsupported;       ///< spans of the prompt that found no place
};

}  // namespace fabula::oracle
