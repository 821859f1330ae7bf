// Refuses, keeps or replaces existing files.
#include "library/output.h"

#include <CLI/CLI.hpp>
#include <algorithm>

#include "base/error.h"
#include "video/io/sequence.h"

namespace fabula {

void add_overwrite_options(CLI::App& command, OverwriteOptions& options) {
  CLI::Option* overwrite =
      command.add_flag("-y,--overwrite", options.overwrite, "Replace an existing file (default: refuse, exit code 73)");
  command.add_flag("-n,--no-clobber", options.no_clobber, "Keep an existing file and do nothing")->excludes(overwrite);
}

Existing existing_of(const OverwriteOptions& options) { return options.overwrite ? Existing::replace : Existing::refuse; }

bool is_printed(const std::string& output) { return output.empty() || output == "-"; }

bool may_write(const std::string& output, const OverwriteOptions& options, const Caller& caller, const std::vector<std::string>& inputs) {
  if (is_printed(output)) return true;
  for (const std::string& input : inputs) {
    if (is_same_file(input == "-" ? "/dev/stdin" : input, output))
      throw Error(ExitCode::cannot_create, output + " is what this command reads; name another file to write");
  }
  const std::optional<SequenceName> pictures = sequence_name(output);
  const bool exists = pictures ? !pictures->existing().empty() : output_exists(output);
  if (options.no_clobber && exists) {
    caller.tell(output + " exists already and is kept (--no-clobber)");
    return false;
  }
  if (pictures && exists && !options.overwrite)
    throw Error(ExitCode::cannot_create, pictures->existing().front().string() + " exists already; -y (--overwrite) replaces the sequence");
  check_output(output, existing_of(options));
  return true;
}

std::string ending_of(const std::filesystem::path& file) {
  std::string ending = file.extension();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c); });
  return ending;
}

}  // namespace fabula
