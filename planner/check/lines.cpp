// What is said: in its shot, in its time, one thing at a time.
#include <map>

#include "planner/check/rules.h"
#include "planner/lm/unicode.h"

namespace fabula::plan {
namespace {

// How fast a language can be spoken, in letters and digits a second: its rate of syllables (Pellegrino, Coupé and Marsico 2011) times the letters
// of a syllable, and a tenth on top. Characters from `beyond` on are of other scripts; the language's voices are silent for them.
struct Speech {
  const char* language;
  double letters_per_second;
  std::int32_t beyond;
};
constexpr std::int32_t ascii = 0x80, alphabets = 0x2E80, all = 0x110000;
constexpr Speech speeches[] = {{"en", 20.0, ascii}, {"zh", 7.0, all}, {"ja", 10.0, all}, {"ko", 9.0, all}};
constexpr Speech other_language = {"", 22.0, alphabets};

constexpr double faster = 1.3, slower = 0.7;
constexpr double grace_ms = 400.0;  // a short word is over sooner than its letters say

Speech speech_of(const std::string& language) {
  const std::string main = language.substr(0, language.find('-'));  // "en-GB"
  for (const Speech& speech : speeches) {
    if (main == speech.language) return speech;
  }
  return other_language;
}

// Letters and digits that take time; a letter that is drawn out ("nooooo") counts twice.
int spoken_letters(const std::string& text, const Speech& speech) {
  int count = 0, run = 0;
  std::int32_t last = 0;
  for (std::size_t i = 0; i < text.size();) {
    const fabula::Character character = character_at(text, i);
    i += character.bytes;
    run = character.code == last ? run + 1 : 1;
    last = character.code;
    const bool is_spoken = character.kind == CharKind::letter || character.kind == CharKind::number;
    if (is_spoken && character.code < speech.beyond && run <= 2) ++count;
  }
  return count;
}

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
    if (!starts_inside) findings_.add(path + ".start_ms", "line-outside-shot", "is " + ms(l.start_ms) + ", the shot lasts from " + ms(s.start_ms) + " to " + ms(end_ms(s)));
    if (l.end_ms < l.start_ms || l.end_ms > end) {
      findings_.add(path + ".end_ms", "line-outside-shot", "is " + ms(l.end_ms) + ", the line starts at " + ms(l.start_ms) + " and must end by " + ms(end));
    } else {
      speed(path, l);
    }
    action(path, s, l);
    by_speaker_[l.speaker].push_back({&l, path});
  }

  void speed(const std::string& path, const Line& l) {
    const Speech speech = speech_of(l.language.empty() ? film_.language : l.language);
    const std::string pace = pace_of(l.speaker);
    const double rate = speech.letters_per_second * (pace == "fast" ? faster : pace == "slow" ? slower : 1.0);
    const int letters = spoken_letters(l.text, speech);
    const int needed = static_cast<int>(1000.0 * letters / rate - grace_ms);
    const long long given = static_cast<long long>(l.end_ms) - l.start_ms;
    if (needed > given) {
      findings_.add(path + ".text", "line-too-fast", "has " + ms(letters) + " letters for " + ms(given) + " ms, to speak them takes " + ms(needed) + " ms at least");
    }
  }

  std::string pace_of(const std::string& speaker) const {
    for (const Character& c : film_.characters) {
      if (c.id == speaker) return c.voice.pace;
    }
    return {};
  }

  // A picture in which nothing happens while somebody speaks looks frozen.
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
          findings_.add(lines[i].path + ".start_ms", "line-overlap", "is " + ms(lines[i].line->start_ms) + ", " + speaker + " speaks another line until " + ms(longest->line->end_ms));
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
