// Which files a clip is given, under which labels.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "engine/plan.h"
#include "planner/h3/clips.h"
#include "planner/h3/prompt.h"

namespace fabula::h3 {

/// Who and what is in a clip, each in the plan's order.
struct Contents {
  std::vector<const plan::Character*> seen, heard;  ///< in a shot's cast; with a line
  std::vector<const plan::Place*> places;
  std::vector<const plan::Prop*> props;  ///< what a shot looks at, needs or changes
};
[[nodiscard]] Contents contents_of(const plan::Film&, const Pieces&, const std::vector<std::vector<Part>>&);

/// The ids of the props that a shot looks at, needs or changes.
[[nodiscard]] std::vector<std::string> props_of(const plan::Film&, const plan::Shot&);

struct Bound {
  std::vector<Reference> references;
  std::map<std::string, int> subjects;        ///< N of <Subject N> of the characters, places and props that have a picture
  std::map<std::string, std::string> voices;  ///< "<Audio 1>" of a character
};
/// Binds in the order of prompt.h. What does not fit into the model's limits is added to `left_out`: first further pictures of the same
/// thing are.
[[nodiscard]] Bound bind(const plan::Film&, const Pieces&, const Contents&, std::vector<std::string>& left_out);

}  // namespace fabula::h3
