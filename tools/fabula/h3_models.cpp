// `fabula models` for a published folder: parts, what is missing, memory of each phase.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/weights/weights.h"
#include "planner/h3/encoder.h"
#include "tools/fabula/h3_film.h"
#include "video/h3/folder.h"
#include "video/h3/request.h"

namespace fabula::cli {

namespace {

constexpr double mega = 1e6;

// A phase's weights are in memory together, those of other phases are not.
struct Phase {
  std::string name;
  std::size_t fp32 = 0, bf16 = 0;
};

std::size_t weights_of(const std::filesystem::path& part, Precision precision) {
  const Weights weights = Weights::measure(part, precision);
  const auto parameters = static_cast<std::size_t>(weights.stored_parameters());
  return precision == Precision::fp32 ? parameters * sizeof(float) : weights.stored_bytes();
}

Phase phase_of(const char* name, const std::filesystem::path& part) {
  return {name, weights_of(part, Precision::fp32), weights_of(part, Precision::bf16)};
}

std::vector<Phase> phases_of(const h3::H3Folder& folder) {
  const auto encoder = [&](Precision precision) { return h3::encoder_memory(folder.text_encoder, precision); };
  const h3::EncoderMemory fp32 = encoder(Precision::fp32), bf16 = encoder(Precision::bf16);
  std::vector<Phase> phases = {{"text encoder", fp32.layers, bf16.layers},
                               {"with pictures", fp32.layers + fp32.vision, bf16.layers + bf16.vision}};
  if (h3::H3Folder::has_weights(folder.transformer)) phases.push_back(phase_of("transformer", folder.transformer));
  if (h3::H3Folder::has_weights(folder.transformer_ref)) phases.push_back(phase_of("with references", folder.transformer_ref));
  Phase decoders = phase_of("decoders", folder.vae);
  const Phase sound = phase_of("", folder.audio_vae);
  decoders.fp32 += sound.fp32;
  decoders.bf16 += sound.bf16;
  phases.push_back(decoders);
  return phases;
}

std::string lengths_text(const std::vector<int>& lengths) {
  if (lengths.empty()) return "none";
  return std::to_string(lengths.front()) + " to " + std::to_string(lengths.back()) + " frames";
}

}  // namespace

void describe_published(const std::string& given, bool json) {
  const h3::H3Folder folder = h3::H3Folder::open(given);
  const std::vector<std::string> missing = folder.missing();
  const std::vector<Phase> phases = missing.empty() ? phases_of(folder) : std::vector<Phase>();
  nlohmann::ordered_json out = {{"name", "MiniMax-H3"}, {"version", folder.made_with}, {"folder", given}, {"complete", missing.empty()}};
  if (!missing.empty()) out["missing"] = missing;
  for (const Phase& phase : phases) out["memory"][phase.name] = {{"fp32", phase.fp32}, {"bf16", phase.bf16}};
  if (json) {
    std::printf("%s\n", out.dump(2).c_str());
  } else {
    std::printf("MiniMax-H3, made with diffusers %s  (%s)\n", folder.made_with.c_str(), given.c_str());
    if (missing.empty()) {
      const h3::RequestRules rules = h3::rules_of(folder);
      const h3::Canvas canvas = h3::resolve(rules, {.has_aspect = true}, {}).canvas;
      std::printf("  picture  %lld x %lld at 16:9, sides in multiples of %lld, %d frames per second, %s\n",
                  static_cast<long long>(canvas.width), static_cast<long long>(canvas.height), static_cast<long long>(rules.multiple),
                  h3::folder_fps, lengths_text(h3::lengths_of(rules)).c_str());
      std::printf("  sound    %d Hz, %d channels (delivered at 48000 Hz stereo)\n", rules.sample_rate, h3::folder_audio_channels);
      std::printf("  weights in memory, phase by phase (MB)      fp32      bf16\n");
      for (const Phase& phase : phases)
        std::printf("    %-36s %9.1f %9.1f\n", phase.name.c_str(), static_cast<double>(phase.fp32) / mega,
                    static_cast<double>(phase.bf16) / mega);
    }
  }
  if (missing.empty()) return;
  std::string list;
  for (const std::string& file : missing) list += (list.empty() ? "" : ", ") + file;
  throw Error(ExitCode::unavailable, "the folder " + given + " is incomplete: it lacks " + list);
}

}  // namespace fabula::cli
