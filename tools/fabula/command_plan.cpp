// `fabula plan`: writes, checks or compiles the plan of a film.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "audio/phonemes.h"
#include "base/error.h"
#include "engine/world.h"
#include "library/options.h"
#include "library/planning.h"
#include "library/source.h"
#include "planner/check/check.h"
#include "planner/edit/retime.h"
#include "planner/schema/schema.h"
#include "planner/text/text.h"
#include "tools/fabula/bundle_location.h"
#include "tools/fabula/checkpoint.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/exit_codes.h"
#include "tools/fabula/output.h"
#include "tools/fabula/plan_check.h"
#include "tools/fabula/plan_compile.h"
#include "tools/fabula/plan_prompts.h"
#include "tools/fabula/terminal.h"

namespace fabula::cli {

namespace {

struct PlanOptions {
  std::string source;  // what read_source takes; one of these five is given
  std::string check, batch, retime;
  bool schema = false;

  std::string output;  // empty or "-": standard output; of --batch a folder
  OverwriteOptions overwriting;
  PlanningOptions planning;
  CheckpointOptions checkpoint;
  bool oracle = false;  // plan by rules alone
  std::string compile;  // the target; empty: the plan itself is the result
  bool stats = false, json = false;
  int jobs = 8;
};

// ---- one function per thing that the command does

void print_schema(const PlanOptions& options) {
  if (!may_write(options.output, options.overwriting, terminal())) return;
  write_output(options.output, plan::json_schema() + "\n", options.overwriting);
  report_output(options.output);
}

// With -y the plan may replace the one that was read: all of that is in it.
void retime_plan(const PlanOptions& options) {
  const std::string text = read_input(options.retime, "the plan", plan::largest_file);
  if (!may_write(options.output, options.overwriting, terminal())) return;
  const World world = World::open(locate_bundle(options.planning.model.model) / "world.json");
  const plan::Retimed retimed = plan::retime_json(text, world, phones_of);
  for (const std::string& note : retimed.notes) std::fprintf(stderr, "fabula: %s\n", printable(note).c_str());
  for (const plan::Finding& fault : plan::check(retimed.film, world)) {
    if (fault.severity == plan::Severity::error) std::fprintf(stderr, "fabula: still wrong: %s\n", printable(sentence_of(fault)).c_str());
  }
  write_output(options.output, plan::to_json(retimed.film) + "\n", options.overwriting);
  report_output(options.output);
}

plan::Film plan_of(const Source& source, const PlanOptions& options) {
  if (!options.checkpoint.folder.empty()) return plan_by_checkpoint(source, options.planning, options.checkpoint);
  const auto bundle = locate_bundle(options.planning.model.model);
  if (options.oracle) return plan_by_rules(source, bundle, options.planning);
  DecodingStats stats;
  plan::Film film = plan_by_model(source, bundle, options.planning, &stats).film;
  if (options.stats) std::fprintf(stderr, "%s\n", stats_json(stats).c_str());
  return film;
}

// A plan is compiled as it is, a prompt after it has been planned.
std::string text_of(const Source& source, const PlanOptions& options) {
  if (options.compile.empty()) return plan::to_json(plan_of(source, options)) + "\n";
  return compile_plan(source.is_plan ? source.film : plan_of(source, options), options.compile);
}

void plan_source(const PlanOptions& options) {
  const Source source = read_source_aloud(
      options.source, options.planning.format);  // before a model is looked for: bad input is reported even where there is none
  std::vector<std::string> inputs = {options.planning.cast.file, options.checkpoint.image};
  if (options.source == "-" || is_source_file(options.source)) inputs.push_back(options.source);
  if (!may_write(options.output, options.overwriting, terminal(), inputs)) return;
  write_output(options.output, text_of(source, options), options.overwriting);
  report_output(options.output);
}

void run(const PlanOptions& options, bool has_source) {
  const int tasks = (has_source ? 1 : 0) + (options.check.empty() ? 0 : 1) + (options.batch.empty() ? 0 : 1) +
                    (options.retime.empty() ? 0 : 1) + (options.schema ? 1 : 0);
  if (tasks != 1) throw Error(ExitCode::usage, "plan takes exactly one of: a source, --check FILE, --retime FILE, --batch FILE, --schema");
  if (options.json && options.check.empty() && options.batch.empty()) throw Error(ExitCode::usage, "--json goes with --check or --batch");
  if (!options.check.empty()) return check_plan({options.check, options.planning.model.model, options.json});
  if (!options.batch.empty())
    return plan_prompts({options.batch, options.output, options.overwriting, options.planning, options.jobs, options.json});
  if (!options.retime.empty()) return retime_plan(options);
  options.schema ? print_schema(options) : plan_source(options);
}

// ---- the options of each

void add_checkpoint_options(CLI::App& plan, CheckpointOptions& options, const std::vector<CLI::Option*>& excluded) {
  CLI::Option* folder =
      plan.add_option("--lm", options.folder,
                      "Published language model that writes the plan instead of the bundle's planner: a folder (Qwen3, Qwen3-MoE, "
                      "Qwen3-VL, Qwen2, Llama) or a GGUF file")
          ->type_name("DIR|FILE");
  for (CLI::Option* other : excluded) folder->excludes(other);
  add_precision_option(plan, "--lm-precision", options.precision, {Precision::fp32, Precision::bf16, Precision::int8},
                       "Precision of that model's weights; auto is bf16 where they are stored in 16 bits, else fp32")
      ->needs(folder);
  plan.add_option("--image", options.image, "A picture that goes with the prompt (PNG, JPEG …); needs a Qwen3-VL")
      ->type_name("FILE")
      ->needs(folder);
  plan.add_flag("--any-film", options.any_film,
                "Plan anything that the schema can say, not only what the bundle can film: to --compile it, or to read")
      ->needs(folder);
}

CLI::Option* add_check_options(CLI::App& plan, PlanOptions& options) {
  return plan.add_option("--check", options.check, "Print what is wrong with a plan, and its world from shot to shot")->type_name("FILE");
}

CLI::Option* add_batch_options(CLI::App& plan, PlanOptions& options) {
  CLI::Option* batch = plan.add_option("--batch", options.batch,
                                       "Plan each job of FILE: a prompt a line, or JSON, JSON lines or CSV with a prompt and an output, as "
                                       "`fabula batch` takes them; -o names the folder that the plans stay in")
                           ->type_name("FILE");
  plan.add_option("--jobs", options.jobs, "Plans of a --batch at once")->needs(batch)->check(CLI::Range(1, 256))->capture_default_str();
  return batch;
}

void add_compile_options(CLI::App& plan, PlanOptions& options, const std::vector<CLI::Option*>& excluded) {
  CLI::Option* compile = plan.add_option("--compile", options.compile,
                                         "Print the prompts that film the plan with another model, as JSON; h3 is MiniMax-H3. A plan "
                                         "(FILE.json) is compiled as it is")
                             ->type_name("MODEL")
                             ->check(CLI::IsMember(compile_targets()));
  for (CLI::Option* other : excluded) compile->excludes(other);
}

}  // namespace

void add_plan_command(CLI::App& app) {
  CLI::App* plan = app.add_subcommand("plan", "Write the plan of a film: a JSON file to edit and render");
  plan->footer(
      footer("  fabula plan \"A fox runs through a forest.\" -o fox.json\n"
             "  fabula plan --check fox.json\n"
             "  fabula plan --retime fox.json -y -o fox.json\n"
             "  fabula plan --batch prompts.txt -o plans --jobs 4\n"
             "  fabula plan fox.json --compile h3\n"
             "  fabula plan --schema",
             {0, 2, 3, 65, 66, 69, 71, 73, 74, 130}));
  const auto options = std::make_shared<PlanOptions>();
  CLI::Option* source =
      plan->add_option("source", options->source,
                       "A prompt, a screenplay (FILE.fountain), a plan to plan again (FILE.json), or - to read from standard input");
  CLI::Option* check = add_check_options(*plan, *options);
  plan->add_option("--retime", options->retime,
                   "Lay the shots of a plan end to end again, after one was deleted, moved or cut by hand; missing times are filled in")
      ->type_name("FILE");
  CLI::Option* batch = add_batch_options(*plan, *options);
  plan->add_flag("--schema", options->schema, "Print the JSON Schema of plans");
  plan->add_option("-o,--output", options->output, "File to write (default: standard output)")->type_name("FILE")->excludes(check);
  add_overwrite_options(*plan, options->overwriting);
  CLI::Option* oracle =
      plan->add_flag("--oracle", options->oracle, "Plan by rules alone, without the language model")->excludes(check)->excludes(batch);
  add_compile_options(*plan, *options, {check, batch});
  add_checkpoint_options(*plan, options->checkpoint, {check, batch, oracle});
  plan->add_flag("--stats", options->stats, "Report on standard error how the plan was decoded, as JSON");
  plan->add_flag("--json", options->json, "Print the findings of --check or the results of --batch as JSON");
  add_planning_options(*plan, options->planning);
  at_the_terminal(options->planning);
  plan->callback([options, source] { run(*options, source->count() > 0); });
}

}  // namespace fabula::cli
