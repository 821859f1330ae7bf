// A progress line with the time left.
#pragma once

#include <chrono>
#include <string>

namespace fabula::cli {

/// Writes to standard error: on a terminal one line that is rewritten, elsewhere one line per ten per cent.
class ProgressLine {
 public:
  explicit ProgressLine(bool quiet);
  ~ProgressLine();  ///< ends the line
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// `fraction` of the work is done, in [0, 1]; `what` describes it, for example "shot 2 of 3".
  void show(double fraction, const std::string& what);

 private:
  using Clock = std::chrono::steady_clock;
  bool quiet_, terminal_, shown_ = false;
  int last_step_ = -1;
  Clock::time_point start_ = Clock::now(), last_ = {};
};

}  // namespace fabula::cli
