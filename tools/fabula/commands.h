// The subcommands of `fabula`: options as plain data, one function each.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "engine/context.h"
#include "engine/plan.h"
#include "engine/planner.h"
#include "planner/grammar/token_choice.h"
#include "planner/lm/decoding_stats.h"
#include "tools/fabula/output.h"

namespace CLI {
class App;
}

namespace fabula::cli {

/// What every command that runs a model takes.
struct ModelOptions {
  std::string model;  ///< folder of a bundle; empty: the one shipped with Fabula
  std::string precision = "auto";
  int threads = 0;  ///< 0: as many as the processor has
};

/// Where the characters are from whom plans and prompts name.
struct CastChoice {
  std::string file;   ///< empty: the user's own
  bool none = false;  ///< plans are taken as they are
};

/// What a source is directed with.
struct DirectOptions {
  ModelOptions model;
  Sampling sampling;  ///< how the plan's words are chosen
  CastChoice cast;
};

/// A published checkpoint that writes the plan instead of the bundle's planner.
struct LmOptions {
  std::string folder;  ///< empty: the bundle's
  std::string precision = "auto";
  std::string image;      ///< a picture that goes with the prompt
  bool any_film = false;  ///< not only what the bundle can film
};

struct PlanOptions : DirectOptions {
  LmOptions lm;
  std::string source;  ///< as of RenderOptions
  std::string output;  ///< empty or "-": standard output
  OverwriteOptions overwriting;
  std::string check;    ///< instead of a prompt: a plan to look at, or "-"
  bool schema = false;  ///< instead of a prompt: print the JSON Schema
  std::string batch;    ///< instead of a prompt: a file of prompts; the output is a folder then
  int jobs = 8;         ///< of the batch at once
  bool stats = false;   ///< tell on standard error how the plan's text came about
  bool json = false;    ///< of the check and the batch
  std::string compile;  ///< "h3": print what MiniMax-H3 is asked instead of the plan
  bool oracle = false;  ///< plan by rules alone
};

struct ReplanOptions {
  std::string model;
  std::string plan;        ///< a file, or "-"
  std::string wish;        ///< "make it night"
  std::string shot, from;  ///< one of them: the shot that it is about, or the first of all that it is about
  std::string output;      ///< empty or "-": standard output
  OverwriteOptions overwriting;
};

struct RenderOptions : DirectOptions {
  std::string source;  ///< what read_source takes
  std::string output;  ///< empty: named after the film's title
  std::string save_plan;
  OverwriteOptions overwriting;       ///< of both
  std::optional<std::uint64_t> seed;  ///< the plan's, or 0
  int steps = 0;                      ///< 0: what the bundle says
  int scale = 0;                      ///< film size over the model's canvas; 0: the smallest that is at least 480 lines high
  bool quiet = false;
  bool json = false;
};

struct ModelsOptions {
  std::string model;
  std::string lm;  ///< a published checkpoint to describe instead
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

/// `given` is a prompt, a plan (FILE.json), a screenplay (FILE.fountain), or "-" for a prompt or a plan on standard input. What of a
/// screenplay a prompt cannot say is told on standard error. Throws Error: input_missing, bad_data.
[[nodiscard]] Source read_source(const std::string& given);
/// Whether `given` is the name of a file, by its ending.
[[nodiscard]] bool is_source_file(const std::string& given);

/// The plan and the states of a source, by the planner of a bundle. How the plan came about, what the model cannot show and who of the cast
/// plays is told on standard error.
[[nodiscard]] PlannedFilm plan_source(const Source&, const std::filesystem::path& bundle, const DirectOptions&,
                                      DecodingStats* stats = nullptr);
/// The plan of a prompt by rules alone: a bundle's world is all that is read. Reports what `plan_source` reports.
[[nodiscard]] plan::Film plan_source_by_rules(const Source&, const std::filesystem::path& bundle, const CastChoice&);

/// Writes a plan for each line of a file, several at once, and tells a line about each on standard output. Error(some_jobs_failed) at the
/// end.
void plan_batch(const PlanOptions&);
[[nodiscard]] std::string stats_json(const DecodingStats&);

/// The cast's file: `given`, else the user's own, whose folder is made if `create`. Error(configuration) where no home is known.
[[nodiscard]] std::filesystem::path cast_file(const std::string& given, bool create);

/// The plan of a prompt by a published checkpoint, of what the bundle's world can film or of any film. What the model cannot show is told
/// on standard error.
[[nodiscard]] plan::Film plan_by_checkpoint(const Source&, const DirectOptions&, const LmOptions&);
/// Prints what a checkpoint is and what it needs.
void describe_checkpoint(const std::string& folder, bool json);

/// The bytes of a file, or of standard input for "-"; `what` names it in errors ("the plan"). Throws Error: input_missing, io, bad_data
/// when it is larger than `most_bytes`.
[[nodiscard]] std::string read_file(const std::filesystem::path& file, const std::string& what, std::size_t most_bytes);

/// The bundle's folder: `given`, else assets/models/nano beside or above the program. Error(unavailable) when there is none.
[[nodiscard]] std::filesystem::path locate_bundle(const std::string& given);
[[nodiscard]] Precision precision_of(const std::string& name);
/// Names on standard error what a film leaves out.
void tell_unsupported(const plan::Film&);
[[nodiscard]] int thread_count(int given);
/// Prints what is wrong with a plan and the timeline of its world. Error(bad_data) at the end when there are errors. Where no model is
/// named or installed, what it can film is left out.
void check_plan(const std::string& file, const std::string& model, bool json);
/// JSON: the clips, prompts and references of a plan for MiniMax-H3. What the model cannot be given is told on standard error. Throws
/// PlanError.
[[nodiscard]] std::string compiled_for_h3(const plan::Film&);

}  // namespace fabula::cli
