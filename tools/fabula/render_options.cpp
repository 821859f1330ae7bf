// How the command line spells the options of a film, and how a receipt gives them back.
#include "tools/fabula/render_options.h"

#include <CLI/CLI.hpp>

#include "base/error.h"
#include "tools/fabula/sign.h"
#include "tools/fabula/store_location.h"
#include "tools/fabula/terminal.h"

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

namespace {

void add_terminal_options(CLI::App& command, RenderOptions& options) {
  command.add_flag("-q,--quiet", options.quiet, "No progress, no report");
  command.add_flag("--json", options.json, "Print the result as JSON");
  add_progress_option(command, options.progress);
  at_the_terminal(options.planning);
  options.receipt.sign = sign_film;
  options.receipt.digest = remembered_digest();
}

}  // namespace

void add_making_options(CLI::App& command, RenderOptions& options) {
  fabula::add_making_options(command, static_cast<FilmOptions&>(options));
  add_terminal_options(command, options);
}

void add_film_options(CLI::App& command, RenderOptions& options) {
  fabula::add_film_options(command, static_cast<FilmOptions&>(options));
  add_terminal_options(command, options);
  add_clip_options(command, options.clip);
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
  RenderOptions options = given;  // where things are, and what is written beside the film
  options.planning = {};
  options.clip = {};
  CLI::App recorded;
  add_film_options(recorded, options);
  try {
    recorded.parse(std::vector<std::string>(receipt.options.rbegin(), receipt.options.rend()));  // the order that CLI11 takes them in
  } catch (const CLI::ParseError& error) {
    throw Error(ExitCode::bad_data, given.from_receipt + " has an option that this version does not know: " + error.what());
  }
  keep_reference_order(recorded, options.clip);
  options.receipt.recorded = receipt.options;
  options.receipt.loras = lora_files(options.clip);
  options.receipt.again = receipt;
  options.seed = receipt.seed;
  options.planning.model.model = given.planning.model.model;
  options.planning.model.threads = given.planning.model.threads;
  options.planning.model.precision = receipt.precision;  // the device is among the recorded options
  options.planning.cast.none = true;                     // the plan is as it was filmed
  options.clip.memory = given.clip.memory;
  return options;
}

}  // namespace fabula::cli
