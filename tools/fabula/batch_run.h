// What `fabula batch` is asked.
#pragma once

#include <map>
#include <string>

#include "library/render.h"
#include "tools/fabula/render_options.h"

namespace fabula::cli {

struct BatchRequest {
  std::string file;    ///< of jobs, or "-"
  std::string folder;  ///< of the films; empty: the current one
  std::string name = "{n:03d}_{title}";
  int plans = 8;       ///< at once
  RenderOptions film;  ///< of every job, unless it says otherwise
  /// Those of the options of `film` that were given, as they were given: name without dashes -> value.
  std::map<std::string, std::string> given;
};

/// Makes a film for each job of a file and prints a line about each. Throws Error: some_jobs_failed at the end if any failed; interrupted;
/// input_missing, bad_data, usage, cannot_create, unavailable, io.
void run_batch(const BatchRequest&);

/// The options of `command` that were given and that change what a film is.
[[nodiscard]] std::map<std::string, std::string> film_options_given(const CLI::App& command);

}  // namespace fabula::cli
