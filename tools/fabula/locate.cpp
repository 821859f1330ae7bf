#include <unistd.h>

#include <thread>

#include "base/error.h"
#include "tools/fabula/commands.h"

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
  throw Error(ExitCode::unavailable, "no model bundle was found beside " + program.string() + "; name one with --model DIR");
}

Precision precision_of(const std::string& name) {
  if (name == "fp32") return Precision::fp32;
  if (name == "bf16") return Precision::bf16;
  return cpu_has_bf16() ? Precision::bf16 : Precision::fp32;
}

int thread_count(int given) {
  if (given > 0) return given;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

}  // namespace fabula::cli
