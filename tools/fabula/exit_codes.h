// The exit codes: one table for the help of every command and for `fabula explain`.
#pragma once

#include <initializer_list>
#include <span>
#include <string>

namespace fabula::cli {

struct ExitCodeEntry {
  int code;
  const char* brief;    ///< for a list of codes
  const char* meaning;  ///< a sentence
  const char* advice;   ///< what to do about it, a sentence
};

/// All codes, ascending.
[[nodiscard]] std::span<const ExitCodeEntry> exit_codes();

/// "Exit codes: 0 done, 2 usage ….", wrapped at 110 columns; of all codes if none is named.
[[nodiscard]] std::string exit_code_list(std::initializer_list<int> codes = {});

/// What stands below a command's options: `examples`, one per line, then its exit codes.
[[nodiscard]] std::string footer(const std::string& examples, std::initializer_list<int> codes);

}  // namespace fabula::cli
