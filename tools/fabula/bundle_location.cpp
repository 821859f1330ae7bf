// Finds the model bundle: named, beside the program, or in the folders for data.
#include "tools/fabula/bundle_location.h"

#include <cstdlib>
#include <sstream>
#include <vector>

#include "base/error.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

bool is_bundle(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / "fabula.json", ignored);
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

fs::path program() {
  std::error_code ignored;
  return fs::read_symlink("/proc/self/exe", ignored);
}

// Where a bundle may be that nobody has named, in the order of preference. An installed tree may be moved: its own folder is found from
// the program, as a checkout is from build/PRESET/bin.
std::vector<fs::path> places() {
  std::vector<fs::path> all;
  for (fs::path at = program().parent_path(); !at.empty(); at = at.parent_path()) {
    all.push_back(at / "share/fabula/models/nano");
    all.push_back(at / "assets/models/nano");
    if (at == at.root_path()) break;
  }
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
  for (const fs::path& place : places()) {
    if (is_bundle(place)) return place;
  }
  throw Error(ExitCode::unavailable, "no model bundle was found: not near " + program().string() +
                                         " and not in fabula/models/nano of the folders for data (XDG_DATA_HOME, XDG_DATA_DIRS); name one "
                                         "with --model DIR or FABULA_MODEL");
}

}  // namespace fabula::cli
