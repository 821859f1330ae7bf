// The user's own cache: XDG base directory specification.
#include "tools/fabula/store_location.h"

#include <cstdlib>

#include "base/error.h"
#include "tools/fabula/terminal.h"

namespace fabula::cli {

namespace fs = std::filesystem;

fs::path store_folder(const std::string& given) {
  if (!given.empty()) return given;
  // A relative XDG_CACHE_HOME is to be ignored (XDG base directory specification).
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && fs::path(cache).is_absolute())
    return fs::path(cache) / "fabula/shots";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return fs::path(home) / ".cache/fabula/shots";
  return {};
}

std::unique_ptr<ShotStore> open_store(const StoreChoice& choice, const std::string& profile) {
  if (choice.none) return nullptr;
  try {
    return fabula::open_store(choice, store_folder(choice.folder), profile);
  } catch (const Error& error) {
    if (!choice.folder.empty()) throw;
    say(std::string(error.what()) + "; finished shots are not kept");
    return nullptr;
  }
}

}  // namespace fabula::cli
