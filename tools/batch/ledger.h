// What a batch has done, in one SQLite file beside its films. A killed batch loses nothing of it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/sqlite.h"

namespace fabula::batch {

/// A job that may come back: `fingerprint` stands for everything its film depends on; equal jobs of one file are told apart by
/// `occurrence`.
struct JobKey {
  std::string fingerprint;
  std::int64_t occurrence = 0;
};

/// A finished film.
struct FilmRecord {
  std::string output, title, prompt;
  std::int64_t bytes = 0;  ///< of the film
  std::string sha256;      ///< of the film
  std::string seed;
  std::int64_t milliseconds = 0;                   ///< that it took to make
  std::vector<std::string> unsupported, warnings;  ///< what could not be shown; what else is worth knowing
  std::string poster;                              ///< JPEG
  std::string finished;                            ///< UTC, when all that goes beside the film was written; empty until then
};

class Ledger {
 public:
  /// Makes the file if there is none, and holds it until destruction: a second batch in the folder is Error(io). Throws Error:
  /// cannot_create, io, bad_data (not a ledger, damaged, or of a newer Fabula).
  explicit Ledger(const std::filesystem::path& file);

  [[nodiscard]] std::optional<FilmRecord> find(const JobKey&) const;
  /// On disk when it returns. Replaces what was known of the job.
  void put(const JobKey&, const FilmRecord&);

 private:
  Database database_;
};

/// Whether the film of a record is there, byte for byte.
[[nodiscard]] bool is_whole(const FilmRecord&);

}  // namespace fabula::batch
