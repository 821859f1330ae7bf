// What a prompt fixes of its plan: a model composes within it.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "engine/world.h"

namespace fabula {

struct Brief {
  /// A line, or the part of one that a shot has time for.
  struct Piece {
    std::string speaker;  ///< empty: whoever is there
    std::string text;
    bool goes_on = false;  ///< with the line of the piece before: it is spoken in the very next shot
  };
  std::vector<Piece> lines;                                          ///< spoken in this order, one per shot; nothing else is
  std::vector<std::string> actors;                                   ///< who may be seen
  std::size_t least_actors = 1;                                      ///< how many of them are
  std::vector<std::string> places, times, weathers, props, actions;  ///< where, when, in which weather, beside and doing what
  int shots = 0;                                                     ///< exactly; 0: as the model likes, but
  int least_shots = 0;                                               ///< at least so many, as far as the longest film has them
};

/// The brief of a prompt that fixes nothing: all of the world, and no line.
[[nodiscard]] inline Brief open_brief(const World& world) {
  return {.lines = {},
          .actors = ids_of(world.actors),
          .places = ids_of(world.places),
          .times = world.times,
          .weathers = ids_of(world.weathers),
          .props = ids_of(world.props),
          .actions = ids_of(world.actions)};
}

}  // namespace fabula
