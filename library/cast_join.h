// What planning a film takes from the cast.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/world.h"
#include "library/options.h"
#include "library/source.h"
#include "planner/cast/join.h"

namespace fabula {

/// The cast that goes with a source. Characters of a plan that name a member are filled in by the constructor; those of a prompt are bound
/// once there is a plan.
class CastJoin {
 public:
  /// Throws Error as cast::Store and cast::fill do; input_missing if a plan names members and there is no cast.
  CastJoin(const CastChoice&, Source&, const World&);

  /// What the prompt calls the world's actors.
  [[nodiscard]] std::vector<ActorName> names() const;
  /// Puts the members that the prompt names into its plan and notes who they are. True if that changed the plan.
  bool bind(plan::Film&, std::vector<std::string>& notes) const;

 private:
  const World& world_;
  std::optional<cast::Store> store_;
  std::vector<cast::Part> parts_;
};

/// Whether characters of the film are members of a cast.
[[nodiscard]] bool names_cast(const plan::Film&);

}  // namespace fabula
