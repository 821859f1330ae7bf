// `fabula replan`: one shot of a plan otherwise, the rest as it was.
#include <cstdio>

#include "audio/phonemes.h"
#include "engine/world.h"
#include "kernels/error.h"
#include "planner/replan.h"
#include "planner/schema.h"
#include "planner/text.h"
#include "tools/fabula/commands.h"

namespace fabula::cli {

namespace fs = std::filesystem;

void run_replan(const ReplanOptions& options) {
  const plan::Film before = plan::from_json(read_file(options.plan, "the plan", plan::largest_file));
  const bool is_file = !options.output.empty() && options.output != "-";
  if (is_file && !options.overwrite && fs::exists(options.output)) {
    throw Error(ExitCode::cannot_create, options.output + " is there already; --overwrite replaces it");
  }
  const World world = World::open(locate_bundle(options.model) / "world.json");
  const plan::Wish wish{options.wish, options.shot.empty() ? options.from : options.shot, options.shot.empty()};
  const plan::Replanned replanned = plan::replan(before, wish, world, phones_of);
  for (const std::string& note : replanned.notes) std::fprintf(stderr, "fabula: %s\n", printable(note).c_str());
  const std::string text = plan::to_json(replanned.film) + "\n";
  if (!is_file) {
    std::fputs(text.c_str(), stdout);
    return;
  }
  write_file(options.output, text);
  std::printf("%s\n", options.output.c_str());
}

}  // namespace fabula::cli
