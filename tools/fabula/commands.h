// The subcommands of `fabula`: options as plain data, one function each.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "engine/context.h"

namespace fabula::cli {

/// What every command that runs a model takes.
struct ModelOptions {
  std::string model;              ///< folder of a bundle; empty: the one shipped with Fabula
  std::string precision = "auto";
  int threads = 0;                ///< 0: as many as the processor has
};

struct PlanOptions {
  ModelOptions model;
  std::string prompt;
  std::string output;             ///< empty: standard output
  std::string check;              ///< instead of a prompt: a plan to look at, or "-"
  bool schema = false;            ///< instead of a prompt: print the JSON Schema
  bool json = false;              ///< of the check
};

struct RenderOptions {
  ModelOptions model;
  std::string source;             ///< a prompt, a plan file, or "-"
  std::string output;             ///< empty: named after the film's title
  std::string save_plan;
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
void run_render(const RenderOptions&);
void run_models(const ModelsOptions&);

/// The bundle's folder: `given`, else assets/models/nano beside or above the program. Error(unavailable) when there is none.
[[nodiscard]] std::filesystem::path locate_bundle(const std::string& given);
[[nodiscard]] Precision precision_of(const std::string& name);
[[nodiscard]] int thread_count(int given);
/// Prints what is wrong with a plan and the timeline of its world. Error(bad_data) at the end when there are errors. Where no model is named or
/// installed, what it can film is left out.
void check_plan(const std::string& file, const std::string& model, bool json);
/// The text of a file, or of standard input for "-"; of more than `most` bytes only that the text is longer than `most`. Error(input_missing).
[[nodiscard]] std::string read_text(const std::string& file, std::size_t most);
/// Writes `text` to a new file beside `file`, then renames it into place.
void write_file(const std::filesystem::path& file, const std::string& text);

/// Set by SIGINT and SIGTERM: finish the step in work and stop.
[[nodiscard]] bool stop_requested();

}  // namespace fabula::cli
