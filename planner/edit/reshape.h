// Wishes about whole shots and the film's title: a shot added, removed, made longer or shorter.
#pragma once

#include <optional>
#include <string>

#include "engine/plan.h"
#include "engine/score.h"
#include "engine/world.h"
#include "planner/edit/replan.h"

namespace fabula::plan {

/// What a wish asks of the shots or the title.
struct Reshaping {
  enum class Kind { title, remove, add, last };
  Kind kind;
  std::string shot = {};     ///< the shot that the wish itself names; empty: the one that it is for
  std::string text = {};     ///< the title; or what is to be seen in the new shot
  bool before = false;       ///< the new shot comes before the named one
  double seconds = 0.0;      ///< of `last`: how long the shot is to be
  bool is_relative = false;  ///< or how much longer; negative: shorter
};

/// Reads "call it Moonlight", "title: Moonlight", "remove this shot", "delete s020", "add a shot: a crab jumps", "add a shot before s020
/// with a crab", "make it longer", "make it 3 seconds long", "half a second shorter". Nothing for every other wish.
[[nodiscard]] std::optional<Reshaping> reshaping_in(const std::string& wish);

/// Carries it out, retimes the plan and checks it. A new shot is like the one beside it, without its lines, and then as the text has it. A
/// shot that is to last longer than the model's shots do goes on in further shots. Throws as replan does.
[[nodiscard]] Replanned reshape(const Film&, const Wish&, const Reshaping&, const World&, const PhonesFunction&);

}  // namespace fabula::plan
