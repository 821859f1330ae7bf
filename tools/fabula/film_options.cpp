// The options of a film: how the command line spells them, and how a receipt gives them back.
#include <CLI/CLI.hpp>

#include "base/error.h"
#include "engine/sample/samplers.h"
#include "tools/fabula/render.h"

namespace fabula::cli {

void add_output_options(CLI::App& command, RenderOptions& options) {
  command
      .add_option("-o,--output", options.output,
                  "The film, a file in " + container_extensions() +
                      "; pictures need a number in their name, as in film.####.exr (default: named after its title, in this folder, with a "
                      "number if that name is taken)")
      ->type_name("FILE");
  add_overwrite_options(command, options.overwriting);
}

void add_making_options(CLI::App& command, RenderOptions& options) {
  add_seed_option(command, "--seed", "seed", "Another seed gives another film, the same seed the same bytes (default: the plan's, or 0)",
                  [&options](std::uint64_t seed) { options.seed = seed; });
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
                  "Constant rate factor of h264, hevc and av1: higher is smaller, x264's 0 is lossless (default: 16, 18, 24)")
      ->check(CLI::Range(0, 51));
  command.add_option("--scale", options.scale, "Size of the film as a multiple of the model's canvas (default: at least 480 lines)")
      ->check(CLI::Range(1, 16));
  add_format_options(command, options.format);
  command.get_option("--size")->excludes("--scale");
  command.add_flag("--no-gate", options.no_gate,
                   "Take every shot as it comes. Otherwise one that is black, does not move though the plan does, is silent or clipped "
                   "though it should sound, or has not the colours of its place is made again, twice at most");
  command.add_flag("-q,--quiet", options.quiet, "No progress, no report");
  command.add_flag("--json", options.json, "Print the result as JSON");
  add_progress_option(command, options.progress);
  add_store_options(command, options.store);
  add_planning_options(command, options.planning);
  add_device_option(command, options.planning.model);
}

void add_film_options(CLI::App& command, RenderOptions& options) {
  add_making_options(command, options);
  add_receipt_options(command, options.receipt);
  add_delivery_options(command, options.delivery);
  command.add_flag("--preview", options.preview,
                   "Write a contact sheet beside the film, FILE.preview.jpg, as shots are made (SIGUSR1 asks for one at any time)");
}

CLI::Option* add_save_plan_option(CLI::App& command, RenderOptions& options) {
  return command.add_option("--save-plan", options.save_plan, "Also write the plan")->type_name("FILE.json");
}

RenderOptions options_of_receipt(const RenderOptions& given) {
  if (!given.source.empty()) throw Error(ExitCode::usage, "--from-receipt makes the receipt's film again and takes no prompt or plan");
  if (!given.receipt.recorded.empty() || given.seed || given.planning.model.precision != "auto")
    throw Error(ExitCode::usage, "--from-receipt takes the film's options from the receipt; leave out " +
                                     (!given.receipt.recorded.empty() ? given.receipt.recorded.front()
                                      : given.seed                    ? "--seed"
                                                                      : "--precision"));
  const Receipt receipt = read_receipt(given.from_receipt);
  RenderOptions options;
  CLI::App recorded;
  add_film_options(recorded, options);
  add_clip_options(recorded, options.clip);
  try {
    recorded.parse(std::vector<std::string>(receipt.options.rbegin(), receipt.options.rend()));  // the order that CLI11 takes them in
  } catch (const CLI::ParseError& error) {
    throw Error(ExitCode::bad_data, given.from_receipt + " has an option that this version does not know: " + error.what());
  }
  keep_reference_order(recorded, options.clip);
  options.receipt.recorded = receipt.options;
  options.seed = receipt.seed;
  options.planning.model = {given.planning.model.model, receipt.precision, given.planning.model.threads};
  options.planning.cast.none = true;  // the plan is as it was filmed
  options.from_receipt = given.from_receipt;
  options.receipt.again = receipt;
  options.output = given.output;
  options.save_plan = given.save_plan;
  options.overwriting = given.overwriting;
  options.frames_out = given.frames_out;
  options.quiet = given.quiet;
  options.json = given.json;
  options.store = given.store;
  options.receipt.none = given.receipt.none;
  return options;
}

}  // namespace fabula::cli
