// The options of a film: how the command line, the jobs of a batch, receipts and the C API spell them.
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "engine/sample/samplers.h"
#include "library/film_options.h"

namespace fabula {

void add_making_options(CLI::App& command, FilmOptions& options) {
  add_seed_option(command, "--seed", "seed", "Another seed gives another film, the same seed the same bytes (default: the plan's, or 0)",
                  options.planning.caller, [&options](std::uint64_t seed) { options.seed = seed; });
  command.add_option("--steps", options.steps, "Steps of the sampler per shot (default: the model's own number)")
      ->check(CLI::Range(1, 1000));
  command.add_option("--sampler", options.sampler, "How latents go from noise to clean: " + sampler_names())
      ->check([](const std::string& name) {
        try {
          (void)sampler_named(name);
          return std::string();
        } catch (const Error& error) {
          return std::string(error.what());
        }
      })
      ->capture_default_str();
  command
      .add_option("--crf", options.crf,
                  "Constant rate factor of h264, hevc and av1: higher is smaller, x264's 0 is lossless (default: 18, 18, 24)")
      ->check(CLI::Range(0, 51));
  command.add_option("--scale", options.scale, "Size of the film as a multiple of the model's canvas (default: at least 480 lines)")
      ->check(CLI::Range(1, 16));
  add_format_options(command, options.format);
  command.get_option("--size")->excludes("--scale");
  command.add_flag("--no-gate", options.no_gate,
                   "Take every shot as it comes. Otherwise one that is black, does not move though the plan does, is silent or clipped "
                   "though it should sound, or has not the colours of its place is made again, twice at most");
  add_store_options(command, options.store);
  add_planning_options(command, options.planning);
}

void add_film_options(CLI::App& command, FilmOptions& options) {
  add_making_options(command, options);
  add_receipt_options(command, options.receipt);
  add_delivery_options(command, options.delivery);
}

}  // namespace fabula
