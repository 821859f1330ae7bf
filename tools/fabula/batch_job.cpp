// Reads the jobs of a batch and gives each the identity that its film has in the ledger.
#include "tools/fabula/batch_job.h"

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <ctime>
#include <map>
#include <string_view>

#include "base/sha256.h"
#include "planner/schema/schema.h"
#include "planner/text/text.h"
#include "tools/fabula/arguments.h"
#include "tools/fabula/h3_film.h"

namespace fabula::cli {

namespace fs = std::filesystem;

namespace {

// Of the options of a film: these hold for the whole batch …
constexpr std::array<std::string_view, 12> of_the_batch = {"model",    "device", "precision", "threads",     "quiet", "json",
                                                           "progress", "store",  "no-store",  "any-machine", "help",  "memory"};
// … and of those, only the model and the precision change what a film is, apart from how a device rounds; they are in the model's hash.

bool is_of_the_batch(std::string_view name) { return std::find(of_the_batch.begin(), of_the_batch.end(), name) != of_the_batch.end(); }

std::string today() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  localtime_r(&now, &parts);
  std::array<char, 16> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d", &parts);
  return text.data();
}

Source source_of(const batch::Job& job) {
  switch (job.kind) {
    case batch::Job::Kind::prompt:
      return {.prompt = job.source, .film = {}};
    case batch::Job::Kind::plan:
      return read_plan_file(job.source);
    case batch::Job::Kind::screenplay:
      return read_screenplay_file(job.source);
    case batch::Job::Kind::any:
      break;
  }
  if (job.source == "-") throw Error(ExitCode::bad_data, "a job cannot read from standard input");
  return read_source(job.source);
}

// Understands a job's own options as `fabula render` would, on top of those of the whole batch. -> those of the job
std::map<std::string, std::string> take_options(const batch::Job& job, RenderOptions& options) {
  std::vector<std::string> arguments;
  for (const auto& [key, value] : job.options) {
    std::string name = key;
    std::replace(name.begin(), name.end(), '_', '-');
    if (is_of_the_batch(name)) throw Error(ExitCode::bad_data, "--" + name + " holds for the whole batch: give it on the command line");
    arguments.push_back("--" + name + "=" + value);
  }
  CLI::App render("", "render");
  add_film_options(render, options);
  add_save_plan_option(render, options);
  std::reverse(arguments.begin(), arguments.end());  // the order that CLI11 takes them in
  try {
    render.parse(std::move(arguments));
  } catch (const CLI::ParseError& error) {
    throw Error(ExitCode::bad_data, usage_sentence(render, error));
  }
  std::map<std::string, std::string> given = film_options_given(render);
  if (std::any_of(given.begin(), given.end(), [](const auto& option) { return option.first.starts_with("ref-"); }))
    keep_reference_order(render, options.clip);
  require_published(options);
  return given;
}

// Files that a clip is led or changed by: another picture under the same name is another film.
void add_files(Sha256& hash, const ClipChoice& clip) {
  for (const std::string& file : {clip.first_frame, clip.last_frame}) {
    if (!file.empty()) hash.field(sha256_of(file));
  }
  for (const ClipChoice::Reference& reference : clip.references) hash.field(sha256_of(reference.file));
  for (const std::string& lora : lora_files(clip)) hash.field(sha256_of(lora));
}

// As recorded_options has them.
std::vector<std::string> recorded_of(const std::map<std::string, std::string>& options, const ClipChoice& clip) {
  std::vector<std::string> all;
  for (const auto& [name, value] : options) {
    if (is_recorded(name) && !is_ordered(name)) all.push_back(recorded(name, value));
  }
  std::sort(all.begin(), all.end());
  for (const std::string& lora : clip.loras) all.push_back(recorded("lora", lora));
  for (const ClipChoice::Reference& reference : clip.references) all.push_back(recorded("ref-" + reference.kind, reference.file));
  return all;
}

std::string fingerprint_of(const BatchJob& job, std::map<std::string, std::string> options, const std::string& model) {
  Sha256 hash;
  hash.field("fabula.batch/1").field(model);
  hash.field(job.source.is_plan ? "plan" : "prompt").field(job.source.is_plan ? plan::to_json(job.source.film) : job.source.prompt);
  hash.field(job.name).field(batch::NameTemplate(job.name).has("n") ? std::to_string(job.number) : "");
  for (const auto& [name, value] : options) hash.field(name).field(value);
  add_files(hash, job.options.clip);
  return hash.hex();
}

void make_ready(BatchJob& ready, const batch::Job& job, const BatchRequest& request, const std::string& model) {
  if (job.fault) throw *job.fault;
  if (!job.output.empty()) ready.name = job.output;
  std::map<std::string, std::string> options = take_options(job, ready.options);
  options.insert(request.given.begin(), request.given.end());  // the job's own win
  ready.options.receipt.recorded = recorded_of(options, ready.options.clip);
  ready.options.receipt.loras = lora_files(ready.options.clip);
  ready.source = source_of(job);
  if (is_source_file(job.source) || (job.kind != batch::Job::Kind::prompt && job.kind != batch::Job::Kind::any)) ready.file = job.source;
  if (ready.source.is_plan) ready.prompt = ready.source.film.prompt;
  try {
    ready.key.fingerprint = fingerprint_of(ready, options, model);
  } catch (const Error& error) {
    throw Error(ExitCode::bad_data, error.what());  // the job's name
  }
}

}  // namespace

std::map<std::string, std::string> film_options_given(const CLI::App& command) {
  RenderOptions ignored;
  CLI::App render;
  add_film_options(render, ignored);
  std::map<std::string, std::string> given;
  for (const CLI::Option* option : render.get_options()) {
    const std::string name = option->get_lnames().empty() ? "" : option->get_lnames().front();
    if (name.empty() || is_of_the_batch(name)) continue;
    const CLI::Option* asked = command.get_option_no_throw("--" + name);
    if (asked != nullptr && asked->count() > 0) given[name] = CLI::detail::join(asked->results(), " ");
  }
  return given;
}

std::vector<BatchJob> ready_jobs(const BatchRequest& request, const std::string& model) {
  constexpr std::size_t largest = std::size_t{64} << 20U;
  static_cast<void>(batch::NameTemplate(request.name));  // refused before anything else
  std::vector<BatchJob> all;
  std::map<std::string, std::int64_t> seen;
  for (const batch::Job& job : batch::parse_jobs(read_input(request.file, "the batch", largest), request.file)) {
    BatchJob ready{.number = job.number,
                   .prompt = job.source,
                   .file = {},
                   .source = {},
                   .options = request.film,
                   .name = request.name,
                   .key = {},
                   .fault = {}};
    try {
      make_ready(ready, job, request, model);
      ready.key.occurrence = seen[ready.key.fingerprint]++;
    } catch (const Error& error) {
      ready.fault = error;
    }
    all.push_back(std::move(ready));
  }
  return all;
}

fs::path inside(const fs::path& folder, const fs::path& output) {
  const fs::path plain = output.lexically_normal();
  if (plain.empty() || output.native().find('\0') != std::string::npos)
    throw Error(ExitCode::bad_data, "the output of a job is a file name");
  if (plain.is_absolute() || *plain.begin() == "..") {
    throw Error(ExitCode::bad_data, "the output " + output.string() + " leaves the folder " + folder.string() + "; jobs write inside it");
  }
  return folder / plain;
}

fs::path output_of(const BatchJob& job, const fs::path& folder, const plan::Film& film, std::uint64_t seed) {
  batch::NameFields fields{.n = job.number, .title = film.title, .prompt = job.prompt, .seed = seed, .date = today(), .shot = {}};
  if (!film.shots.empty()) fields.shot = film.shots.front().id + (film.shots.size() > 1 ? "-" + film.shots.back().id : "");
  const auto file_of = [&](const std::string& name) {
    const std::string ending = ending_of(name);
    if (container_of(ending) != nullptr) {
      (void)container_for(name, job.options.format);
      return inside(folder, name);
    }
    // "film.avi" is a mistake, "take 2.1" is a name.
    if (std::any_of(ending.begin(), ending.end(), [](char c) { return c >= 'a' && c <= 'z'; }))
      throw Error(ExitCode::bad_data, "the output " + name + " does not end in " + container_extensions());
    return inside(folder, name + ending_for(job.options.format));
  };
  return file_of(batch::NameTemplate(job.name).expand(fields, [&](const std::string& name) { return fs::exists(file_of(name)); }));
}

std::string three_digits(std::size_t number) {
  const std::string digits = std::to_string(number);
  return std::string(digits.size() < 3 ? 3 - digits.size() : 0, '0') + digits;
}

}  // namespace fabula::cli
