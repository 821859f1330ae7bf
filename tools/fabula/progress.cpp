// One way of showing progress per style; the time left is seconds per fraction done so far.
#include "tools/fabula/progress.h"

#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "planner/text/text.h"
#include "tools/fabula/cast_file.h"

namespace fabula::cli {

using nlohmann::ordered_json;

namespace {

constexpr std::array<const char*, 7> styles = {"auto", "bar", "plain", "json", "openjd", "alf", "none"};

std::string clock_text(double seconds) {
  const long whole = std::lround(seconds), hour = 3600;
  std::array<char, 32> text{};
  if (whole >= hour)
    std::snprintf(text.data(), text.size(), "%ld:%02ld:%02ld", whole / hour, whole / 60 % 60, whole % 60);
  else
    std::snprintf(text.data(), text.size(), "%ld:%02ld", whole / 60, whole % 60);
  return text.data();
}

std::string left_text(double left) { return left < 0.0 ? "" : clock_text(left) + " left"; }

std::string number_of(std::size_t index, std::size_t count) { return std::to_string(index + 1) + " of " + std::to_string(count); }

std::string text_of(const ProgressStep& step) {
  std::string text = step.films > 1 ? "film " + number_of(step.film, step.films) + ", " : "";
  if (step.stage != nullptr) return text + step.stage;
  return text + "shot " + number_of(step.shot, step.shots) + (step.attempt > 0 ? ", attempt " + std::to_string(step.attempt + 1) : "");
}

std::string dumped(const ordered_json& object) { return object.dump(-1, ' ', false, ordered_json::error_handler_t::replace); }

ordered_json begun(const char* kind) { return {{"v", 1}, {"ts", utc_now()}, {"event", kind}}; }

// Cut, not rounded: 100 % is the end and nothing before it.
double tenths(double percent) { return std::floor(percent * 10.0) / 10.0; }

}  // namespace

void add_progress_option(CLI::App& command, ProgressOptions& options) {
  command
      .add_option(
          "--progress", options.style,
          "How progress is shown: bar, plain, or for programs json (lines, the result being the last), openjd, alf; auto is a bar on "
          "a terminal, else plain")
      ->check(CLI::IsMember(std::vector<std::string>(styles.begin(), styles.end())))
      ->capture_default_str();
}

Progress::Style Progress::style_of(const std::string& name, bool quiet) {
  if (name == "bar") return Style::bar;
  if (name == "plain") return Style::plain;
  if (name == "json") return Style::json;
  if (name == "openjd") return Style::openjd;
  if (name == "alf") return Style::alf;
  if (name == "none" || quiet) return Style::none;
  return isatty(STDERR_FILENO) != 0 ? Style::bar : Style::plain;
}

Progress::Progress(const ProgressOptions& options, bool quiet, std::FILE* machines)
    : style_(style_of(options.style, quiet)), out_(style_ == Style::bar || style_ == Style::plain ? stderr : machines) {}

Progress::~Progress() { clear(); }

void Progress::clear() {
  if (line_open_) std::fputc('\n', out_);
  line_open_ = false;
}

bool Progress::is_due(double percent, const std::string& what, Clock::time_point now) const {
  if (style_ == Style::plain && percent < 1.0) return false;  // a run that is refused at once says one sentence
  if (shown_percent_ < 0.0 || (percent >= 100.0 && shown_percent_ < 100.0)) return true;
  if (style_ == Style::bar) return now - last_ >= std::chrono::milliseconds(100);
  if (style_ == Style::plain)
    return std::floor(percent / 10.0) > std::floor(shown_percent_ / 10.0) || now - last_ >= std::chrono::seconds(10);
  return std::floor(percent) > std::floor(shown_percent_) || what != shown_what_ || now - last_ >= std::chrono::seconds(10);
}

void Progress::show(double fraction, const ProgressStep& step) {
  if (style_ == Style::none) return;
  fraction_ = std::clamp(fraction, fraction_, 1.0);
  const Clock::time_point now = Clock::now();
  const std::string what = text_of(step);
  if (!is_due(fraction_ * 100.0, what, now)) return;
  const double left = pace_.left(fraction_, now);
  switch (style_) {
    case Style::bar:
      show_bar(what, left);
      break;
    case Style::plain:
      show_plain(what, left);
      break;
    case Style::json:
      show_json(step, left);
      break;
    case Style::openjd:
      show_openjd(what);
      break;
    case Style::alf:
      std::fprintf(out_, "ALF_PROGRESS %d%%\n", static_cast<int>(fraction_ * 100.0));
      break;
    case Style::none:
      break;
  }
  std::fflush(out_);
  shown_percent_ = fraction_ * 100.0;
  shown_what_ = what;
  last_ = now;
}

void Progress::show_bar(const std::string& what, double left) {
  constexpr int width = 28;
  const int filled = static_cast<int>(fraction_ * width);
  std::string bar;
  for (int i = 0; i < width; ++i) bar += i < filled ? "█" : "░";
  std::fprintf(out_, "\r\033[K%s %3d %%  %s  %s", bar.c_str(), static_cast<int>(fraction_ * 100.0), what.c_str(), left_text(left).c_str());
  line_open_ = true;
}

void Progress::show_plain(const std::string& what, double left) {
  std::fprintf(out_, "%3d %%  %s  %s\n", static_cast<int>(fraction_ * 100.0), what.c_str(), left_text(left).c_str());
}

void Progress::show_json(const ProgressStep& step, double left) {
  ordered_json line = begun("progress");
  line["stage"] = step.stage != nullptr ? step.stage : "shots";
  if (step.films > 1) line.update({{"film", step.film + 1}, {"films", step.films}});
  if (step.stage == nullptr) line.update({{"shot", step.shot + 1}, {"shots", step.shots}});
  if (step.attempt > 0) line["attempt"] = step.attempt + 1;
  line["progress"] = std::floor(fraction_ * 1e4) / 1e4;
  if (left >= 0.0) line["seconds_left"] = std::round(left * 10.0) / 10.0;
  std::fprintf(out_, "%s\n", dumped(line).c_str());
}

// Open Job Description, 2023-09: "openjd_progress: <number>", "openjd_status: <text>".
void Progress::show_openjd(const std::string& what) {
  if (what != shown_what_) std::fprintf(out_, "openjd_status: %s\n", what.c_str());
  std::fprintf(out_, "openjd_progress: %.1f\n", tenths(fraction_ * 100.0));
}

void Progress::event(const char* kind, const std::string& object) {
  ordered_json line = begun(kind);
  line.update(ordered_json::parse(object));
  std::fprintf(out_, "%s\n", dumped(line).c_str());
  std::fflush(out_);
}

void Progress::fail(const Error& error) {
  clear();
  if (style_ == Style::openjd) std::fprintf(out_, "openjd_fail: %s\n", printable(error.what()).c_str());
  if (style_ == Style::json) {
    ordered_json line = begun("error");
    line.update({{"code", static_cast<int>(error.code())}, {"error", error.what()}});
    std::fprintf(out_, "%s\n", dumped(line).c_str());
  }
  std::fflush(out_);
}

}  // namespace fabula::cli
