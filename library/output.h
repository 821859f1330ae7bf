// What happens to files that are there already: what is checked before any work.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/output_file.h"
#include "library/caller.h"

namespace CLI {
class App;
}

namespace fabula {

/// What happens to an existing file of the output's name. With neither flag it is kept and the command fails.
struct OverwriteOptions {
  bool overwrite = false;   ///< -y: replaced
  bool no_clobber = false;  ///< -n: kept, and the command succeeds
};
void add_overwrite_options(CLI::App& command, OverwriteOptions& options);
[[nodiscard]] Existing existing_of(const OverwriteOptions&);

/// Whether `output` means standard output: it is empty or "-".
[[nodiscard]] bool is_printed(const std::string& output);

/// To be called before any work: whether `output` is to be written. False if --no-clobber keeps a file, which the caller is told. Throws
/// Error(cannot_create) if it cannot be written or exists, and, whatever the options, if it is one of the `inputs` ("-" is standard input).
[[nodiscard]] bool may_write(const std::string& output, const OverwriteOptions&, const Caller&,
                             const std::vector<std::string>& inputs = {});

/// ".mp4" of "film.MP4".
[[nodiscard]] std::string ending_of(const std::filesystem::path& file);

}  // namespace fabula
