// The command line: parses it, runs one command, and turns every error into one sentence and an exit code.
#include <fcntl.h>
#include <malloc.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

#include "base/error.h"
#include "library/failure.h"
#include "library/version.h"
#include "tools/fabula/arguments.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/configuration.h"
#include "tools/fabula/exit_codes.h"
#include "tools/fabula/log.h"
#include "tools/fabula/stop.h"

namespace {

using namespace fabula;

int fail(ExitCode code, const std::string& sentence) {
  std::fprintf(stderr, "fabula: %s\n", sentence.c_str());
  return code == ExitCode::interrupted ? cli::stop_code() : static_cast<int>(code);
}

int run(int argc, char** argv, cli::Log& log) {
  CLI::App app{"Fabula turns a prompt into a finished film.", "fabula"};
  app.set_version_flag("-V,--version", version_number(), "Print the version; with --json as JSON");
  app.require_subcommand(1);
  app.footer(
      cli::footer("  fabula \"A fox runs through a forest at night. It says: hello moon.\"\n"
                  "  fabula render \"A crab on the beach.\" -o crab.mp4\n"
                  "  fabula help plan\n\n"
                  "Results go to standard output, messages to standard error. Options are also taken from FABULA_NAME variables\n"
                  "and from fabula.toml; `fabula doctor` lists what is in use.",
                  {}));
  for (const auto add :
       {cli::add_render_command, cli::add_plan_command, cli::add_replan_command, cli::add_assemble_command, cli::add_batch_command,
        cli::add_export_command, cli::add_submit_command, cli::add_serve_command, cli::add_store_command, cli::add_probe_command,
        cli::add_cast_command, cli::add_models_command, cli::add_world_command, cli::add_explain_command, cli::add_doctor_command,
        cli::add_bench_command, cli::add_completion_command, cli::add_version_command, cli::add_help_command})
    add(app);
  for (const char* command : {"render", "assemble", "batch"}) {
    app.get_subcommand(command)
        ->add_option_function<std::string>(
            "--log", [&log](const std::string& file) { log.open(file); },
            "Append what is said on standard error to this file, with the time of each line")
        ->type_name("FILE");
  }
  cli::Configured given = cli::with_configuration(app, cli::with_command(app, {argv + 1, argv + argc}));
  std::vector<std::string>& arguments = given.arguments;
  std::reverse(arguments.begin(), arguments.end());  // the order that CLI11 takes them in
  try {
    app.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) return app.exit(error);  // help
    const std::string command = cli::parsed_command(app), sentence = error.what();
    for (const auto& [option, origin] : given.origins) {
      if (sentence.starts_with(option)) return fail(ExitCode::configuration, sentence + " (from " + origin + ")");
    }
    return fail(ExitCode::usage, cli::usage_sentence(app, error) + "\nTry: " + command + " --help");
  }
  return static_cast<int>(ExitCode::done);
}

// A file opened while one of these is closed would get its number, and what is printed would go into that file.
void hold_standard_descriptors() {
  for (int fd = 0; fd <= STDERR_FILENO; ++fd) {
    if (::fcntl(fd, F_GETFD) >= 0) continue;
    // Opened for reading, so that writing to standard output still fails.
    (void)!::open("/dev/null", fd == STDERR_FILENO ? O_WRONLY : O_RDONLY);
  }
}

// Printed text is in a buffer until here: a full disk shows only now.
int printed(int code) {
  errno = 0;
  std::cout.flush();
  const bool failed = std::fflush(stdout) != 0 || std::ferror(stdout) != 0;
  if (!failed || code != static_cast<int>(ExitCode::done)) return code;
  return fail(ExitCode::io,
              std::string("standard output could not be written") + (errno != 0 ? std::string(": ") + std::strerror(errno) : ""));
}

int run_and_report(int argc, char** argv, cli::Log& log) {
  try {
    return run(argc, argv, log);
  } catch (...) {
    const Failure failure = current_failure();
    return fail(failure.code, failure.sentence);
  }
}

// glibc raises this limit to the largest buffer that was freed, at most 32 MB; smaller buffers then stay with the process, so a long film's
// planning and decoding left more behind than a short one's (239 MB of 60 shots, 209 of 3). Held below the size of a frame, they go back.
void return_freed_buffers() {
  constexpr int most_kept = 64 << 10;  // bytes
  mallopt(M_MMAP_THRESHOLD, most_kept);
}

}  // namespace

int main(int argc, char** argv) {
  return_freed_buffers();
  hold_standard_descriptors();
  cli::take_stop_signals();
  std::signal(SIGPIPE, SIG_IGN);
  cli::Log log;
  return printed(run_and_report(argc, argv, log));
}
