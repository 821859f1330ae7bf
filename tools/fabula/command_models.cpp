#include <cstdio>
#include <nlohmann/json.hpp>

#include "engine/bundle.h"
#include "tools/fabula/commands.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

std::uintmax_t bytes_below(const fs::path& folder) {
  std::uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

}  // namespace

void run_models(const ModelsOptions& options) {
  if (!options.lm.empty()) return describe_checkpoint(options.lm, options.json);
  const Bundle bundle = Bundle::open(locate_bundle(options.model));
  const char* parts[] = {"planner", "transformer", "vae", "audio_vae"};
  if (options.json) {
    nlohmann::ordered_json out = {{"name", bundle.name},       {"version", bundle.version},        {"family", bundle.family},
                                  {"license", bundle.license}, {"folder", bundle.folder.string()}, {"bytes", bytes_below(bundle.folder)}};
    for (const char* part : parts) out["parts"][part] = bytes_below(bundle.folder / part);
    std::printf("%s\n", out.dump(2).c_str());
    return;
  }
  constexpr double mega = 1e6;
  std::printf("%s %s  (%s)\n", bundle.name.c_str(), bundle.version.c_str(), bundle.folder.string().c_str());
  std::printf("  licence  %s\n", bundle.license.c_str());
  std::printf("  family   %s\n", bundle.family.c_str());
  std::printf("  picture  %d x %d, %d frames a second (delivered at 24)\n", bundle.width, bundle.height, bundle.fps);
  std::printf("  sound    %d Hz, %d channel%s (delivered at 48000 Hz stereo)\n", bundle.sample_rate, bundle.audio_channels,
              bundle.audio_channels == 1 ? "" : "s");
  for (const char* part : parts) std::printf("  %-12s %6.1f MB\n", part, static_cast<double>(bytes_below(bundle.folder / part)) / mega);
  std::printf("  %-12s %6.1f MB\n", "in all", static_cast<double>(bytes_below(bundle.folder)) / mega);
}

}  // namespace fabula::cli
