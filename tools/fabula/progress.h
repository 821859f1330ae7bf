// A progress line with the time that is left.
#pragma once

#include <chrono>
#include <string>

namespace fabula::cli {

/// On a terminal one line that is rewritten; elsewhere a line every ten per cent. Writes to standard error.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  ~ProgressLine();  ///< ends the line
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// fraction of the whole in [0, 1]; `what` names the work, for example "shot 2 of 3".
  void show(double fraction, const std::string& what);

 private:
  using Clock = std::chrono::steady_clock;
  bool quiet_, terminal_, shown_ = false;
  int last_step_ = -1;
  Clock::time_point start_ = Clock::now(), last_ = {};
};

}  // namespace fabula::cli
