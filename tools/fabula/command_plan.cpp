#include <cstdio>

#include "audio/phonemes.h"
#include "kernels/error.h"
#include "planner/planner.h"
#include "planner/schema.h"
#include "tools/fabula/commands.h"

namespace fabula::cli {

void run_plan(const PlanOptions& options) {
  if (options.schema) {
    std::puts(plan::json_schema().c_str());
    return;
  }
  if (!options.check.empty()) return check_plan(options.check, options.model.model, options.json);
  const Source source = read_source(options.source);
  const auto planner = load_planner(locate_bundle(options.model.model), precision_of(options.model.precision), thread_count(options.model.threads), phones_of);
  const auto alive = [](int) { return !stop_requested(); };
  const Direction direction = source.is_plan ? planner->direct(source.film, alive) : planner->direct(source.prompt, alive);
  for (const std::string& missing : direction.film.unsupported) {
    std::fprintf(stderr, "fabula: this model cannot show \"%s\"; the plan leaves it out\n", missing.c_str());
  }
  const std::string text = plan::to_json(direction.film) + "\n";
  if (options.output.empty() || options.output == "-") {
    std::fputs(text.c_str(), stdout);
  } else {
    write_file(options.output, text);
    std::printf("%s\n", options.output.c_str());
  }
}

}  // namespace fabula::cli
