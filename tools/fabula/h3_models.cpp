// `fabula models` for a published folder: parts, what is missing, memory of each phase.
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "base/error.h"
#include "engine/machine.h"
#include "engine/weights/layers.h"
#include "planner/h3/encoder.h"
#include "tools/fabula/h3_film.h"
#include "tools/fabula/megabytes.h"
#include "video/h3/dit.h"
#include "video/h3/folder.h"
#include "video/h3/request.h"
#include "video/h3/vae.h"

namespace fabula::cli {

namespace {

// A phase's weights are in memory together, those of other phases are not.
struct Phase {
  std::string name;
  PhaseNeeds fp32, bf16, int8;
};

template <typename Needs>
Phase phase_of(const char* name, const Needs& needs) {
  return {name, needs(Precision::fp32), needs(Precision::bf16), needs(Precision::int8)};
}

Phase encoder_phase(const char* name, const h3::H3Folder& folder, bool sees) {
  return phase_of(name,
                  [&](Precision precision) { return h3::encoder_needs(folder.text_encoder, sees, precision, reference_machine(), {}); });
}

Phase transformer_phase(const char* name, const std::filesystem::path& part) {
  return phase_of(name, [&](Precision precision) {
    const auto bytes = [&](Residence residence) {
      return h3::Dit::take(h3::DitConfig::load(part), Weights::measure(part, precision), residence).bytes();
    };
    return PhaseNeeds{bytes(Residence::resident), bytes(Residence::streamed), 0};
  });
}

// The decoders stay whole; --weights leaves them as they are.
Phase decoder_phase(const h3::H3Folder& folder) {
  return phase_of("decoders", [&](Precision precision) {
    const auto parameters = Weights::measure(folder.audio_vae, Precision::fp32).stored_parameters();
    const std::size_t sound = static_cast<std::size_t>(parameters) * sizeof(float);
    const std::size_t bytes =
        h3::VideoVae::measure(folder.vae, precision == Precision::int8 ? Precision::fp32 : precision).weights.bytes() + sound;
    return PhaseNeeds{bytes, bytes, 0};
  });
}

std::vector<Phase> phases_of(const h3::H3Folder& folder) {
  std::vector<Phase> phases = {encoder_phase("text encoder", folder, false), encoder_phase("with pictures", folder, true)};
  if (h3::H3Folder::has_weights(folder.transformer)) phases.push_back(transformer_phase("transformer", folder.transformer));
  if (h3::H3Folder::has_weights(folder.transformer_ref)) phases.push_back(transformer_phase("with references", folder.transformer_ref));
  phases.push_back(decoder_phase(folder));
  return phases;
}

void print_phases(const std::vector<Phase>& phases) {
  std::printf("  weights in memory, phase by phase (MB)    fp32   streamed       bf16   streamed       int8   streamed\n");
  for (const Phase& phase : phases) {
    std::printf("    %-36s", phase.name.c_str());
    for (const PhaseNeeds* needs : {&phase.fp32, &phase.bf16, &phase.int8})
      std::printf(" %10.1f %10.1f", megabytes(needs->resident), megabytes(needs->streamed));
    std::printf("\n");
  }
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
  for (const Phase& phase : phases) {
    out["memory"][phase.name] = {{"fp32", phase.fp32.resident}, {"fp32_streamed", phase.fp32.streamed},
                                 {"bf16", phase.bf16.resident}, {"bf16_streamed", phase.bf16.streamed},
                                 {"int8", phase.int8.resident}, {"int8_streamed", phase.int8.streamed}};
  }
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
      print_phases(phases);
    }
  }
  if (missing.empty()) return;
  std::string list;
  for (const std::string& file : missing) list += (list.empty() ? "" : ", ") + file;
  throw Error(ExitCode::unavailable, "the folder " + given + " is incomplete: it lacks " + list);
}

}  // namespace fabula::cli
