// The user's own cast: XDG base directory specification.
#include "tools/fabula/cast_file.h"

#include <cstdlib>
#include <ctime>

#include "base/error.h"
#include "library/cast_join.h"
#include "planner/cast/store.h"

namespace fabula::cli {

namespace fs = std::filesystem;

fs::path cast_file(const std::string& given, bool create) {
  if (!given.empty()) return given;
  const char* data = std::getenv("XDG_DATA_HOME");
  const char* home = std::getenv("HOME");
  fs::path folder;
  if (data != nullptr && fs::path(data).is_absolute())
    folder = data;  // the specification has a relative one ignored
  else if (home != nullptr && *home != '\0')
    folder = fs::path(home) / ".local" / "share";
  else
    throw Error(ExitCode::configuration, "neither XDG_DATA_HOME nor HOME says where the cast is kept; name its file with --cast CAST.db");
  folder /= "fabula";
  std::error_code failed;
  if (create) fs::create_directories(folder, failed);
  if (failed) throw Error(ExitCode::cannot_create, "cannot create the folder " + folder.string() + ": " + failed.message());
  return folder / "cast.db";
}

std::string own_cast() {
  try {
    const fs::path own = cast_file("", false);
    return fs::exists(own) ? own.string() : std::string();
  } catch (const Error&) {  // a user without a home has no cast
    return {};
  }
}

void remember_film(const CastChoice& choice, const plan::Film& film) {
  const std::string file = choice.used();
  if (file.empty() || !names_cast(film)) return;
  cast::Store(file, cast::Store::Open::existing).remember_once(cast::memories_of(film, utc_now()));
}

std::string utc_now() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
  return text;
}

}  // namespace fabula::cli
