// Fills plans from the cast, and keeps what happened in a film.
#include "tools/fabula/cast_join.h"

#include <algorithm>
#include <cstdio>

#include "base/error.h"
#include "planner/cast/store.h"
#include "planner/text/text.h"
#include "tools/fabula/cast_file.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

bool names_cast(const plan::Film& film) {
  return std::any_of(film.characters.begin(), film.characters.end(), [](const plan::Character& c) { return !c.cast_id.empty(); });
}

// The cast's file: the one that was named, or the user's own if it exists.
std::optional<fs::path> file_of(const CastChoice& choice) {
  if (choice.none) return std::nullopt;
  if (!choice.file.empty()) return choice.file;
  try {
    const fs::path own = cast_file("", false);
    return fs::exists(own) ? std::optional(own) : std::nullopt;
  } catch (const Error&) {  // a user without a home has no cast
    return std::nullopt;
  }
}

}  // namespace

CastJoin::CastJoin(const CastChoice& choice, Source& source, const World& world) : world_(world) {
  const std::optional<fs::path> file = file_of(choice);
  if (source.is_plan && names_cast(source.film) && !file && !choice.none) {
    throw Error(ExitCode::input_missing,
                "the plan names members of the cast, but there is no cast; name its file with --cast CAST.db, or take the plan as it is "
                "with --no-cast");
  }
  if (!file) return;
  store_.emplace(*file, cast::Store::Open::existing);
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

bool CastJoin::bind(plan::Film& film) const {
  if (!cast::bind(film, parts_, world_)) return false;
  for (const plan::Character& c : film.characters) {
    if (!c.cast_id.empty()) std::fprintf(stderr, "fabula: %s is %s of the cast\n", printable(c.name).c_str(), printable(c.cast_id).c_str());
  }
  return true;
}

void remember_film(const CastChoice& choice, const plan::Film& film) {
  const std::optional<fs::path> file = file_of(choice);
  if (!file || !names_cast(film)) return;
  cast::Store(*file, cast::Store::Open::existing).remember_once(cast::memories_of(film, utc_now()));
}

}  // namespace fabula::cli
