// Rules about the timing of shots, beats and music.
#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "planner/check/limits.h"
#include "planner/check/rules.h"

namespace fabula::plan {
namespace {

class ShotCheck {
 public:
  ShotCheck(const Film& film, Findings& findings) : film_(film), findings_(findings) {}

  void run() {
    if (film_.shots.empty()) find("shots", "no-shots", "is empty");
    long long clock = 0;
    for (std::size_t i = 0; i < film_.shots.size(); ++i) {
      const Shot& s = film_.shots[i];
      const std::string path = at("shots", i);
      if (s.start_ms != clock)
        find(path + ".start_ms", "shot-tiling",
             "is " + ms(s.start_ms) + ", " + (i == 0 ? "the film starts" : "the shot before ends") + " at " + ms(clock));
      if (s.duration_ms < 1) find(path + ".duration_ms", "shot-duration", "is " + ms(s.duration_ms) + ", a shot lasts at least 1 ms");
      clock = end_ms(s);
      crowd(path, s);
      times(path, s);
      transition(path, i);
      chain(path, i);
      same_size(path, i);
    }
    if (film_.total_ms != clock) find("total_ms", "total-mismatch", "is " + ms(film_.total_ms) + ", the shots end at " + ms(clock));
    ending();
    beats();
    music();
  }

 private:
  static std::string ms(long long time) { return std::to_string(time); }
  void find(const std::string& path, const char* rule, const std::string& sentence) { findings_.add(path, rule, sentence); }

  void crowd(const std::string& path, const Shot& s) {
    std::set<std::string> active;
    for (const ActionBeat& beat : s.action_beats) active.insert(beat.who);
    for (const Line& line : s.dialogue) active.insert(line.speaker);
    if (active.size() > ShotLimits::actors)
      find(path, "too-many-actors",
           "has " + ms(static_cast<long long>(active.size())) + " characters who act or speak, at most " +
               std::to_string(ShotLimits::actors) + " can");
    if (s.action_beats.size() > ShotLimits::actions) {
      find(path + ".action_beats", "too-many-actions",
           "has " + std::to_string(s.action_beats.size()) + " beats, at most " + std::to_string(ShotLimits::actions) + " fit into a shot");
    }
  }

  void times(const std::string& path, const Shot& s) {
    const auto inside = [&](const std::string& where, int time) {
      if (time < 0 || time >= s.duration_ms)
        find(where, "time-outside-shot", "is " + ms(time) + ", the shot lasts from 0 to " + ms(s.duration_ms));
    };
    for (std::size_t i = 0; i < s.cast.size(); ++i) inside(at(path + ".cast", i) + ".visible_at", s.cast[i].visible_at);
    for (std::size_t i = 0; i < s.sfx.size(); ++i) inside(at(path + ".sfx", i) + ".at_ms", s.sfx[i].at_ms);
    for (std::size_t i = 0; i < s.action_beats.size(); ++i) {
      const std::string here = at(path + ".action_beats", i) + ".at_ms";
      inside(here, s.action_beats[i].at_ms);
      const long long left = film_.total_ms - (static_cast<long long>(s.start_ms) + s.action_beats[i].at_ms);
      if (left >= 0 && left < ShotLimits::quiet_end_ms)
        find(here, "late-beat", "is " + ms(left) + " ms before the film's end: there is no time to see it");
    }
  }

  void transition(const std::string& path, std::size_t index) {
    const Transition& t = film_.shots[index].transition;
    const bool is_instant = t.kind == "cut" || t.kind == "continue";
    const int shortest =
        std::min(film_.shots[index].duration_ms, index == 0 ? std::numeric_limits<int>::max() : film_.shots[index - 1].duration_ms);
    if (is_instant && t.ms != 0) find(path + ".transition.ms", "transition-time", "is " + ms(t.ms) + ", a " + t.kind + " takes no time");
    if (!is_instant && (t.ms < 1 || t.ms >= shortest)) {
      find(path + ".transition.ms", "transition-time",
           "is " + ms(t.ms) + ", a " + t.kind + " takes at least 1 ms and leaves both shots some of theirs");
    }
    if (index == 0 && t.kind != "cut" && t.kind != "fade")
      find(path + ".transition.kind", "transition-start", "is " + t.kind + ", but no shot comes before");
    if (index > 0 && t.kind == "continue" && film_.shots[index - 1].place != film_.shots[index].place) {
      find(path + ".transition.kind", "transition-continue", "is continue, but the shot before is at " + film_.shots[index - 1].place);
    }
  }

  void ending() {
    const Transition& t = film_.ending;
    if (t.kind != "cut" && t.kind != "fade") find("ending.kind", "transition-start", "is " + t.kind + ", but no shot comes after");
    const int longest = film_.shots.empty() ? 0 : film_.shots.back().duration_ms;
    if (t.kind == "cut" ? t.ms != 0 : t.ms < 1 || t.ms >= longest)
      find("ending.ms", "transition-time", "is " + ms(t.ms) + ", a cut takes no time and a fade leaves the last shot some of its own");
  }

  void chain(const std::string& path, std::size_t index) {
    const Conditioning& c = film_.shots[index].conditioning;
    const auto here = film_.shots.begin() + static_cast<std::ptrdiff_t>(index);
    const bool is_earlier = std::any_of(film_.shots.begin(), here, [&](const Shot& s) { return s.id == c.chain_from; });
    if (c.mode == "chain" && !is_earlier)
      find(path + ".conditioning.chain_from", "conditioning-chain", "\"" + c.chain_from + "\" is not an earlier shot");
    if (c.mode != "chain" && !c.chain_from.empty())
      find(path + ".conditioning.chain_from", "conditioning-chain", "is set, but the mode is " + c.mode);
  }

  void same_size(const std::string& path, std::size_t index) {
    const std::string& size = film_.shots[index].camera.size;
    alike_ = index > 0 && film_.shots[index - 1].camera.size == size ? alike_ + 1 : 1;
    if (alike_ == ShotLimits::same_size_in_a_row + 1)
      find(path + ".camera.size", "same-size", "is " + size + " for the third time in a row");
  }

  // The first and last shot of each beat must agree with the order of the list and with what beats require.
  void beats() {
    struct Span {
      std::size_t first, last;
    };
    std::map<std::string, Span> spans;
    for (std::size_t i = 0; i < film_.shots.size(); ++i) spans.try_emplace(film_.shots[i].beat, Span{i, i}).first->second.last = i;

    std::string before;  // the beat that began most recently
    for (std::size_t i = 0; i < film_.beats.size(); ++i) {
      const Beat& beat = film_.beats[i];
      const auto span = spans.find(beat.id);
      if (span == spans.end()) {
        find(at("beats", i), "beat-uncovered", "\"" + beat.id + "\" is shown by no shot");
        continue;
      }
      if (!before.empty() && spans.at(before).first > span->second.first) {
        find(at("shots", span->second.first) + ".beat", "beat-order",
             "\"" + beat.id + "\" begins before \"" + before + "\", which is listed earlier");
      } else {
        before = beat.id;
      }
      for (std::size_t k = 0; k < beat.needs.size(); ++k) {
        const auto needed = spans.find(beat.needs[k]);
        if (needed != spans.end() && needed->second.last >= span->second.first) {
          find(at(at("beats", i) + ".requires", k), "beat-requires",
               "\"" + beat.needs[k] + "\" is not over when \"" + beat.id + "\" begins");
        }
      }
    }
  }

  void music() {
    const Sound& sound = film_.sound;
    const int in = sound.music_in_ms.value_or(0), out = sound.music_out_ms.value_or(film_.total_ms);
    if (out > film_.total_ms) find("sound.music_out_ms", "music-time", "is " + ms(out) + ", the film ends at " + ms(film_.total_ms));
    if (in >= out && (sound.music_in_ms || sound.music_out_ms))
      find(sound.music_in_ms ? "sound.music_in_ms" : "sound.music_out_ms", "music-time",
           "makes the music begin at " + ms(in) + " and end at " + ms(out));
  }

  const Film& film_;
  Findings& findings_;
  std::size_t alike_ = 0;
};

}  // namespace

void check_shots(const Film& film, Findings& findings) { ShotCheck(film, findings).run(); }

}  // namespace fabula::plan
