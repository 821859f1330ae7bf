// Reads modular_model_index.json and looks what is there.
#include "video/h3/folder.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/file.h"
#include "base/json_fields.h"

namespace fabula::h3 {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr const char* index_file = "modular_model_index.json";
constexpr const char* weight_files[] = {"model.safetensors", "diffusion_pytorch_model.safetensors"};

struct Component {
  const char* name;
  const char* kind;  // the class that this engine knows; null: any
  fs::path H3Folder::*folder;
};
constexpr Component components[] = {
    {"text_encoder", "Qwen3VLForConditionalGeneration", &H3Folder::text_encoder},
    {"tokenizer", nullptr, &H3Folder::tokenizer},
    {"processor", nullptr, &H3Folder::processor},
    {"transformer", "MiniMaxH3Transformer3DModel", &H3Folder::transformer},
    {"transformer_ref", "MiniMaxH3Transformer3DModel", &H3Folder::transformer_ref},
    {"vae", "AutoencoderKLMiniMaxH3", &H3Folder::vae},
    {"audio_vae", "AutoencoderKLMiniMaxH3Audio", &H3Folder::audio_vae},
    {"scheduler", "MiniMaxH3Scheduler", &H3Folder::scheduler},
    {"audio_scheduler", "MiniMaxH3Scheduler", &H3Folder::audio_scheduler},
};

// An entry is [library, class, {"subfolder": …}]; the Hub's name in it says nothing of where a copy is.
fs::path folder_of(const json& index, const Component& component, const std::string& file) {
  const auto refuse = [&](const std::string& what) { throw Error(ExitCode::bad_data, file + ": \"" + component.name + "\" " + what); };
  const auto found = index.find(component.name);
  if (found == index.end() || found->is_null()) return component.name;
  if (!found->is_array() || found->size() < 2) refuse("is not a list of library and class");
  const json& kind = (*found)[1];
  if (component.kind != nullptr && kind.is_string() && kind != component.kind)
    refuse("is a " + kind.get<std::string>() + ", expected a " + component.kind);
  if (found->size() < 3 || !(*found)[2].is_object()) return component.name;
  const json subfolder = (*found)[2].value("subfolder", json());
  if (!subfolder.is_string() || subfolder.get_ref<const std::string&>().empty()) return component.name;
  const fs::path relative = fs::path(subfolder.get<std::string>()).lexically_normal();
  if (relative.is_absolute() || *relative.begin() == "..") refuse("is in " + relative.string() + ", which is outside the folder");
  return relative;
}

}  // namespace

bool H3Folder::is_at(const fs::path& folder) {
  std::error_code ignored;
  return fs::is_regular_file(folder / index_file, ignored);
}

H3Folder H3Folder::open(const fs::path& folder) {
  const fs::path file = folder / index_file;
  if (!is_at(folder)) throw Error(ExitCode::unavailable, "there is no model at " + folder.string() + " (it has no " + index_file + ")");
  const JsonFields fields = JsonFields::open(file);
  (void)fields.choice("_class_name", {"MiniMaxH3ModularPipeline"});
  const json index = json::parse(read_file(file, std::size_t{16} << 20U));
  H3Folder found;
  found.root = folder;
  for (const Component& component : components) found.*component.folder = folder / folder_of(index, component, file.string());
  if (fields.has("_diffusers_version")) found.made_with = fields.text("_diffusers_version");
  const auto read = [&](const char* key, double& value, double most) {
    if (fields.has(key)) value = fields.real(key, 1.0, most);
  };
  read("canvas_short_edge", found.canvas_short_edge, 65536.0);
  read("canvas_max_pixels", found.canvas_max_pixels, 1e9);
  read("reference_image_short_edge", found.reference_image_short_edge, 65536.0);
  return found;
}

const std::vector<H3Folder::Part>& H3Folder::parts() {
  static const std::vector<Part> all = {
      {"text_encoder", &H3Folder::text_encoder, {"config.json"}, true},
      {"tokenizer", &H3Folder::tokenizer, {"tokenizer.json", "tokenizer_config.json"}, false},
      {"processor", &H3Folder::processor, {}, false},
      {"transformer", &H3Folder::transformer, {"config.json"}, true},
      {"transformer_ref", &H3Folder::transformer_ref, {"config.json"}, true},
      {"vae", &H3Folder::vae, {"config.json"}, true},
      {"audio_vae", &H3Folder::audio_vae, {"config.json"}, true},
      {"scheduler", &H3Folder::scheduler, {"scheduler_config.json"}, false},
      {"audio_scheduler", &H3Folder::audio_scheduler, {"scheduler_config.json"}, false},
  };
  return all;
}

bool H3Folder::has_weights(const fs::path& part) {
  for (const char* name : weight_files) {
    const fs::path whole = part / name, listed = part / (std::string(name) + ".index.json");
    if (fs::is_regular_file(whole)) return true;
    if (!fs::is_regular_file(listed)) continue;
    const auto shards = JsonFields::open(listed).texts("weight_map");
    if (!shards.empty() &&
        std::all_of(shards.begin(), shards.end(), [&](const auto& entry) { return fs::is_regular_file(part / entry.second); }))
      return true;
  }
  return false;
}

std::vector<std::string> H3Folder::missing() const {
  std::vector<std::string> lacking;
  const bool one_transformer = has_weights(transformer) || has_weights(transformer_ref);
  for (const Part& part : parts()) {
    const fs::path& at = this->*part.folder;
    if (one_transformer && (&at == &transformer || &at == &transformer_ref) && !fs::is_directory(at)) continue;
    const fs::path name = at.lexically_relative(root);
    for (const char* file : part.files) {
      if (!fs::is_regular_file(at / file)) lacking.push_back((name / file).string());
    }
    if (part.has_weights && !has_weights(at)) lacking.push_back((name / "*.safetensors").string());
  }
  if (!fs::is_regular_file(processor / "processor_config.json")) {
    for (const char* file : {"preprocessor_config.json", "video_preprocessor_config.json"}) {
      if (!fs::is_regular_file(processor / file)) lacking.push_back((processor.lexically_relative(root) / file).string());
    }
  }
  return lacking;
}

}  // namespace fabula::h3
