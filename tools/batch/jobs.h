// The jobs of a batch, from JSON, JSON lines, CSV or a prompt a line.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace fabula::batch {

struct Job {
  std::size_t number = 0;  ///< in the file, from 1
  std::string source;      ///< a prompt or a file
  /// What `source` is. `any`: whatever `fabula render` would take it for.
  enum class Kind : unsigned char { any, prompt, plan, screenplay } kind = Kind::any;
  std::string output;                                        ///< as given; empty: named by the batch
  std::vector<std::pair<std::string, std::string>> options;  ///< "steps" -> "4", in the file's order; a flag is "true" or "false"
  std::optional<Error> fault;                                ///< what is wrong with this job; the others are not affected
};

/// Reads `text`, the contents of the file `name`:
/// - JSON: a list of objects. `{"prompt": …}`, `{"plan": FILE}` or `{"screenplay": FILE}`, with an "output" and options if wanted.
/// - CSV (a name ending in .csv, or a first line of such keys): a header, separated by commas, semicolons or tabs; empty cells are absent.
/// - Lines: each a source as `fabula render` takes it, or a JSON object as above. Blank lines and lines that begin with # are skipped.
/// Throws Error(bad_data) for a file that cannot be taken apart or has no jobs.
[[nodiscard]] std::vector<Job> parse_jobs(const std::string& text, const std::string& name);

}  // namespace fabula::batch
