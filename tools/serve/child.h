// A program that runs beside the service and ends with it.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace fabula::serve {

struct Command {
  std::vector<std::string> arguments;  ///< the program first, an absolute path
  std::filesystem::path folder;        ///< that it runs in
  std::filesystem::path messages;      ///< gets its standard error
  std::filesystem::path input;         ///< file that is its standard input; empty: nothing is
};

/// How it ended.
struct Ending {
  int code = 0;    ///< exit code
  int signal = 0;  ///< that killed it; 0: none
  bool timed_out = false;
};

/// Runs the command to its end. It gets no other open file, and SIGKILL when the calling thread ends, which must therefore outlive it.
/// `line`: gets each line of its standard output. `stop`: asked ten times a second; true sends SIGTERM once, and SIGKILL after
/// `grace`. The same happens when it has run for `longest` (0: as long as it likes). Throws Error: io, cannot_create.
[[nodiscard]] Ending run_child(const Command& command, const std::function<void(const std::string&)>& line,
                               const std::function<bool()>& stop, std::chrono::seconds longest, std::chrono::seconds grace);

}  // namespace fabula::serve
