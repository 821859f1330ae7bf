// `fabula batch`: a film for each job of a file.
#include <CLI/CLI.hpp>
#include <memory>

#include "tools/fabula/batch_run.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/exit_codes.h"

namespace fabula::cli {

void add_batch_command(CLI::App& app) {
  CLI::App* batch = app.add_subcommand("batch", "Make a film for each job of a file");
  batch->footer(
      footer("  fabula batch prompts.txt -o films                   (a prompt a line; lines that begin with # are comments)\n"
             "  fabula batch jobs.csv -o films --name \"{date}/{title}_{version:03d}\"\n"
             "  echo '{\"prompt\": \"A pig spins.\", \"seed\": 7, \"steps\": 4}' | fabula batch - -o films --json\n\n"
             "A job in JSON, JSON lines or CSV has a prompt, a plan (FILE.json) or a screenplay (FILE.fountain), and if wanted an\n"
             "output and any of the options below that concern one film, e.g. seed. The folder gets the films, a page index.html that\n"
             "shows them, and batch.db, by which the same command goes on where it was and makes nothing twice.",
             {0, 2, 3, 65, 66, 69, 71, 73, 74, 76, 78, 130}));
  const auto request = std::make_shared<BatchRequest>();
  batch->add_option("jobs", request->file, "The jobs: JSON, JSON lines, CSV, or a prompt a line; - reads standard input")->required();
  batch->add_option("-o,--output", request->folder, "Folder of the films (default: this one)")->type_name("DIR");
  batch
      ->add_option("--name", request->name,
                   "Names of films whose job has no output: {n} {title} {prompt} {seed} {date} {shot} {version}, numbers also as {n:03d}")
      ->capture_default_str();
  batch->add_option("--jobs", request->plans, "Plans written at once")->check(CLI::Range(1, 256))->capture_default_str();
  add_overwrite_options(*batch, request->film.overwriting);
  add_film_options(*batch, request->film);
  batch->callback([batch, request] {
    keep_reference_order(*batch, request->film.clip);
    request->given = film_options_given(*batch);
    run_batch(*request);
  });
}

}  // namespace fabula::cli
