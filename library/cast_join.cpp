// Fills plans from the cast.
#include "library/cast_join.h"

#include <algorithm>

#include "base/error.h"
#include "planner/cast/store.h"
#include "planner/text/text.h"

namespace fabula {

bool names_cast(const plan::Film& film) {
  return std::any_of(film.characters.begin(), film.characters.end(), [](const plan::Character& c) { return !c.cast_id.empty(); });
}

CastJoin::CastJoin(const CastChoice& choice, Source& source, const World& world) : world_(world) {
  const std::string file = choice.used();
  if (source.is_plan && names_cast(source.film) && file.empty() && !choice.none) {
    throw Error(ExitCode::input_missing,
                "the plan names members of the cast, but there is no cast; name its file with --cast CAST.db, or take the plan as it is "
                "with --no-cast");
  }
  if (file.empty()) return;
  store_.emplace(file, cast::Store::Open::existing);
  if (source.is_plan)
    cast::fill(source.film, *store_, world_);
  else
    parts_ = cast::parts_in(source.prompt, store_->list(), world_);
}

std::vector<ActorName> CastJoin::names() const {
  std::vector<ActorName> names;
  for (const cast::Part& part : parts_) names.push_back({part.actor, part.called});
  return names;
}

bool CastJoin::bind(plan::Film& film, std::vector<std::string>& notes) const {
  if (!cast::bind(film, parts_, world_)) return false;
  for (const plan::Character& c : film.characters) {
    if (!c.cast_id.empty()) notes.push_back(printable(c.name) + " is " + printable(c.cast_id) + " of the cast");
  }
  return true;
}

}  // namespace fabula
