// What planning a film takes from the cast, and what the film gives back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/world.h"
#include "planner/cast/join.h"
#include "tools/fabula/options.h"
#include "tools/fabula/source.h"

namespace fabula::cli {

/// The cast that goes with a source. Characters of a plan that name a member are filled in by the constructor; those of a prompt are bound
/// once there is a plan.
class CastJoin {
 public:
  /// Throws Error as cast::Store and cast::fill do; input_missing if a plan names members and there is no cast.
  CastJoin(const CastChoice&, Source&, const World&);

  /// What the prompt calls the world's actors.
  [[nodiscard]] std::vector<ActorName> names() const;
  /// Puts the members that the prompt names into its plan and reports them on standard error. True if that changed the plan.
  bool bind(plan::Film&) const;

 private:
  const World& world_;
  std::optional<cast::Store> store_;
  std::vector<cast::Part> parts_;
};

/// After a film is made: the members in it remember what happened to them, once.
void remember_film(const CastChoice&, const plan::Film&);

}  // namespace fabula::cli
