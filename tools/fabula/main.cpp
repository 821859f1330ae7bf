// The command line: parses, runs one command, turns every error into one sentence and an exit code.
#include <fcntl.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <iostream>
#include <new>
#include <random>

#include "base/error.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/stop.h"

namespace {

using namespace fabula;

void add_model_options(CLI::App& command, cli::ModelOptions& options) {
  command.add_option("--model", options.model, "Folder of a model bundle (default: the one shipped with Fabula)")->type_name("DIR");
  command.add_option("--precision", options.precision, "auto takes bf16 where the processor multiplies it natively, else fp32")
      ->check(CLI::IsMember({"auto", "fp32", "bf16"}))
      ->capture_default_str();
  command.add_option("--threads", options.threads, "Threads to compute with (default: all); the film does not depend on it")
      ->check(CLI::Range(1, 1024));
}

// 0 to 2^64 - 1; -1 draws one, short enough to be typed again, and tells it.
std::uint64_t seed_of(const std::string& text, const char* what) {
  if (text == "-1") {
    const std::uint64_t drawn = std::random_device{}();
    std::fprintf(stderr, "fabula: the %s is %llu\n", what, static_cast<unsigned long long>(drawn));
    return drawn;
  }
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  if (error != std::errc() || end != text.data() + text.size()) {
    throw CLI::ValidationError(std::string("the ") + what + " is a number from 0 to 18446744073709551615, or -1 to draw one, not " + text);
  }
  return seed;
}

CLI::Option* add_seed_option(CLI::App& command, const std::string& name, const char* what, const std::string& help,
                             const std::function<void(std::uint64_t)>& set) {
  return command
      .add_option_function<std::string>(
          name, [what, set](const std::string& text) { set(seed_of(text, what)); }, help + "; -1 draws one and tells it")
      ->type_name("NUMBER");
}

void add_sampling_options(CLI::App& command, Sampling& sampling) {
  CLI::Option* temperature =
      command
          .add_option(
              "--temperature", sampling.temperature,
              "How freely the plan's words are chosen: 0 takes the likeliest each time, 1 draws them by the model's own probabilities")
          ->check(CLI::Range(0.0, 10.0))
          ->capture_default_str();
  command.add_option("--top-p", sampling.top_p, "Draw among the likeliest words only, as many as have this probability together (1: all)")
      ->check(CLI::Range(1e-6, 1.0))
      ->capture_default_str()
      ->needs(temperature);
  command
      .add_option("--min-p", sampling.min_p,
                  "Never draw a word that is less likely than this part of the likeliest one's probability (0: any)")
      ->check(CLI::Range(0.0, 1.0))
      ->capture_default_str()
      ->needs(temperature);
  add_seed_option(command, "--plan-seed", "plan's seed",
                  "Another seed draws another plan; the same seed the same one. Apart from the seed of the pictures (default: 0)",
                  [&sampling](std::uint64_t seed) { sampling.seed = seed; })
      ->needs(temperature);
}

void add_cast_options(CLI::App& command, cli::CastChoice& choice) {
  CLI::Option* file =
      command.add_option("--cast", choice.file, "Where the characters are kept (default: the user's own cast, as of `fabula cast`)")
          ->type_name("CAST.db");
  command.add_flag("--no-cast", choice.none, "Take characters as the plan has them, whatever the cast says")->excludes(file);
}

int run(int argc, char** argv) {
  CLI::App app{
      "Fabula turns a prompt into a finished film.\n"
      "Try:  fabula render \"A fox runs through a forest at night. It says: hello moon.\""};
  app.set_version_flag("--version", std::string("fabula ") + FABULA_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Results go to standard output, messages to standard error.\n"
      "Exit codes: 0 done, 2 usage, 3 some jobs failed, 65 bad plan or data, 66 input missing, 69 no model, 71 out of memory,\n"
      "73 cannot create the output, or it is there already, 74 read or write failed, standard output included,\n"
      "76 the film failed its check, 130 interrupted (143 by SIGTERM).");

  cli::PlanOptions plan;
  CLI::App* plan_command = app.add_subcommand("plan", "Write the plan of a film: an editable JSON file that `render` takes");
  CLI::Option_group* plan_source = plan_command->add_option_group("one of these");
  plan_source->add_option("source", plan.source,
                          "A prompt, a screenplay (FILE.fountain), a plan to direct anew (FILE.json), or - to read from standard input");
  CLI::Option* check =
      plan_source->add_option("--check", plan.check, "A plan to look at: what is wrong with it, and its world from shot to shot")
          ->type_name("FILE");
  CLI::Option* batch = plan_source
                           ->add_option("--batch", plan.batch,
                                        "A prompt a line, or {\"prompt\": \"…\", \"output\": \"FILE.json\"}; -o names the folder for the "
                                        "plans, which they do not leave")
                           ->type_name("FILE");
  plan_source->add_flag("--schema", plan.schema, "Print the JSON Schema of a plan");
  plan_source->require_option(1);
  plan_command->add_option("--jobs", plan.jobs, "Plans of a --batch at once")
      ->needs(batch)
      ->check(CLI::Range(1, 256))
      ->capture_default_str();
  plan_command->add_flag("--stats", plan.stats, "Tell on standard error how the plan was decoded, as JSON");
  plan_command->add_flag("--json", plan.json, "Print what --check finds, or what became of each job of a --batch, as JSON");
  plan_command
      ->add_option("--compile", plan.compile,
                   "Print what another model is asked for the plan, as JSON: h3 is MiniMax-H3. A plan (FILE.json) is taken as it is")
      ->type_name("MODEL")
      ->check(CLI::IsMember({"h3"}))
      ->excludes(check)
      ->excludes(batch);
  plan_command->add_option("-o,--output", plan.output, "File to write (default: standard output)")->type_name("FILE")->excludes(check);
  cli::add_overwrite_options(*plan_command, plan.overwriting);
  add_sampling_options(*plan_command, plan.sampling);
  CLI::Option* oracle =
      plan_command->add_flag("--oracle", plan.oracle, "Plan by rules alone, without the language model")->excludes(check)->excludes(batch);
  add_cast_options(*plan_command, plan.cast);
  add_model_options(*plan_command, plan.model);
  CLI::Option* lm =
      plan_command
          ->add_option("--lm", plan.lm.folder,
                       "Folder of a published Qwen3, Qwen3-MoE or Qwen3-VL that writes the plan instead of the model's own planner")
          ->type_name("DIR")
          ->excludes(check)
          ->excludes(batch)
          ->excludes(oracle);
  plan_command
      ->add_option("--lm-precision", plan.lm.precision,
                   "Of its weights; auto takes bf16 where they are stored in 16 bits or the processor multiplies bf16, else fp32")
      ->check(CLI::IsMember({"auto", "fp32", "bf16", "int8"}))
      ->capture_default_str()
      ->needs(lm);
  plan_command->add_option("--image", plan.lm.image, "A picture that goes with the prompt (PNG, JPEG …); needs a Qwen3-VL")
      ->type_name("FILE")
      ->needs(lm);
  plan_command
      ->add_flag("--any-film", plan.lm.any_film,
                 "Plan whatever the schema of a plan can say, not only what the installed model can film: to --compile it, or to read")
      ->needs(lm);

  cli::ReplanOptions replan;
  CLI::App* replan_command =
      app.add_subcommand("replan", "Change one shot of a plan, or all from one on; the rest and locked fields stay as they are");
  replan_command->footer(
      "Try:  fabula replan story.json --shot s020 \"make it night\" -o night.json\n"
      "      fabula replan story.json --from s020 \"a crab comes from the left and says: hello\"\n"
      "Wishes may name actors, actions, a place, a time, lines, sides, shot sizes and camera moves; \"add\", \"remove\", \"it\" and \"say "
      "nothing\" work, too.");
  replan_command->add_option("plan", replan.plan, "A plan (FILE.json), or - to read it from standard input")->required();
  replan_command->add_option("wish", replan.wish, "What is to be otherwise: \"make it night\"")->required();
  CLI::Option_group* replan_shots = replan_command->add_option_group("one of these");
  replan_shots->add_option("--shot", replan.shot, "The shot to change, and what depends on it")->type_name("ID");
  replan_shots->add_option("--from", replan.from, "The first of the shots to change: all from there on")->type_name("ID");
  replan_shots->require_option(1);
  replan_command->add_option("-o,--output", replan.output, "File to write (default: standard output)")->type_name("FILE");
  cli::add_overwrite_options(*replan_command, replan.overwriting);
  replan_command->add_option("--model", replan.model, "Folder of a model bundle (default: the one shipped with Fabula)")->type_name("DIR");

  cli::RenderOptions render;
  CLI::App* render_command = app.add_subcommand("render", "Render a prompt or a plan to an MP4");
  render_command
      ->add_option("source", render.source,
                   "A prompt, a screenplay (FILE.fountain), a plan (FILE.json), or - to read a prompt or a plan from standard input")
      ->required();
  render_command
      ->add_option("-o,--output", render.output,
                   "The film (default: named after its title, in this folder, with a number where that name is taken)")
      ->type_name("FILE.mp4");
  render_command->add_option("--save-plan", render.save_plan, "Also write the plan")->type_name("FILE.json");
  add_cast_options(*render_command, render.cast);
  cli::add_overwrite_options(*render_command, render.overwriting);
  add_seed_option(*render_command, "--seed", "seed",
                  "Another seed gives another film; the same seed the same bytes (default: the plan's, or 0)",
                  [&render](std::uint64_t seed) { render.seed = seed; });
  render_command->add_option("--steps", render.steps, "Evaluations of the transformer a shot (default: what the model asks for)")
      ->check(CLI::Range(1, 1000));
  render_command->add_option("--scale", render.scale, "Size of the film as a multiple of the model's canvas (default: at least 480 lines)")
      ->check(CLI::Range(1, 16));
  render_command->add_flag("-q,--quiet", render.quiet, "No progress, no report");
  render_command->add_flag("--json", render.json, "Print the result as JSON");
  add_sampling_options(*render_command, render.sampling);
  add_model_options(*render_command, render.model);

  cli::ModelsOptions models;
  CLI::App* models_command = app.add_subcommand("models", "Show the installed model: parts, sizes, licence");
  models_command->add_option("--model", models.model, "Folder of a model bundle (default: the one shipped with Fabula)")->type_name("DIR");
  models_command
      ->add_option("--lm", models.lm, "Folder of a published checkpoint: what it is and how much memory it needs, before it is read")
      ->type_name("DIR");
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

int fail(ExitCode code, const std::string& sentence) {
  std::fprintf(stderr, "fabula: %s\n", sentence.c_str());
  return code == ExitCode::interrupted ? cli::stop_code() : static_cast<int>(code);
}

// A file that is opened while one of these is closed would take its number, and what is printed would go into that file.
void hold_standard_descriptors() {
  for (int fd = 0; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // Opened for reading, standard output still says that nothing can be written.
    (void)!::open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// What was printed lies in a buffer until here: a full disk shows now.
int printed(int code) {
  errno = 0;
  std::cout.flush();
  const bool failed = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (!failed || code != static_cast<int>(ExitCode::done)) return code;
  return fail(ExitCode::io,
              std::string("standard output could not be written") + (errno != 0 ? std::string(": ") + std::strerror(errno) : ""));
}

int run_and_tell(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Error& error) {
    return fail(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return fail(ExitCode::out_of_memory, "out of memory");
  } catch (const std::filesystem::filesystem_error& error) {
    return fail(ExitCode::io, error.path1().string() + " cannot be used: " + error.code().message());
  } catch (const std::exception& error) {
    return fail(ExitCode::unexpected, error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  hold_standard_descriptors();
  cli::take_stop_signals();
  std::signal(SIGPIPE, SIG_IGN);
  return printed(run_and_tell(argc, argv));
}
