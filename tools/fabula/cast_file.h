// Where the cast is kept, and what films leave in it.
#pragma once

#include <filesystem>
#include <string>

#include "engine/plan.h"
#include "library/options.h"

namespace fabula::cli {

/// The cast's file: `given`, or the user's own, whose folder is created if `create`. Throws Error: configuration where no home is known,
/// cannot_create.
[[nodiscard]] std::filesystem::path cast_file(const std::string& given, bool create);

/// The file of the user's own cast; empty where there is none.
[[nodiscard]] std::string own_cast();
/// After a film is made: the members in it remember what happened to them, once.
void remember_film(const CastChoice&, const plan::Film&);

/// "2026-01-31T12:00:00Z"
[[nodiscard]] std::string utc_now();

}  // namespace fabula::cli
