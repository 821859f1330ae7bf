// Progress with an estimate of the time left: seconds per fraction done so far.
#include "tools/fabula/progress.h"

#include <unistd.h>

#include <cmath>
#include <cstdio>

namespace fabula::cli {
namespace {

std::string clock_text(double seconds) {
  const long whole = std::lround(seconds);
  char text[32];
  std::snprintf(text, sizeof text, "%ld:%02ld", whole / 60, whole % 60);
  return text;
}

}  // namespace

ProgressLine::ProgressLine(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) != 0) {}

ProgressLine::~ProgressLine() {
  if (shown_ && terminal_) std::fputc('\n', stderr);
}

void ProgressLine::show(double fraction, const std::string& what) {
  if (quiet_) return;
  const Clock::time_point now = Clock::now();
  const double passed = std::chrono::duration<double>(now - start_).count();
  // An estimate from less than a fiftieth of the work would only jump about.
  const std::string left = fraction > 0.02 ? clock_text(passed / fraction * (1.0 - fraction)) + " left" : "";
  const int percent = static_cast<int>(fraction * 100.0);
  if (terminal_) {
    if (shown_ && fraction < 1.0 && now - last_ < std::chrono::milliseconds(100)) return;
    constexpr int width = 28;
    const int filled = static_cast<int>(fraction * width);
    std::string bar;
    for (int i = 0; i < width; ++i) bar += i < filled ? "█" : "░";
    std::fprintf(stderr, "\r\033[K%s %3d %%  %s  %s", bar.c_str(), percent, what.c_str(), left.c_str());
    std::fflush(stderr);
  } else {
    if (percent / 10 == last_step_) return;
    last_step_ = percent / 10;
    std::fprintf(stderr, "%3d %%  %s  %s\n", percent, what.c_str(), left.c_str());
  }
  shown_ = true;
  last_ = now;
}

}  // namespace fabula::cli
