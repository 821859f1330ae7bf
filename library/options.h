// Options that several commands share: plain data, and how the command line spells them.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <string>

#include "engine/context.h"
#include "library/caller.h"
#include "library/source.h"
#include "planner/grammar/token_choice.h"
#include "planner/oracle/filmable.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace fabula {

/// What every command that runs a model takes.
struct ModelOptions {
  std::string model;  ///< folder of a bundle; empty: the one shipped with Fabula
  std::string precision = "auto";
  int threads = 0;             ///< 0: one per processor
  std::string device = "cpu";  ///< "cpu", "cuda" or "cuda:N"
};
/// --model, --precision and --threads.
void add_model_options(CLI::App&, ModelOptions&);
/// --device.
void add_device_option(CLI::App&, ModelOptions&);
/// --model alone.
void add_model_folder(CLI::App&, std::string& model);

/// The characters that plans and prompts may name.
struct CastChoice {
  std::string file;   ///< empty: `own`
  bool none = false;  ///< plans are taken as they are
  std::string own;    ///< the user's; empty: there is none

  /// The file that is asked; empty: none.
  [[nodiscard]] std::string used() const { return none ? std::string() : file.empty() ? own : file; }
};

/// What turns a source into a plan.
struct PlanningOptions {
  ModelOptions model;
  Sampling sampling;  ///< how the words of the plan are chosen
  CastChoice cast;
  oracle::Leniency leniency;
  Format format = Format::automatic;
  bool verbose = false;     ///< also say how often the model revised its plan, and why
  double duration_s = 0.0;  ///< of the film; 0: as the prompt asks
  Caller caller = {};
};
/// --temperature, --top-p, --min-p, --plan-seed, --cast and --no-cast, and the options of a model.
void add_planning_options(CLI::App&, PlanningOptions&);

/// A seed: 0 to 2^64 - 1, or -1 to draw one, which the caller is told as "the WHAT is NUMBER". The caller must outlive the option.
CLI::Option* add_seed_option(CLI::App&, const std::string& name, const char* what, const std::string& help, const Caller&,
                             const std::function<void(std::uint64_t)>& set);

/// `value` is "auto" or the name of one of `precisions`.
CLI::Option* add_precision_option(CLI::App&, const std::string& name, std::string& value, std::initializer_list<Precision> precisions,
                                  const std::string& help);
[[nodiscard]] const char* name_of(Precision);
/// The precision called `name`; `automatic` for "auto".
[[nodiscard]] Precision precision_of(const std::string& name, Precision automatic);
/// As above; "auto" is bf16, on every processor.
[[nodiscard]] Precision precision_of(const std::string& name);

/// `given`, or one thread per processor if it is 0.
[[nodiscard]] int thread_count(int given);

}  // namespace fabula
