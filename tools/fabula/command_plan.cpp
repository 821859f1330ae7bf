#include <cstdio>

#include "kernels/error.h"
#include "planner/schema.h"
#include "tools/fabula/commands.h"

namespace fabula::cli {

namespace {

// By whom the options say.
plan::Film plan_of(const Source& source, const PlanOptions& options) {
  if (!options.lm.folder.empty()) return plan_by_checkpoint(source, options, options.lm);
  const auto bundle = locate_bundle(options.model.model);
  if (options.oracle) return direct_by_rules(source, bundle, options.cast);
  DecodingStats stats;
  plan::Film film = direct(source, bundle, options, &stats).film;
  if (options.stats) std::fprintf(stderr, "%s\n", stats_json(stats).c_str());
  return film;
}

}  // namespace

void run_plan(const PlanOptions& options) {
  if (options.json && options.check.empty() && options.batch.empty()) throw Error(ExitCode::usage, "--json goes with --check or --batch");
  if (options.schema) {
    std::puts(plan::json_schema().c_str());
    return;
  }
  if (!options.check.empty()) return check_plan(options.check, options.model.model, options.json);
  if (!options.batch.empty()) return plan_batch(options);
  const Source source = read_source(options.source);  // before a model is looked for: a bad input is told where there is none, too
  const bool compile = !options.compile.empty();
  const plan::Film film = compile && source.is_plan ? source.film : plan_of(source, options);
  const std::string text = compile ? compiled_for_h3(film) : plan::to_json(film) + "\n";
  if (options.output.empty() || options.output == "-") {
    std::fputs(text.c_str(), stdout);
  } else {
    write_file(options.output, text);
    std::printf("%s\n", options.output.c_str());
  }
}

}  // namespace fabula::cli
