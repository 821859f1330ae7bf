// A job of a batch, made ready: its source read, its options understood, its film's identity known.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "library/source.h"
#include "tools/batch/jobs.h"
#include "tools/batch/ledger.h"
#include "tools/batch/names.h"
#include "tools/fabula/batch_run.h"

namespace fabula::cli {

struct BatchJob {
  std::size_t number = 0;
  std::string prompt;  ///< to be shown
  std::string file;    ///< that the source was read from; empty: none
  Source source;
  RenderOptions options;
  std::string name;  ///< template of the output
  batch::JobKey key;
  std::optional<Error> fault;
};

/// The jobs of the request. `model`: hash of everything that the bundle adds to a film. A job's fault stays with it. Throws Error as
/// parse_jobs and NameTemplate do.
[[nodiscard]] std::vector<BatchJob> ready_jobs(const BatchRequest&, const std::string& model);

/// The file of a job's film in `folder`. Throws Error: bad_data if it would leave the folder or does not end as films do, usage.
[[nodiscard]] std::filesystem::path output_of(const BatchJob&, const std::filesystem::path& folder, const plan::Film&, std::uint64_t seed);

/// `output`, which must stay inside `folder`: a stranger may have written the jobs. Throws Error(bad_data).
[[nodiscard]] std::filesystem::path inside(const std::filesystem::path& folder, const std::filesystem::path& output);

/// "007"
[[nodiscard]] std::string three_digits(std::size_t number);

}  // namespace fabula::cli
