// Walks up from a file.
#include "library/bundle_near.h"

#include <system_error>

namespace fabula {

namespace fs = std::filesystem;

bool is_bundle(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / "fabula.json", ignored);
}

fs::path bundle_near(const fs::path& file) {
  for (fs::path at = file.parent_path(); !at.empty(); at = at.parent_path()) {
    for (const char* place : {"share/fabula/models/nano", "assets/models/nano"}) {
      if (is_bundle(at / place)) return at / place;
    }
    if (at == at.root_path()) break;
  }
  return {};
}

}  // namespace fabula
