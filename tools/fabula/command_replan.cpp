// `fabula replan`: one shot of a plan otherwise, the rest as it was.
#include <cstdio>

#include "audio/phonemes.h"
#include "base/error.h"
#include "engine/world.h"
#include "planner/edit/replan.h"
#include "planner/schema/schema.h"
#include "planner/text/text.h"
#include "tools/fabula/commands.h"

namespace fabula::cli {

void run_replan(const ReplanOptions& options) {
  const plan::Film before = plan::from_json(read_file(options.plan, "the plan", plan::largest_file));
  // The plan may take its own successor's place where that is asked for: it has been read, and the rest of it is in the new one.
  if (!may_write(options.output, options.overwriting)) return;
  const World world = World::open(locate_bundle(options.model) / "world.json");
  const plan::Wish wish{options.wish, options.shot.empty() ? options.from : options.shot, options.shot.empty()};
  const plan::Replanned replanned = plan::replan(before, wish, world, phones_of);
  for (const std::string& note : replanned.notes) std::fprintf(stderr, "fabula: %s\n", printable(note).c_str());
  write_output(options.output, plan::to_json(replanned.film) + "\n", options.overwriting);
  tell_output(options.output);
}

}  // namespace fabula::cli
