// Rules about dialogue: a line is inside its shot, long enough to be spoken, and the speaker's only one at the time.
#include <algorithm>
#include <map>

#include "planner/check/rules.h"
#include "planner/check/speech.h"

namespace fabula::plan {
namespace {

class LineCheck {
 public:
  LineCheck(const Film& film, Findings& findings) : film_(film), findings_(findings) {}

  void run() {
    for (std::size_t i = 0; i < film_.shots.size(); ++i) {
      const Shot& s = film_.shots[i];
      for (std::size_t k = 0; k < s.dialogue.size(); ++k) line(at(at("shots", i) + ".dialogue", k), s, s.dialogue[k]);
    }
    overlaps();
  }

 private:
  struct Spoken {
    const Line* line;
    std::string path;
  };

  static std::string ms(long long time) { return std::to_string(time); }

  void line(const std::string& path, const Shot& s, const Line& l) {
    const long long end = l.crosses_cut ? film_.total_ms : end_ms(s);
    const bool starts_inside = l.start_ms >= s.start_ms && l.start_ms <= end_ms(s);
    if (!starts_inside)
      findings_.add(path + ".start_ms", "line-outside-shot",
                    "is " + ms(l.start_ms) + ", the shot lasts from " + ms(s.start_ms) + " to " + ms(end_ms(s)));
    if (l.end_ms < l.start_ms || l.end_ms > end) {
      findings_.add(path + ".end_ms", "line-outside-shot",
                    "is " + ms(l.end_ms) + ", the line starts at " + ms(l.start_ms) + " and must end by " + ms(end));
    } else {
      speed(path, l);
    }
    action(path, s, l);
    by_speaker_[l.speaker].push_back({&l, path});
  }

  void speed(const std::string& path, const Line& l) {
    const int needed = spoken_ms(l.text, l.language.empty() ? film_.language : l.language, pace_of(film_, l.speaker));
    const long long given = static_cast<long long>(l.end_ms) - l.start_ms;
    if (needed > given) {
      findings_.add(path + ".text", "line-too-fast", "has " + ms(given) + " ms, to speak it takes " + ms(needed) + " ms at least");
    }
  }

  // A picture without action while someone speaks looks frozen.
  void action(const std::string& path, const Shot& s, const Line& l) {
    if (l.mode != "on_screen") return;
    long long begins = end_ms(s);
    for (const ActionBeat& beat : s.action_beats) begins = std::min(begins, static_cast<long long>(s.start_ms) + beat.at_ms);
    const long long lasts = static_cast<long long>(l.end_ms) - l.start_ms, acted = end_ms(s) - begins;
    if (lasts > acted) findings_.add(path, "line-outlasts-action", "lasts " + ms(lasts) + " ms, the action of its shot " + ms(acted));
  }

  void overlaps() {
    for (auto& [speaker, lines] : by_speaker_) {
      std::stable_sort(lines.begin(), lines.end(), [](const Spoken& a, const Spoken& b) { return a.line->start_ms < b.line->start_ms; });
      const Spoken* longest = &lines.front();
      for (std::size_t i = 1; i < lines.size(); ++i) {
        if (lines[i].line->start_ms < longest->line->end_ms) {
          findings_.add(lines[i].path + ".start_ms", "line-overlap",
                        "is " + ms(lines[i].line->start_ms) + ", " + speaker + " speaks another line until " + ms(longest->line->end_ms));
        }
        if (lines[i].line->end_ms > longest->line->end_ms) longest = &lines[i];
      }
    }
  }

  const Film& film_;
  Findings& findings_;
  std::map<std::string, std::vector<Spoken>> by_speaker_;
};

}  // namespace

void check_lines(const Film& film, Findings& findings) { LineCheck(film, findings).run(); }

}  // namespace fabula::plan
