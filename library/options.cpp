// The shared options: their spelling, their limits and the help that goes with them.
#include "library/options.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <random>
#include <thread>
#include <vector>

#include "base/error.h"
#include "library/device_choice.h"

namespace fabula {

namespace {

struct NamedPrecision {
  const char* name;
  Precision precision;
};
constexpr std::array<NamedPrecision, 3> named_precisions = {
    {{"fp32", Precision::fp32}, {"bf16", Precision::bf16}, {"int8", Precision::int8}}};

std::uint64_t seed_of(const std::string& text, const char* what, const Caller& caller) {
  if (text == "-1") {
    const std::uint64_t drawn = std::random_device{}();  // 32 bits: short enough to be typed again
    caller.tell(std::string("the ") + what + " is " + std::to_string(drawn));
    return drawn;
  }
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw CLI::ValidationError(std::string("the ") + what + " is a number from 0 to 18446744073709551615, or -1 to draw one, not " + text);
  }
  return seed;
}

void add_sampling_options(CLI::App& command, Sampling& sampling, const Caller& caller) {
  CLI::Option* temperature =
      command
          .add_option("--temperature", sampling.temperature,
                      "How freely the plan's words are chosen: 0 always takes the likeliest, 1 draws by the model's own probabilities")
          ->check(CLI::Range(0.0, 10.0))
          ->capture_default_str();
  command.add_option("--top-p", sampling.top_p, "Draw only from the likeliest words that together have this probability (1: from all)")
      ->check(CLI::Range(1e-6, 1.0))
      ->capture_default_str()
      ->needs(temperature);
  command.add_option("--min-p", sampling.min_p, "Never draw a word less likely than this fraction of the likeliest word's probability")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->needs(temperature);
  add_seed_option(command, "--plan-seed", "plan's seed",
                  "Another seed draws another plan, the same seed the same plan; independent of the seed of the pictures (default: 0)",
                  caller, [&sampling](std::uint64_t seed) { sampling.seed = seed; })
      ->needs(temperature);
}

void add_cast_options(CLI::App& command, CastChoice& choice) {
  CLI::Option* file =
      command.add_option("--cast", choice.file, "The cast that the film may name (default: your own, see `fabula cast --help`)")
          ->type_name("CAST.db");
  command.add_flag("--no-cast", choice.none, "Take characters as the plan has them, whatever the cast says")->excludes(file);
}

}  // namespace

CLI::Option* add_seed_option(CLI::App& command, const std::string& name, const char* what, const std::string& help, const Caller& caller,
                             const std::function<void(std::uint64_t)>& set) {
  return command
      .add_option_function<std::string>(
          name, [what, set, &caller](const std::string& text) { set(seed_of(text, what, caller)); }, help + "; -1 draws one and prints it")
      ->type_name("NUMBER");
}

CLI::Option* add_precision_option(CLI::App& command, const std::string& name, std::string& value,
                                  std::initializer_list<Precision> precisions, const std::string& help) {
  std::vector<std::string> names = {"auto"};
  for (const Precision precision : precisions) names.emplace_back(name_of(precision));
  return command.add_option(name, value, help)->check(CLI::IsMember(names))->capture_default_str();
}

const char* name_of(Precision precision) {
  for (const NamedPrecision& one : named_precisions) {
    if (one.precision == precision) return one.name;
  }
  throw Error(ExitCode::internal, "a precision has no name");
}

Precision precision_of(const std::string& name, Precision automatic) {
  for (const NamedPrecision& one : named_precisions) {
    if (one.name == name) return one.precision;
  }
  return automatic;
}

Precision precision_of(const std::string& name) { return precision_of(name, Precision::bf16); }

void add_model_folder(CLI::App& command, std::string& model) {
  command.add_option("--model", model, "Folder of a model bundle (default: FABULA_MODEL, else the one shipped with Fabula)")
      ->type_name("DIR");
}

void add_model_options(CLI::App& command, ModelOptions& options) {
  add_model_folder(command, options.model);
  add_precision_option(command, "--precision", options.precision, {Precision::fp32, Precision::bf16},
                       "Precision of the products by weights; auto is bf16");
  command.add_option("--threads", options.threads, "Threads to compute with (default: all); the result does not depend on it")
      ->check(CLI::Range(1, 1024));
}

void add_device_option(CLI::App& command, ModelOptions& options) {
  command.add_option("--device", options.device, "What the models run on: cpu, cuda, or cuda:N for the card number N")
      ->check([](const std::string& device) {
        return device == "cpu" || cuda_device_of(device) ? std::string() : device + " is none of cpu, cuda and cuda:N";
      })
      ->type_name("DEVICE")
      ->capture_default_str();
}

void add_planning_options(CLI::App& command, PlanningOptions& options) {
  static const std::map<std::string, Format> formats = {
      {"auto", Format::automatic}, {"prompt", Format::prompt}, {"fountain", Format::fountain}, {"plan", Format::plan}};
  command.add_option("--format", options.format, "What standard input is: auto, prompt, fountain or plan")
      ->transform(CLI::CheckedTransformer(formats))
      ->type_name("FORMAT");
  command.add_option("--duration", options.duration_s, "Length of the film in seconds; as many shots as fill it")
      ->check(CLI::PositiveNumber)
      ->type_name("SECONDS");
  auto* anyway = command.add_flag("--anyway", options.leniency.anyway, "Make a film even of a prompt of which the model can show nothing");
  command.add_flag("--strict", options.leniency.strict, "Refuse a prompt if the model cannot show all of it")->excludes(anyway);
  command.add_flag("-v,--verbose", options.verbose, "Also say how the plan came about");
  add_sampling_options(command, options.sampling, options.caller);
  add_cast_options(command, options.cast);
  add_model_options(command, options.model);
  add_device_option(command, options.model);
}

int thread_count(int given) { return given > 0 ? given : std::max(1, static_cast<int>(std::thread::hardware_concurrency())); }

}  // namespace fabula
