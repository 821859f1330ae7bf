// The world that the shipped model can film.
#pragma once

#include <string>

#include "engine/world.h"

namespace fabula::test {

/// assets/models/nano/world.json, read once.
inline const World& storybook() {
  static const World world = World::open(std::string(FABULA_SOURCE_DIR) + "/assets/models/nano/world.json");
  return world;
}

/// A world with weathers, moods and props.
inline const World& edition() {
  static const World world = World::open(std::string(FABULA_SOURCE_DIR) + "/tests/goldens/worlds/storybook.json");
  return world;
}

}  // namespace fabula::test
