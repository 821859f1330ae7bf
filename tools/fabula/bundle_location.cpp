// Finds the model bundle: named, beside the program, or in the folders for data.
#include "tools/fabula/bundle_location.h"

#include <cstdlib>
#include <sstream>
#include <vector>

#include "base/error.h"
#include "library/bundle_near.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path program() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored);
}

// Where data may be, in the order of preference.
std::vector<fs::path> places() {
  std::vector<fs::path> all;
  // Relative folders are to be ignored (XDG base directory specification).
  const auto add = [&](const fs::path& data) {
    if (data.is_absolute()) all.push_back(data / "fabula/models/nano");
  };
  const std::string home = variable("HOME"), own = variable("XDG_DATA_HOME"), shared = variable("XDG_DATA_DIRS");
  add(fs::path(own).is_absolute() ? fs::path(own) : fs::path(home) / ".local/share");
  std::istringstream folders(shared.empty() ? "/usr/local/share:/usr/share" : shared);
  for (std::string folder; std::getline(folders, folder, ':');) add(folder);
  return all;
}

}  // namespace

fs::path locate_bundle(const std::string& given) {
  if (!given.empty()) return given;
  if (const fs::path own = bundle_near(program()); !own.empty()) return own;
  for (const fs::path& place : places()) {
    if (is_bundle(place)) return place;
  }
  throw Error(ExitCode::unavailable, "no model bundle was found: not near " + program().string() +
                                         " and not in fabula/models/nano of the folders for data (XDG_DATA_HOME, XDG_DATA_DIRS); name one "
                                         "with --model DIR or FABULA_MODEL");
}

}  // namespace fabula::cli
