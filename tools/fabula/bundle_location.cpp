// Finds the bundle that is shipped with the program.
#include "tools/fabula/bundle_location.h"

#include "base/error.h"

namespace fabula::cli {

namespace fs = std::filesystem;

fs::path locate_bundle(const std::string& given) {
  if (!given.empty()) return given;
  // From build/<preset>/bin upwards to the checkout; from an installed bin to its share folder.
  std::error_code ignored;
  const fs::path program = fs::read_symlink("/proc/self/exe", ignored);
  for (fs::path at = program.parent_path(); !at.empty(); at = at.parent_path()) {
    for (const char* below : {"assets/models/nano", "share/fabula/models/nano"}) {
      if (fs::exists(at / below / "fabula.json")) return at / below;
    }
    if (at == at.root_path()) break;
  }
  throw Error(ExitCode::unavailable, "no model bundle was found near " + program.string() + "; name one with --model DIR");
}

}  // namespace fabula::cli
