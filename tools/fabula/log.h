// A file that gets everything that is said on standard error, with the time of each line.
#pragma once

#include <string>
#include <thread>

namespace fabula::cli {

/// Lines are passed on by a thread of its own, so that whatever writes to standard error need not know.
class Log {
 public:
  Log() = default;
  /// Waits until everything has been passed on.
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  /// Appends to `file` from here on. At most once. Throws Error(cannot_create).
  void open(const std::string& file);

 private:
  void pass_on(int from);

  int file_ = -1, terminal_ = -1;  // terminal_: what standard error was
  std::thread thread_;
};

}  // namespace fabula::cli
