// Binds the files of a clip to labels.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "planner/h3/clips.h"
#include "planner/h3/prompt.h"

namespace fabula::h3 {

/// The characters, places and props of a clip, each in plan order.
struct Contents {
  std::vector<const plan::Character*> seen, heard;  ///< in a cast; with a line
  std::vector<const plan::Place*> places;
  std::vector<const plan::Prop*> props;  ///< targeted, required or changed by a shot
};
[[nodiscard]] Contents contents_of(const plan::Film&, const Pieces&, const std::vector<std::vector<Part>>&);

/// The ids of the props that a shot targets, requires or changes.
[[nodiscard]] std::vector<std::string> props_of(const plan::Film&, const plan::Shot&);

struct Bound {
  std::vector<Reference> references;
  std::map<std::string, int> subjects;        ///< N of <Subject N>, for characters, places and props with a picture
  std::map<std::string, std::string> voices;  ///< "<Audio 1>", by character
};
/// Binds in the order of prompt.h. References beyond the model's limits go to `left_out`, additional pictures of one subject first.
[[nodiscard]] Bound bind(const plan::Film&, const Pieces&, const Contents&, std::vector<std::string>& left_out);

}  // namespace fabula::h3
