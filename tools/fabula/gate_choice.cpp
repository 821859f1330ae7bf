// Puts the gate's verdicts into words.
#include "tools/fabula/gate_choice.h"

#include <CLI/CLI.hpp>

namespace fabula::cli {

void add_gate_option(CLI::App& command, bool& no_gate) {
  command.add_flag("--no-gate", no_gate,
                   "Take every shot as it comes. Without this, one that is black, does not move though the plan does, is silent or clipped "
                   "though it should sound, or has not the colours of its place is made again, twice at most");
}

std::vector<std::string> gate_notes(const std::vector<ShotReport>& shots) {
  std::vector<std::string> notes;
  for (const ShotReport& shot : shots) {
    if (shot.refused.empty()) continue;
    const std::string what = "shot " + shot.id + " " + shot.refused.front().fault;
    const std::size_t attempts = shot.refused.size();
    if (shot.was_remade())
      notes.push_back(what + "; it was made again with seed " + std::to_string(shot.seed));
    else if (attempts > 1)
      notes.push_back(what + ", and no better after " + std::to_string(attempts - 1) + " more attempts; the first was filmed");
    else
      notes.push_back(what + "; its seed is the plan's, so it was filmed as it is");
  }
  return notes;
}

std::vector<std::string> remade_ids(const std::vector<ShotReport>& shots) {
  std::vector<std::string> ids;
  for (const ShotReport& shot : shots) {
    if (shot.was_remade()) ids.push_back(shot.id);
  }
  return ids;
}

}  // namespace fabula::cli
