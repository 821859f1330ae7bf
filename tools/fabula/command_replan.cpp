// `fabula replan`: changes one shot of a plan, or all from one on, and keeps the rest.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "audio/phonemes.h"
#include "base/error.h"
#include "engine/world.h"
#include "library/options.h"
#include "library/output.h"
#include "library/source.h"
#include "planner/edit/replan.h"
#include "planner/edit/reshape.h"
#include "planner/schema/schema.h"
#include "planner/text/text.h"
#include "tools/fabula/bundle_location.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/exit_codes.h"
#include "tools/fabula/output.h"
#include "tools/fabula/terminal.h"

namespace fabula::cli {

namespace {

struct ReplanOptions {
  std::string model;
  std::string plan;        // a file, or "-"
  std::string wish;        // "make it night"
  std::string shot, from;  // one of them: the shot to change, or the first of those to change
  std::string output;      // empty or "-": standard output
  OverwriteOptions overwriting;
};

// Whether the wish is for no shot of --shot: one for the title, one that names its shot itself, or a new shot, which may come last.
bool needs_no_shot(const ReplanOptions& options) {
  const auto change = plan::reshaping_in(options.wish);
  if (change && !options.from.empty()) throw Error(ExitCode::usage, "a wish about a whole shot or the title goes without --from");
  return change && (change->kind == plan::Reshaping::Kind::title || change->kind == plan::Reshaping::Kind::add || !change->shot.empty());
}

void run(const ReplanOptions& options) {
  const bool is_free = options.shot.empty() && needs_no_shot(options);
  if (!is_free && options.shot.empty() == options.from.empty())
    throw Error(ExitCode::usage, "replan takes exactly one of --shot ID and --from ID");
  const plan::Film before = plan::from_json(read_input(options.plan, "the plan", plan::largest_file));
  plan::Wish wish{options.wish, options.shot.empty() ? options.from : options.shot, options.shot.empty() && !is_free};
  if (is_free && !before.shots.empty()) wish.shot = before.shots.back().id;
  // With -y the new plan may replace the one that was read: all of that is in the new one.
  if (!may_write(options.output, options.overwriting, terminal())) return;
  const World world = World::open(locate_bundle(options.model) / "world.json");
  const plan::Replanned replanned = plan::replan(before, wish, world, phones_of);
  for (const std::string& note : replanned.notes) std::fprintf(stderr, "fabula: %s\n", printable(note).c_str());
  write_output(options.output, plan::to_json(replanned.film) + "\n", options.overwriting);
  report_output(options.output);
}

}  // namespace

void add_replan_command(CLI::App& app) {
  CLI::App* replan = app.add_subcommand("replan", "Change one shot of a plan, or all from one on; the rest and locked fields stay");
  replan->footer(
      footer("  fabula replan story.json --shot s020 \"make it night\" -o night.json\n"
             "  fabula replan story.json --from s020 \"a crab comes from the left and says: hello\"\n\n"
             "A wish may name actors, actions, a place, a time, lines, sides, shot sizes and camera moves;\n"
             "\"add\", \"remove\", \"it\" and \"say nothing\" work, too. Whole shots and the title:\n"
             "  fabula replan story.json \"remove shot s020\"\n"
             "  fabula replan story.json --shot s020 \"add a shot: a crab jumps\"      (after it; or: add a shot before it: …)\n"
             "  fabula replan story.json --shot s020 \"make it 3 seconds long\"\n"
             "  fabula replan story.json \"call it Moonlight\"",
             {0, 2, 65, 66, 69, 73, 74}));
  const auto options = std::make_shared<ReplanOptions>();
  replan->add_option("plan", options->plan, "A plan (FILE.json), or - to read it from standard input")->required();
  replan->add_option("wish", options->wish, "What to change: \"make it night\"")->required();
  CLI::Option* shot = replan->add_option("--shot", options->shot, "The shot to change, and what depends on it")->type_name("ID");
  replan->add_option("--from", options->from, "The first shot to change, with all that follow")->type_name("ID")->excludes(shot);
  replan->add_option("-o,--output", options->output, "File to write (default: standard output)")->type_name("FILE");
  add_overwrite_options(*replan, options->overwriting);
  add_model_folder(*replan, options->model);
  replan->callback([options] { run(*options); });
}

}  // namespace fabula::cli
