#include <cstdio>

#include "kernels/error.h"
#include "planner/schema.h"
#include "tools/fabula/commands.h"

namespace fabula::cli {

void run_plan(const PlanOptions& options) {
  if (options.schema) {
    std::puts(plan::json_schema().c_str());
    return;
  }
  if (options.json && options.check.empty() && options.batch.empty()) throw Error(ExitCode::usage, "--json goes with --check or --batch");
  if (!options.check.empty()) return check_plan(options.check, options.model.model, options.json);
  if (!options.batch.empty()) return plan_batch(options);
  const Source source = read_source(options.source);  // before a model is looked for: a bad input is told where there is none, too
  const bool compile = !options.compile.empty();
  plan::Film film;
  if (compile && source.is_plan) {
    film = source.film;
  } else if (options.oracle) {
    film = direct_by_rules(source, locate_bundle(options.model.model), options.cast);
  } else {
    DecodingStats stats;
    film = direct(source, locate_bundle(options.model.model), options, &stats).film;
    if (options.stats) std::fprintf(stderr, "%s\n", stats_json(stats).c_str());
  }
  const std::string text = compile ? compiled_for_h3(film) : plan::to_json(film) + "\n";
  if (options.output.empty() || options.output == "-") {
    std::fputs(text.c_str(), stdout);
  } else {
    write_file(options.output, text);
    std::printf("%s\n", options.output.c_str());
  }
}

}  // namespace fabula::cli
