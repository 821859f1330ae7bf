// The one error type, with a code from the command line's table and a sentence that a user can act on.
#pragma once

#include <stdexcept>
#include <string>

namespace fabula {

/// Process exit codes. Stable: scripts and farms rely on them (sysexits.h where it has a word for it).
enum class ExitCode : int {
  done = 0,
  unexpected = 1,
  usage = 2,
  some_jobs_failed = 3,
  bad_data = 65,       ///< a plan, model or media file is malformed
  input_missing = 66,  ///< a named input does not exist or cannot be read
  unavailable = 69,    ///< model or device not available
  internal = 70,       ///< a defect in Fabula
  out_of_memory = 71,
  cannot_create = 73,  ///< the output cannot be created
  io = 74,             ///< read or write failed, disk full
  checkpointed = 75,   ///< part of the work is missing: do it, then run again
  check_failed = 76,   ///< the output did not pass its own check
  configuration = 78,
  interrupted = 130,
};

class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& sentence) : std::runtime_error(sentence), code_(code) {}
  [[nodiscard]] ExitCode code() const noexcept { return code_; }

 private:
  ExitCode code_;
};

}  // namespace fabula
