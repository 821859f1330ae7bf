// The check of finished shots (engine/film/gate.h) on the command line: its option, and what is said about shots that it refused.
#pragma once

#include <string>
#include <vector>

#include "engine/film/film.h"

namespace CLI {
class App;
}

namespace fabula::cli {

/// --no-gate
void add_gate_option(CLI::App&, bool& no_gate);

/// A sentence for each shot of which an attempt was refused.
[[nodiscard]] std::vector<std::string> gate_notes(const std::vector<ShotReport>&);

/// The ids of the shots that were made again.
[[nodiscard]] std::vector<std::string> remade_ids(const std::vector<ShotReport>&);

}  // namespace fabula::cli
