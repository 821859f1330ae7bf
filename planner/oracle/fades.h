// The fades at a film's ends: a prompt or a screenplay asks for them, and they are made when the film is assembled.
#pragma once

#include <string_view>

#include "engine/plan.h"

namespace fabula::oracle {

struct Fades {
  bool in = false, out = false;  ///< from black at the start; to black at the end
};

/// What the first and the last sentence of a prompt ask for: "Fade in on a fox …", "… The film fades to black."
[[nodiscard]] Fades fades_of(std::string_view prompt);

/// Fades the film in or out over a second, or over less where a shot is shorter or somebody speaks near the film's end. A transition that
/// the plan has already stays.
void set_fades(plan::Film&, const Fades&);

}  // namespace fabula::oracle
