// What `plan` and `render` take from the cast, and give back to it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/world.h"
#include "planner/cast/join.h"
#include "planner/compose/bundle_planner.h"
#include "tools/fabula/commands.h"

namespace fabula::cli {

/// The cast beside a source. A plan's characters that name one of it are filled in the source at once; a prompt's are bound once there is a
/// plan.
class CastJoin {
 public:
  /// Throws Error: as cast::Store and cast::fill; input_missing when a plan names characters and there is no cast.
  CastJoin(const CastChoice&, Source&, const World&);

  /// What the prompt calls the world's actors.
  [[nodiscard]] std::vector<ActorName> names() const;
  /// Gives those whom the prompt names their place in its plan, and tells it on standard error. True when the plan is another now.
  bool bind(plan::Film&) const;

 private:
  const World& world_;
  std::optional<cast::Store> store_;
  std::vector<cast::Part> parts_;
};

/// After a film is made: the cast remembers what has happened to those of it who were there, once.
void remember_film(const CastChoice&, const plan::Film&);

/// "2026-01-31T12:00:00Z"
[[nodiscard]] std::string utc_now();

}  // namespace fabula::cli
