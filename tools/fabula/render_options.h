// The options of the commands that make films: those of a film, and those of a terminal.
#pragma once

#include <string>

#include "library/film_options.h"
#include "tools/fabula/h3_options.h"
#include "tools/fabula/progress.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace fabula::cli {

struct RenderOptions : FilmOptions {
  std::string source;     ///< what read_source takes
  std::string save_plan;  ///< empty: the plan is not kept
  bool quiet = false, json = false;
  bool preview = false;  ///< a contact sheet beside the film, anew with every shot
  std::string posters;   ///< a folder for a small picture of each shot, as it is made; empty: none
  bool dry_run = false;  ///< nothing is made or written: see print_dry_run
  ProgressOptions progress;
  std::string shots;         ///< ids and ranges of ids: only these are made, into the store; empty: a film is made
  std::string from_receipt;  ///< a receipt whose film is made again; empty: none
  ClipChoice clip;           ///< for a published folder
};
/// -o/--output, and what becomes of a file that is there.
void add_output_options(CLI::App&, RenderOptions&);
/// Those of a film's shots, and --quiet, --json and --progress. The options are a terminal's from here on.
void add_making_options(CLI::App&, RenderOptions&);
/// Those of a film, and --preview besides.
void add_film_options(CLI::App&, RenderOptions&);
/// --save-plan
CLI::Option* add_save_plan_option(CLI::App&, RenderOptions&);
/// The options that the film of `given.from_receipt` was made with, and those of `given` that say where things are. Throws Error(usage) if
/// `given` has options that the receipt settles, and as read_receipt does.
[[nodiscard]] RenderOptions options_of_receipt(const RenderOptions& given);

}  // namespace fabula::cli
