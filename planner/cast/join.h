// Where the cast meets a film: who of it a prompt names, what a plan takes from it, and what it remembers afterwards. Texts of the cast are
// a stranger's: they come into a plan through prompt_words (planner/text/text.h) and are compared with a prompt, never read as one.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/plan.h"
#include "engine/world.h"
#include "planner/cast/character.h"
#include "planner/cast/store.h"

namespace fabula::cast {

/// The actor of a world who plays a character: that of its id, else the one that its field "actor" names, else the only one whose word
/// stands in its look.
[[nodiscard]] std::optional<std::string> actor_of(const Character&, const World&);

/// A character of the cast in a film.
struct Part {
  std::string actor;  ///< of the world, and the id of the plan's character
  Character character;
};

/// Those whose name stands in a prompt and whom the world has an actor for, in the order of their ids; an actor plays one of them. A name
/// that is the actor's own word ("fox") may be in any case, another stands there as it is written.
[[nodiscard]] std::vector<Part> parts_in(const std::string& prompt, const std::vector<Character>& cast, const World&);

/// Gives the plan's characters that the parts' actors play their cast_id, and what `fill` does. True when there were any.
bool bind(plan::Film&, const std::vector<Part>&, const World&);

/// Name, look, wardrobe, voice and reference files as the cast has them, where it has them. A voice that the world does not have is left
/// out.
void fill(plan::Character&, const Character&, const World&);

/// Fills every character of a plan that has a cast_id. Throws Error(bad_data) naming the character for an id that the cast does not have.
void fill(plan::Film&, const Store&, const World&);

/// What a film has brought about for those of its characters who are in the cast, by their ids in it: what they wear at the start, and its
/// effects.
[[nodiscard]] std::vector<std::pair<std::string, Memory>> memories_of(const plan::Film&, const std::string& created);

}  // namespace fabula::cast
