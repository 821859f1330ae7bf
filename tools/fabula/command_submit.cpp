// `fabula submit`: the files that give a film to a render farm. It schedules nothing.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>
#include <set>
#include <span>

#include "base/error.h"
#include "library/render.h"
#include "planner/schema/schema.h"
#include "tools/batch/names.h"
#include "tools/fabula/commands.h"
#include "tools/fabula/exit_codes.h"
#include "tools/fabula/h3_film.h"
#include "tools/fabula/render_options.h"
#include "tools/farm/farm.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

struct SubmitOptions {
  RenderOptions film;
  std::string emit, folder, program, image = "fabula:latest";
};

// The scripts run in a folder of their own: what is read is named from the root. Options say by their type that they name a file that is
// read.
std::string portable(const FilmOptions& film, const CLI::Option& option, const std::string& value) {
  const auto absolute = [](const std::string& path) { return fs::absolute(path).lexically_normal().string(); };
  if (const std::string type = option.get_type_name(); type == "FILE[:scale]") {
    const std::string file = lora_of(value).first;
    return absolute(file) + value.substr(file.size());
  } else if (type == "FILE" || type == "CAST.db") {
    return absolute(value);
  }
  const std::string name = option.get_lnames().front();
  if (name == "seed") return std::to_string(film.seed.value());  // one that was drawn is drawn once
  return name == "model" || name == "lm" ? absolute(value) : value;
}

// Shots and film are given the same options, so that none can be forgotten: what concerns the other script alone is without effect in one.
// Left out is what the scripts or the scheduler decide: where the store is, and what goes to a terminal.
std::vector<std::string> words(const SubmitOptions& options, const CLI::App& command) {
  static const std::set<std::string> left_out = {"help", "quiet", "json", "progress", "store", "no-store"};
  RenderOptions ignored;
  CLI::App film;
  add_film_options(film, ignored);
  const auto is_passed_on = [&](const std::string& name) {
    return film.get_option_no_throw("--" + name) != nullptr && !left_out.contains(name);
  };
  return spelt_options(command, is_passed_on,
                       [&](const CLI::Option& option, const std::string& value) { return portable(options.film, option, value); });
}

std::string this_program() {
  std::error_code unknown;
  const fs::path program = fs::read_symlink("/proc/self/exe", unknown);
  return unknown ? "fabula" : program.string();
}

void write(const SubmitOptions& options, const std::string& name, const std::string& text) {
  const fs::path file = fs::path(options.folder) / name;
  write_whole_file(file, std::as_bytes(std::span(text)), existing_of(options.film.overwriting));
  std::printf("%s\n", file.c_str());
}

void run(const SubmitOptions& options, const CLI::App& command) {
  const plan::Film film = read_plan_file(options.film.source).film;
  farm::Job job{.name = batch::file_word(film.title).substr(0, 60),
                .shots = {},
                .program = options.program.empty() ? this_program() : options.program,
                .output = {},
                .image = options.image,
                .options = words(options, command)};
  if (is_published_folder(options.film.planning.model.model)) {
    job.shots = published_tasks(film, options.film);
  } else {
    require_published(options.film);
    for (const plan::Shot& shot : film.shots) job.shots.push_back(shot.id);
  }
  job.output = job.name + ending_for(options.film.format);
  std::vector<farm::File> files = {{"plan.json", plan::to_json(film) + "\n"}};
  const std::vector<farm::File> common = farm::common_files(job);
  files.insert(files.end(), common.begin(), common.end());
  for (const farm::Scheduler& scheduler : farm::schedulers()) {
    if (options.emit != scheduler.name) continue;
    const std::vector<farm::File> own = scheduler.write(job);
    files.insert(files.end(), own.begin(), own.end());
  }
  std::error_code failed;
  fs::create_directories(options.folder, failed);
  if (failed) throw Error(ExitCode::cannot_create, "the folder " + options.folder + " cannot be created: " + failed.message());
  for (const farm::File& file : files) check_output(fs::path(options.folder) / file.name, existing_of(options.film.overwriting));
  for (const farm::File& file : files) write(options, file.name, file.text);
}

}  // namespace

void add_submit_command(CLI::App& app) {
  CLI::App* command = app.add_subcommand("submit", "Write the files that give a film to a render farm; nothing is scheduled");
  command->footer(
      footer("  fabula submit film.json --emit slurm -o farm && sh farm/submit.sh\n"
             "  fabula submit film.json --emit openjd -o farm && openjd run farm/job.openjd.json --step Assemble --run-dependencies\n"
             "  fabula submit film.json --emit k8s --image registry/fabula:1 --program fabula -o farm\n\n"
             "The folder is what the nodes share: plan, scripts, store and film.",
             {0, 2, 65, 66, 73, 74}));
  const auto options = std::make_shared<SubmitOptions>();
  std::string kinds;
  std::set<std::string> names;
  for (const farm::Scheduler& scheduler : farm::schedulers()) {
    kinds += std::string(kinds.empty() ? "" : "; ") + scheduler.name + ": " + scheduler.what;
    names.insert(scheduler.name);
  }
  command->add_option("plan", options->film.source, "A plan (FILE.json)")->required();
  command->add_option("--emit", options->emit, kinds)->check(CLI::IsMember(names))->required();
  command->add_option("-o,--output", options->folder, "The folder to write into, which all nodes see")->type_name("DIR")->required();
  command->add_option("--program", options->program, "fabula, as the nodes call it (default: this one)")->type_name("FILE");
  command->add_option("--image", options->image, "The container's image, for k8s")->capture_default_str();
  add_overwrite_options(*command, options->film.overwriting);
  add_film_options(*command, options->film);
  command->callback([options, command] {
    keep_reference_order(*command, options->film.clip);
    run(*options, *command);
  });
}

}  // namespace fabula::cli
