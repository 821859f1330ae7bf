// The user's own cache: XDG base directory specification.
#include "tools/fabula/store_location.h"

#include <cstdio>
#include <cstdlib>

#include "base/digest_cache.h"
#include "base/error.h"
#include "base/stopwatch.h"
#include "tools/fabula/stop.h"
#include "tools/fabula/terminal.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

// Empty: the user has none.
fs::path cache_folder() {
  // A relative XDG_CACHE_HOME is to be ignored (XDG base directory specification).
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && fs::path(cache).is_absolute())
    return fs::path(cache) / "fabula";
  if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return fs::path(home) / ".cache/fabula";
  return {};
}

fs::path inside_cache(const char* name) {
  const fs::path cache = cache_folder();
  return cache.empty() ? cache : cache / name;
}

// Says once, when it has taken a while, what takes so long.
class ReadingAloud {
 public:
  void operator()(std::size_t bytes) {
    if (stop_requested()) throw Error(ExitCode::interrupted, "stopped while the model's files were being read");
    bytes_ += static_cast<double>(bytes);
    if (has_said_ || watch_.seconds() < patience_seconds) return;
    has_said_ = true;
    char text[160];
    std::snprintf(
        text, sizeof text,
        "reading the model's files for their digests, %.1f GB a minute; those that stay as they are will not be read again for it",
        bytes_ / watch_.seconds() * 60e-9);
    say(text);
  }

 private:
  static constexpr double patience_seconds = 3.0;
  Stopwatch watch_;
  double bytes_ = 0.0;
  bool has_said_ = false;
};

}  // namespace

fs::path store_folder(const std::string& given) { return given.empty() ? inside_cache("shots") : fs::path(given); }

FileDigest remembered_digest() {
  return [cache = DigestCache(inside_cache("digests"), ReadingAloud())](const fs::path& file) { return cache.of(file); };
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
