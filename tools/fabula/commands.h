// The subcommands of `fabula`: options as plain data, one function each.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "engine/context.h"
#include "engine/plan.h"
#include "engine/planner.h"

namespace CLI {
class App;
}

namespace fabula::cli {

/// What every command that runs a model takes.
struct ModelOptions {
  std::string model;              ///< folder of a bundle; empty: the one shipped with Fabula
  std::string precision = "auto";
  int threads = 0;                ///< 0: as many as the processor has
};

/// Where the characters are from whom plans and prompts name.
struct CastChoice {
  std::string file;               ///< empty: the user's own
  bool none = false;              ///< plans are taken as they are
};

struct PlanOptions {
  ModelOptions model;
  std::string source;             ///< as of RenderOptions
  std::string output;             ///< empty: standard output
  std::string check;              ///< instead of a prompt: a plan to look at, or "-"
  bool schema = false;            ///< instead of a prompt: print the JSON Schema
  bool json = false;              ///< of the check
  bool oracle = false;            ///< plan by rules alone
  CastChoice cast;
};

struct ReplanOptions {
  std::string model;
  std::string plan;               ///< a file, or "-"
  std::string wish;               ///< "make it night"
  std::string shot, from;         ///< one of them: the shot that it is about, or the first of all that it is about
  std::string output;             ///< empty: standard output
  bool overwrite = false;         ///< an output that is there
};

struct RenderOptions {
  ModelOptions model;
  std::string source;             ///< what read_source takes
  std::string output;             ///< empty: named after the film's title
  std::string save_plan;
  CastChoice cast;
  std::optional<std::uint64_t> seed;  ///< the plan's, or 0
  int steps = 0;                  ///< 0: what the bundle says
  int scale = 0;                  ///< film size over the model's canvas; 0: the smallest that is at least 480 lines high
  bool quiet = false;
  bool json = false;
};

struct ModelsOptions {
  std::string model;
  bool json = false;
};

void run_plan(const PlanOptions&);
void run_replan(const ReplanOptions&);
void run_render(const RenderOptions&);
void run_models(const ModelsOptions&);
/// `fabula cast …` registers its own options and runs while the command line is parsed.
void add_cast_command(CLI::App& app);

/// What is to be filmed: a prompt, or a plan with its own prompt inside.
struct Source {
  std::string prompt;
  bool is_plan = false;
  plan::Film film;
};

/// `given` is a prompt, a plan (FILE.json), a screenplay (FILE.fountain), or "-" for a prompt or a plan on standard input. What of a screenplay a
/// prompt cannot say is told on standard error. Throws Error: input_missing, bad_data.
[[nodiscard]] Source read_source(const std::string& given);

/// The plan and the states of a source, by the planner of a bundle. How the plan came about, what the model cannot show and who of the cast plays is told on
/// standard error.
[[nodiscard]] Direction direct(const Source&, const std::filesystem::path& bundle, const ModelOptions&, const CastChoice&);
/// The plan of a prompt by rules alone: a bundle's world is all that is read. Tells what `direct` tells.
[[nodiscard]] plan::Film direct_by_rules(const Source&, const std::filesystem::path& bundle, const CastChoice&);

/// The cast's file: `given`, else the user's own, whose folder is made if `create`. Error(configuration) where no home is known.
[[nodiscard]] std::filesystem::path cast_file(const std::string& given, bool create);

/// The bytes of a file, or of standard input for "-"; `what` names it in errors ("the plan"). Throws Error: input_missing, io, bad_data when it is
/// larger than `most_bytes`.
[[nodiscard]] std::string read_file(const std::filesystem::path& file, const std::string& what, std::size_t most_bytes);

/// The bundle's folder: `given`, else assets/models/nano beside or above the program. Error(unavailable) when there is none.
[[nodiscard]] std::filesystem::path locate_bundle(const std::string& given);
[[nodiscard]] Precision precision_of(const std::string& name);
[[nodiscard]] int thread_count(int given);
/// Prints what is wrong with a plan and the timeline of its world. Error(bad_data) at the end when there are errors. Where no model is named or
/// installed, what it can film is left out.
void check_plan(const std::string& file, const std::string& model, bool json);
/// Writes `text` to a new file beside `file`, then renames it into place.
void write_file(const std::filesystem::path& file, const std::string& text);

/// Set by SIGINT and SIGTERM: finish the step in work and stop.
[[nodiscard]] bool stop_requested();

}  // namespace fabula::cli
