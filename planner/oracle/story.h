// The meaning of a prompt, before it becomes a plan: the Story of tools/train/prompts/grammar.py.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "planner/text/spans.h"

namespace fabula::oracle {

/// An actor in an event. Empty members: the prompt does not say.
struct Role {
  std::string actor, action = {}, position = {}, facing = {};
  bool is_named = false;  ///< by a word of the world, not by a pronoun or an unknown word
  std::string mood = {};
  bool is_meant = false;  ///< by a pronoun, or by a verb without a subject, where the prompt has spoken of nobody else
};

/// A prop to be seen.
struct Thing {
  std::string prop, position = {};
  TextSpan source = {0, 0};
};

/// One moment: one or two actors, place, time, weather, props, and at most one line. Empty members: the prompt does not say.
struct Event {
  std::vector<Role> roles;
  std::string place, time, weather = {};
  TextSpan weather_source = {0, 0};
  std::vector<Thing> props = {};
  std::string speaker;
  std::vector<std::string> line;  ///< cut into spans of the prompt, each short enough for a shot
  TextSpan source = {0, 0};       ///< in the prompt, from its first word to its last
};

struct Story {
  std::vector<Event> events;
  std::map<std::string, std::string> voices;  ///< actor -> voice, if asked for or implied by "he" or "she"
  int shots = 0;                              ///< the number asked for, or the number that fills the time asked for; 0: none
  std::string size, move;                     ///< of the camera
  std::vector<std::string> removed;           ///< actors to be taken out: "without the crab"
  std::vector<std::string> removed_props;     ///< props to be taken out: "take away the tree"
  std::vector<std::string> removed_places, removed_times, removed_weathers,
      removed_actions;                           ///< "not in the snow", "not at night", "no rain"
  std::map<std::string, std::string> stand_ins;  ///< word of the prompt -> the actor who plays it
  bool is_addition = false;                      ///< the named actors join those already there: "also", "too", "add"
  bool is_silent = false;                        ///< no dialogue
  std::vector<std::string> unsupported;          ///< spans of the prompt that the story has no place for
  std::vector<TextSpan> lines;                   ///< where the prompt has spoken lines
};

}  // namespace fabula::oracle
