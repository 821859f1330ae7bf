// Where results go: what every command asks before it writes a file, and how it writes one.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/output_file.h"

namespace CLI {
class App;
}

namespace fabula::cli {

/// What becomes of a file that has the output's name already; with neither it is refused.
struct OverwriteOptions {
  bool overwrite = false;   ///< -y: it is replaced
  bool no_clobber = false;  ///< -n: it is kept, which is no error
};
void add_overwrite_options(CLI::App& command, OverwriteOptions& options);
[[nodiscard]] Existing existing_of(const OverwriteOptions&);

/// Whether a result for `output` goes to standard output: none is named, or "-".
[[nodiscard]] bool is_printed(const std::string& output);

/// Asked before any work: whether `output` is to be written. False, and told on standard error, where --no-clobber keeps it. Throws
/// Error(cannot_create) where it cannot be written or is there already, and, whatever the options, where it is one of the `inputs` ("-" is
/// standard input).
[[nodiscard]] bool may_write(const std::string& output, const OverwriteOptions&, const std::vector<std::string>& inputs = {});

/// Writes `text` to `output` and nothing else, or prints it.
void write_output(const std::string& output, const std::string& text, const OverwriteOptions&);
/// Prints the output's name, unless the output itself was printed.
void tell_output(const std::string& output);

/// ".mp4" of "film.MP4".
[[nodiscard]] std::string ending_of(const std::filesystem::path& file);

}  // namespace fabula::cli
