// How far a long job is: for people, for other programs and for render farms.
#pragma once

#include <cstddef>
#include <cstdio>
#include <string>

#include "base/error.h"
#include "library/pace.h"

namespace CLI {
class App;
}

namespace fabula::cli {

struct ProgressOptions {
  std::string style = "auto";
};
/// --progress
void add_progress_option(CLI::App&, ProgressOptions&);

/// What is being done.
struct ProgressStep {
  const char* stage = nullptr;      ///< such as "planning"; null: a shot is being made
  std::size_t film = 0, films = 1;  ///< index, number
  std::size_t shot = 0, shots = 0;  ///< index, number; of the film
  int attempt = 0;                  ///< index; at the shot
};

/// One job from beginning to end. What it shows never falls.
class Progress {
 public:
  /// `quiet`: nothing is shown unless a style was asked for. Styles for machines go to `machines`, the others to standard error.
  Progress(const ProgressOptions&, bool quiet, std::FILE* machines = stdout);
  ~Progress();  ///< ends the line
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `fraction` of the whole job is done, in [0, 1].
  void show(double fraction, const ProgressStep&);
  /// What the time left is judged by.
  [[nodiscard]] Pace& pace() { return pace_; }
  /// Makes room for other output: a line that is rewritten is ended.
  void clear();

  /// Whether results are events, too: then event() prints them, and nothing else should.
  [[nodiscard]] bool takes_results() const { return style_ == Style::json; }
  /// `kind`: "result" for the last, "job" for one of several. `object`: a JSON object.
  void event(const char* kind, const std::string& object);
  void fail(const Error&);

 private:
  enum class Style : unsigned char { none, bar, plain, json, openjd, alf };
  using Clock = Pace::Clock;

  static Style style_of(const std::string& name, bool quiet);
  [[nodiscard]] bool is_due(double percent, const std::string& what, Clock::time_point now) const;
  void show_bar(const std::string& what, double left);
  void show_plain(const std::string& what, double left);
  void show_json(const ProgressStep&, double left);
  void show_openjd(const std::string& what);

  Style style_;
  std::FILE* out_;
  bool line_open_ = false;
  double fraction_ = 0.0, shown_percent_ = -1.0;
  Pace pace_;
  std::string shown_what_;
  Clock::time_point last_ = {};
};

}  // namespace fabula::cli
