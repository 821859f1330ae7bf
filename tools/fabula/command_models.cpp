// `fabula models`: the installed model bundle, or a published checkpoint.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/bundle.h"
#include "library/options.h"
#include "planner/text/text.h"
#include "tools/fabula/bundle_location.h"
#include "tools/fabula/checkpoint.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/exit_codes.h"
#include "tools/fabula/h3_film.h"
#include "tools/fabula/megabytes.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

struct ModelsOptions {
  std::string model;
  std::string checkpoint;  // a folder to describe instead
  bool json = false;
};

std::uintmax_t bytes_below(const fs::path& folder) {
  std::uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

struct Part {
  const char *folder, *weights;
};
constexpr Part parts[] = {{"planner", "model"},
                          {"transformer", "diffusion_pytorch_model"},
                          {"vae", "diffusion_pytorch_model"},
                          {"audio_vae", "diffusion_pytorch_model"}};

// What a bundle lacks before it can make a film, as paths below its folder.
std::vector<std::string> missing_from(const fs::path& bundle) {
  std::vector<std::string> missing;
  const auto need = [&](const fs::path& file) {
    if (!fs::is_regular_file(bundle / file)) missing.push_back(file.string());
  };
  need("world.json");
  need("planner/tokenizer.json");
  for (const Part& part : parts) {
    const fs::path weights = fs::path(part.folder) / (part.weights + std::string(".safetensors"));
    need(fs::path(part.folder) / "config.json");
    if (!fs::is_regular_file(bundle / (weights.string() + ".index.json"))) need(weights);
  }
  return missing;
}

// Of a folder that may be absent.
std::uintmax_t bytes_of_part(const fs::path& folder) { return fs::is_directory(folder) ? bytes_below(folder) : 0; }

void print_json(const Bundle& bundle, const std::vector<std::string>& missing) {
  nlohmann::ordered_json out = {{"name", bundle.name},        {"version", bundle.version},        {"family", bundle.family},
                                {"license", bundle.license},  {"folder", bundle.folder.string()}, {"bytes", bytes_below(bundle.folder)},
                                {"complete", missing.empty()}};
  if (!missing.empty()) out["missing"] = missing;
  for (const Part& part : parts) out["parts"][part.folder] = bytes_of_part(bundle.folder / part.folder);
  std::printf("%s\n", out.dump(2).c_str());
}

void print_text(const Bundle& bundle, const std::vector<std::string>& missing) {
  std::printf("%s %s  (%s)\n", bundle.name.c_str(), bundle.version.c_str(), bundle.folder.string().c_str());
  if (!missing.empty()) std::printf("  incomplete: it lacks %s\n", joined(missing).c_str());
  std::printf("  licence  %s\n", bundle.license.c_str());
  std::printf("  family   %s\n", bundle.family.c_str());
  std::printf("  picture  %d x %d (%s), %d frames per second (delivered at 24)\n", bundle.width, bundle.height,
              aspect_of(bundle.width, bundle.height).c_str(), bundle.fps);
  std::printf("  sound    %d Hz, %d channel%s (delivered at 48000 Hz stereo)\n", bundle.sample_rate, bundle.audio_channels,
              bundle.audio_channels == 1 ? "" : "s");
  for (const Part& part : parts) std::printf("  %-12s %6.1f MB\n", part.folder, megabytes(bytes_of_part(bundle.folder / part.folder)));
  std::printf("  %-12s %6.1f MB\n", "in all", megabytes(bytes_below(bundle.folder)));
  std::printf("`fabula world` lists what it can film.\n");
}

void run(const ModelsOptions& options) {
  if (!options.checkpoint.empty()) return describe_checkpoint(options.checkpoint, options.json);
  if (is_published_folder(options.model)) return describe_published(options.model, options.json);
  const Bundle bundle = Bundle::open(locate_bundle(options.model));
  const std::vector<std::string> missing = missing_from(bundle.folder);
  (options.json ? print_json : print_text)(bundle, missing);
  if (!missing.empty())
    throw Error(ExitCode::unavailable, "the bundle " + bundle.folder.string() + " is incomplete: it lacks " + joined(missing));
}

}  // namespace

void add_models_command(CLI::App& app) {
  CLI::App* models = app.add_subcommand("models", "Show the installed model: parts, sizes, licence");
  models->footer(
      footer("  fabula models\n"
             "  fabula models H3                   (a published folder: what it lacks, the memory of each phase)\n"
             "  fabula models --lm Qwen3-8B        (a published checkpoint, before it is loaded)",
             {0, 2, 65, 66, 69, 74}));
  const auto options = std::make_shared<ModelsOptions>();
  add_model_folder(*models, options->model);
  models->add_option("folder", options->model, "The same")->type_name("DIR");
  models
      ->add_option("--lm", options->checkpoint,
                   "Folder or GGUF file of a published language model: print what it is and how much memory it needs, without loading it")
      ->type_name("DIR|FILE");
  models->add_flag("--json", options->json, "Print as JSON");
  models->callback([options] { run(*options); });
}

}  // namespace fabula::cli
