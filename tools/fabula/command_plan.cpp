#include <cstdio>

#include "planner/schema.h"
#include "tools/fabula/commands.h"

namespace fabula::cli {

void run_plan(const PlanOptions& options) {
  if (options.schema) {
    std::puts(plan::json_schema().c_str());
    return;
  }
  if (!options.check.empty()) return check_plan(options.check, options.model.model, options.json);
  const Source source = read_source(options.source);  // before a model is looked for: a bad input is told where there is none, too
  const auto bundle = locate_bundle(options.model.model);
  const plan::Film film = options.oracle ? direct_by_rules(source, bundle, options.cast) : direct(source, bundle, options.model, options.cast).film;
  const std::string text = plan::to_json(film) + "\n";
  if (options.output.empty() || options.output == "-") {
    std::fputs(text.c_str(), stdout);
  } else {
    write_file(options.output, text);
    std::printf("%s\n", options.output.c_str());
  }
}

}  // namespace fabula::cli
