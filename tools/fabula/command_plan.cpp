#include <cstdio>

#include "base/error.h"
#include "planner/schema/schema.h"
#include "tools/fabula/commands.h"

namespace fabula::cli {

namespace {

// By whom the options say.
plan::Film plan_of(const Source& source, const PlanOptions& options) {
  if (!options.lm.folder.empty()) return plan_by_checkpoint(source, options, options.lm);
  const auto bundle = locate_bundle(options.model.model);
  if (options.oracle) return plan_source_by_rules(source, bundle, options.cast);
  DecodingStats stats;
  plan::Film film = plan_source(source, bundle, options, &stats).film;
  if (options.stats) std::fprintf(stderr, "%s\n", stats_json(stats).c_str());
  return film;
}

// What is read and must outlive the command.
std::vector<std::string> inputs_of(const PlanOptions& options) {
  std::vector<std::string> inputs = {options.cast.file, options.lm.image};
  if (options.source == "-" || is_source_file(options.source)) inputs.push_back(options.source);
  return inputs;
}

std::string text_of(const Source& source, const PlanOptions& options) {
  const bool compile = !options.compile.empty();
  const plan::Film film = compile && source.is_plan ? source.film : plan_of(source, options);
  return compile ? compiled_for_h3(film) : plan::to_json(film) + "\n";
}

}  // namespace

void run_plan(const PlanOptions& options) {
  if (options.json && options.check.empty() && options.batch.empty()) throw Error(ExitCode::usage, "--json goes with --check or --batch");
  if (!options.check.empty()) return check_plan(options.check, options.model.model, options.json);
  if (!options.batch.empty()) return plan_batch(options);
  Source source;
  if (!options.schema) source = read_source(options.source);  // before a model is looked for: a bad input is told where there is none, too
  if (!may_write(options.output, options.overwriting, inputs_of(options))) return;
  write_output(options.output, options.schema ? plan::json_schema() + "\n" : text_of(source, options), options.overwriting);
  tell_output(options.output);
}

}  // namespace fabula::cli
