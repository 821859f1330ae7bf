// The command line: parses, runs one command, turns every error into one sentence and an exit code.
#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <new>

#include "kernels/error.h"
#include "tools/fabula/commands.h"

namespace {

using namespace fabula;

volatile std::sig_atomic_t stops = 0;

// The first signal asks the run to stop after its step, the second ends it at once.
void on_stop(int signal) {
  stops = stops + 1;
  if (stops > 1) _exit(128 + signal);
}

void add_model_options(CLI::App& command, cli::ModelOptions& options) {
  command.add_option("--model", options.model, "Folder of a model bundle (default: the one shipped with Fabula)")->type_name("DIR");
  command.add_option("--precision", options.precision, "auto takes bf16 where the processor multiplies it natively, else fp32")
      ->check(CLI::IsMember({"auto", "fp32", "bf16"}))
      ->capture_default_str();
  command.add_option("--threads", options.threads, "Threads to compute with (default: all); the film does not depend on it")
      ->check(CLI::Range(1, 1024));
}

void add_cast_options(CLI::App& command, cli::CastChoice& choice) {
  CLI::Option* file = command.add_option("--cast", choice.file, "Where the characters are kept (default: the user's own cast, as of `fabula cast`)")->type_name("CAST.db");
  command.add_flag("--no-cast", choice.none, "Take characters as the plan has them, whatever the cast says")->excludes(file);
}

int run(int argc, char** argv) {
  CLI::App app{"Fabula turns a prompt into a finished film.\n"
               "Try:  fabula render \"A fox runs through a forest at night. It says: hello moon.\""};
  app.set_version_flag("--version", std::string("fabula ") + FABULA_VERSION);
  app.require_subcommand(1);
  app.footer("Results go to standard output, messages to standard error.\n"
             "Exit codes: 0 done, 2 usage, 65 bad plan or data, 66 input missing, 69 no model, 71 out of memory,\n"
             "73 cannot create the output, 74 read or write failed, 76 the film failed its check, 130 interrupted.");

  cli::PlanOptions plan;
  CLI::App* plan_command = app.add_subcommand("plan", "Write the plan of a film: an editable JSON file that `render` takes");
  CLI::Option_group* plan_source = plan_command->add_option_group("one of these");
  plan_source->add_option("source", plan.source, "A prompt, a screenplay (FILE.fountain), a plan to direct anew (FILE.json), or - to read from standard input");
  CLI::Option* check = plan_source->add_option("--check", plan.check, "A plan to look at: what is wrong with it, and its world from shot to shot")->type_name("FILE");
  plan_source->add_flag("--schema", plan.schema, "Print the JSON Schema of a plan");
  plan_source->require_option(1);
  plan_command->add_flag("--json", plan.json, "Print what --check finds as JSON")->needs(check);
  plan_command->add_option("-o,--output", plan.output, "File to write (default: standard output)")->type_name("FILE");
  plan_command->add_flag("--oracle", plan.oracle, "Plan by rules alone, without the language model")->excludes(check);
  add_cast_options(*plan_command, plan.cast);
  add_model_options(*plan_command, plan.model);

  cli::ReplanOptions replan;
  CLI::App* replan_command = app.add_subcommand("replan", "Change one shot of a plan, or all from one on; the rest and locked fields stay as they are");
  replan_command->footer("Try:  fabula replan story.json --shot s020 \"make it night\" -o night.json\n"
                         "      fabula replan story.json --from s020 \"a crab comes from the left and says: hello\"\n"
                         "Wishes may name actors, actions, a place, a time, lines, sides, shot sizes and camera moves; \"add\", \"remove\", \"it\" and \"say nothing\" work, too.");
  replan_command->add_option("plan", replan.plan, "A plan (FILE.json), or - to read it from standard input")->required();
  replan_command->add_option("wish", replan.wish, "What is to be otherwise: \"make it night\"")->required();
  CLI::Option_group* replan_shots = replan_command->add_option_group("one of these");
  replan_shots->add_option("--shot", replan.shot, "The shot to change, and what depends on it")->type_name("ID");
  replan_shots->add_option("--from", replan.from, "The first of the shots to change: all from there on")->type_name("ID");
  replan_shots->require_option(1);
  replan_command->add_option("-o,--output", replan.output, "File to write (default: standard output)")->type_name("FILE");
  replan_command->add_flag("--overwrite", replan.overwrite, "The file to write may be there already");
  replan_command->add_option("--model", replan.model, "Folder of a model bundle (default: the one shipped with Fabula)")->type_name("DIR");

  cli::RenderOptions render;
  CLI::App* render_command = app.add_subcommand("render", "Render a prompt or a plan to an MP4");
  render_command->add_option("source", render.source, "A prompt, a screenplay (FILE.fountain), a plan (FILE.json), or - to read a prompt or a plan from standard input")->required();
  render_command->add_option("-o,--output", render.output, "The film (default: named after its title, in this folder)")->type_name("FILE.mp4");
  render_command->add_option("--save-plan", render.save_plan, "Also write the plan")->type_name("FILE.json");
  add_cast_options(*render_command, render.cast);
  render_command->add_option("--seed", render.seed, "Another seed gives another film; the same seed the same bytes (default: the plan's, or 0)");
  render_command->add_option("--steps", render.steps, "Evaluations of the transformer a shot (default: what the model asks for)")->check(CLI::Range(1, 1000));
  render_command->add_option("--scale", render.scale, "Size of the film as a multiple of the model's canvas (default: at least 480 lines)")->check(CLI::Range(1, 16));
  render_command->add_flag("-q,--quiet", render.quiet, "No progress, no report");
  render_command->add_flag("--json", render.json, "Print the result as JSON");
  add_model_options(*render_command, render.model);

  cli::ModelsOptions models;
  CLI::App* models_command = app.add_subcommand("models", "Show the installed model: parts, sizes, licence");
  models_command->add_option("--model", models.model, "Folder of a model bundle (default: the one shipped with Fabula)")->type_name("DIR");
  models_command->add_flag("--json", models.json, "Print as JSON");

  cli::add_cast_command(app);

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // CLI11's own codes (105 to 114) all mean wrong usage; help and version are no errors.
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::usage);
  }
  if (*plan_command) cli::run_plan(plan);
  if (*replan_command) cli::run_replan(replan);
  if (*render_command) cli::run_render(render);
  if (*models_command) cli::run_models(models);
  return static_cast<int>(ExitCode::done);
}

int fail(ExitCode code, const char* sentence) {
  std::fprintf(stderr, "fabula: %s\n", sentence);
  return static_cast<int>(code);
}

}  // namespace

bool fabula::cli::stop_requested() { return stops != 0; }

int main(int argc, char** argv) {
  std::signal(SIGINT, on_stop);
  std::signal(SIGTERM, on_stop);
  std::signal(SIGPIPE, SIG_IGN);
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    return fail(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(ExitCode::out_of_memory, "out of memory");
  } catch (const std::exception& error) {
    return fail(ExitCode::unexpected, error.what());
  }
}
