// Joins the cast to a film: which characters a prompt names, what a plan takes from them, and what they remember afterwards. The cast's
// texts may come from strangers: they enter a plan only through prompt_words (planner/text/text.h) and are compared with a prompt, never
// read as one.
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

/// The actor of a world who plays a character: matched by id, then by the field "actor", then by the only actor word in its look.
[[nodiscard]] std::optional<std::string> actor_of(const Character&, const World&);

/// A cast member's part in a film.
struct Part {
  std::string actor;  ///< of the world; also the id of the plan's character
  Character character;
  std::string called;  ///< their name in the prompt: "Rusty" for Old Rusty
};

/// The characters whose names are in a prompt and who have an actor in the world, ordered by id; each actor plays only one. A name that is
/// the actor's own word ("fox") matches in any case, any other only as written. Where names overlap the longest counts: "Old Rusty" is not
/// also Rusty. A character whose whole name is nowhere is found by a part that no other member has: Old Rusty as "Rusty", unless that is
/// a title or a word that the world knows.
[[nodiscard]] std::vector<Part> parts_in(const std::string& prompt, const std::vector<Character>& cast, const World&);

/// Sets the cast_id of the plan's characters played by the parts' actors, and fills them. Returns whether there were any.
bool bind(plan::Film&, const std::vector<Part>&, const World&);

/// Copies name, look, wardrobe, voice and reference files from the cast where it has them, except a voice that the world lacks.
void fill(plan::Character&, const Character&, const World&);

/// Fills every character of a plan that has a cast_id. Throws Error(bad_data) for a cast_id that the cast lacks, naming the character.
void fill(plan::Film&, const Store&, const World&);

/// What a character has that a model of this world does not show, one sentence each. It is kept all the same.
[[nodiscard]] std::vector<std::string> not_shown(const Character&, const World&);

/// What a film adds to the memories of its cast members, with their cast ids: what they do where, what they say, and the effects about
/// them.
[[nodiscard]] std::vector<std::pair<std::string, Memory>> memories_of(const plan::Film&, const std::string& created);

}  // namespace fabula::cast
