// Describes a published checkpoint, and lets one write a plan.
#include "tools/fabula/checkpoint.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "audio/phonemes.h"
#include "base/error.h"
#include "engine/bundle.h"
#include "engine/world.h"
#include "library/device_choice.h"
#include "library/planning.h"
#include "planner/compose/published.h"
#include "tools/fabula/bundle_location.h"
#include "tools/fabula/megabytes.h"
#include "tools/fabula/stop.h"
#include "video/io/images.h"

namespace fabula::cli {

namespace {

const char* words_of(Thinking thinking) {
  constexpr std::array<const char*, 3> names = {"none", "on request (left empty)", "always (left empty)"};
  return names[static_cast<std::size_t>(thinking)];
}

nlohmann::ordered_json described(const Checkpoint& checkpoint) {
  const Qwen3Config& config = checkpoint.config;
  nlohmann::ordered_json out = {{"folder", checkpoint.path.string()},
                                {"architecture", checkpoint.model_type},
                                {"parameters", checkpoint.parameters},
                                {"layers", config.layers},
                                {"hidden", config.hidden},
                                {"heads", config.heads},
                                {"kv_heads", config.kv_heads},
                                {"head_dim", config.head_dim},
                                {"vocabulary", config.vocabulary},
                                {"tokens", checkpoint.tokens},
                                {"context", config.context},
                                {"stored_bytes", checkpoint.stored_bytes},
                                {"images", checkpoint.sees}};
  if (config.experts.count > 0) out["experts"] = {{"count", config.experts.count}, {"per_token", config.experts.per_token}};
  out["chat_template"] = checkpoint.chat.source;
  out["thinking"] = words_of(checkpoint.chat.thinking);
  out["stop_tokens"] = checkpoint.stops;
  for (const CheckpointMemory& memory : checkpoint.memory) {
    out["memory"][name_of(memory.precision)] = {{"weights", memory.decoder}, {"vision", memory.vision}};
  }
  out["memory"]["kv_per_1000_tokens"] = 1000 * checkpoint.kv_per_token;
  out["memory"]["activations"] = checkpoint.activations;
  out["precision"] = name_of(checkpoint.natural_precision());
  return out;
}

}  // namespace

void describe_checkpoint(const std::string& folder, bool json) {
  const Checkpoint checkpoint = Checkpoint::open(folder);
  if (json) {
    std::printf("%s\n", described(checkpoint).dump(2).c_str());
    return;
  }
  const Qwen3Config& config = checkpoint.config;
  std::printf("%s  (%s)\n", checkpoint.model_type.c_str(), folder.c_str());
  std::printf("  parameters  %.1f million, stored in %.1f MB\n", static_cast<double>(checkpoint.parameters) / 1e6,
              megabytes(checkpoint.stored_bytes));
  std::printf("  decoder     %lld layers of width %lld, %lld heads and %lld for keys and values, each of width %lld\n",
              static_cast<long long>(config.layers), static_cast<long long>(config.hidden), static_cast<long long>(config.heads),
              static_cast<long long>(config.kv_heads), static_cast<long long>(config.head_dim));
  if (config.experts.count > 0)
    std::printf("  experts     %lld, of which each token uses %lld\n", static_cast<long long>(config.experts.count),
                static_cast<long long>(config.experts.per_token));
  std::printf("  images      %s\n", checkpoint.sees ? "yes" : "no");
  std::printf("  vocabulary  %lld tokens, %d of them in the tokenizer\n", static_cast<long long>(config.vocabulary), checkpoint.tokens);
  if (config.context > 0) std::printf("  context     %lld tokens\n", static_cast<long long>(config.context));
  std::printf("  template    %s; thinking: %s\n",
              checkpoint.chat.source.empty() ? "none; assumed from the vocabulary" : checkpoint.chat.source.c_str(),
              words_of(checkpoint.chat.thinking));
  std::printf("  stops at    ");
  for (std::size_t i = 0; i < checkpoint.stops.size(); ++i) std::printf("%s%d", i == 0 ? "" : ", ", checkpoint.stops[i]);
  std::printf("\n  memory      keys and values %.1f MB per 1000 tokens, activations %.1f MB, weights:\n",
              megabytes(1000 * checkpoint.kv_per_token), megabytes(checkpoint.activations));
  for (const CheckpointMemory& memory : checkpoint.memory) {
    std::printf("    %s    %10.1f MB", name_of(memory.precision), megabytes(memory.decoder));
    if (memory.vision > 0) std::printf(", with an image %.1f MB", megabytes(memory.decoder + memory.vision));
    std::printf("%s\n", memory.precision == checkpoint.natural_precision() ? "  (auto)" : "");
  }
}

plan::Film plan_by_checkpoint(const Source& source, const PlanningOptions& how, const CheckpointOptions& options) {
  if (source.is_plan) throw Error(ExitCode::usage, "--lm writes a plan for a prompt; this is a plan already");
  const Checkpoint checkpoint = Checkpoint::open(options.folder);
  Image image;
  if (!options.image.empty()) image = read_image(options.image);
  const Picture picture{image.width, image.height, image.rgb};
  World world;
  if (!options.any_film) world = World::open(Bundle::open(locate_bundle(how.model.model)).folder / "world.json");
  const Precision precision = precision_of(options.precision, checkpoint.natural_precision());
  if (checkpoint.chat.source.empty())
    std::fprintf(stderr, "fabula: %s has no chat template; turns of %s are assumed\n", options.folder.c_str(),
                 checkpoint.chat.turns == Turns::llama3 ? "<|start_header_id|>" : "<|im_start|>");
  const PublishedOptions published{precision,    machine_of(how.model), [](int) { return !stop_requested(); },
                                   how.sampling, how.leniency,          options.any_film ? 0 : shots_of(how.duration_s, world)};
  const Picture* seen = options.image.empty() ? nullptr : &picture;
  if (options.any_film) return plan_any_film(checkpoint, source.prompt, seen, published);
  PlannedFilm planned = plan_film(checkpoint, world, source.prompt, seen, phones_of, published);
  // A person who names a model hears how much of the plan is its own.
  PlanningOptions aloud = how;
  aloud.verbose = true;
  report_planning(planned.film, planned.origin, aloud);
  return std::move(planned.film);
}

}  // namespace fabula::cli
