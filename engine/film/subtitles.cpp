// Times the lines of a plan so that they can be read.
#include "engine/film/subtitles.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <set>

#include "engine/film/film.h"
#include "engine/film/subtitle_lines.h"

namespace fabula {
namespace {

using Rules = SubtitleRules;

// A cue before its times are settled.
struct Draft {
  std::int64_t start_ms, end_ms;  // of what is heard
  int reading_ms;
  int columns;  // that a line may have
  std::vector<SubtitleLine> lines;
};

class Drafts {
 public:
  Drafts(const plan::Film& film, SubtitleKind kind) : film_(film), kind_(kind) {
    for (const plan::Character& character : film.characters) names_[character.id] = character.name;
  }

  std::vector<Draft> all() && {
    for (const plan::Shot& shot : film_.shots) {
      std::vector<plan::SoundEffect> sounds = sounds_of(shot);
      for (const plan::Line& line : shot.dialogue) add_line(shot, line, sounds);
      for (const plan::SoundEffect& sound : sounds) add_sound(shot.start_ms + sound.at_ms, sound);
    }
    std::stable_sort(drafts_.begin(), drafts_.end(), [](const Draft& a, const Draft& b) { return a.start_ms < b.start_ms; });
    merge_what_is_heard_at_once();
    return std::move(drafts_);
  }

 private:
  // Each sound of a shot once, when it is first heard.
  [[nodiscard]] std::vector<plan::SoundEffect> sounds_of(const plan::Shot& shot) const {
    std::vector<plan::SoundEffect> sounds;
    if (kind_ != SubtitleKind::sdh) return sounds;
    std::set<std::string> said;
    for (const plan::SoundEffect& sound : shot.sfx) {
      if (said.insert(sound.description).second) sounds.push_back(sound);
    }
    return sounds;
  }

  [[nodiscard]] std::string name_of(const std::string& id) const {
    const auto found = names_.find(id);
    return subtitle_text(found == names_.end() ? id : found->second);
  }

  // Sounds that begin while the line is spoken stand before its words, so that they do not compete for its time.
  std::string text_of(const plan::Shot& shot, const plan::Line& line, std::vector<plan::SoundEffect>& sounds) {
    std::string text = subtitle_text(line.text);
    if (kind_ != SubtitleKind::sdh) return text;
    if (line.speaker != last_speaker_ || line.mode != "on_screen") text = name_of(line.speaker) + ": " + text;
    last_speaker_ = line.speaker;
    std::string before;
    std::erase_if(sounds, [&](const plan::SoundEffect& sound) {
      const int at = shot.start_ms + sound.at_ms;
      const bool is_during = at + Rules::least_ms > line.start_ms && at < line.end_ms;
      if (is_during) before += "[" + subtitle_text(sound.description) + "] ";
      return is_during;
    });
    return before + text;
  }

  void add_line(const plan::Shot& shot, const plan::Line& line, std::vector<plan::SoundEffect>& sounds) {
    const std::string text = text_of(shot, line, sounds);
    const SubtitleLimits limits = subtitle_limits(line.language.empty() ? film_.language : line.language, text);
    const int whole = reading_ms(text, limits);
    double start = line.start_ms;
    for (const std::vector<std::string>& piece : subtitle_pieces(text, limits)) {
      int reading = 0;
      std::vector<SubtitleLine> lines;
      for (const std::string& part : piece) {
        reading += reading_ms(part, limits);
        lines.push_back({name_of(line.speaker), part});
      }
      const double end = start + static_cast<double>(line.end_ms - line.start_ms) * reading / std::max(whole, 1);
      drafts_.push_back({std::lround(start), std::lround(end), reading, limits.columns, std::move(lines)});
      start = end;
    }
  }

  void add_sound(std::int64_t at, const plan::SoundEffect& sound) {
    const std::string text = "[" + subtitle_text(sound.description) + "]";
    const SubtitleLimits limits = subtitle_limits(film_.language, text);
    for (const std::vector<std::string>& piece : subtitle_pieces(text, limits)) {
      Draft draft{at, at + Rules::least_ms, 0, limits.columns, {}};
      for (const std::string& part : piece) {
        draft.reading_ms += reading_ms(part, limits);
        draft.lines.push_back({"", part});
      }
      drafts_.push_back(std::move(draft));
    }
  }

  static bool may_share(const Draft& a, const Draft& b) {
    constexpr int dash = 2;
    return a.lines.size() + b.lines.size() <= SubtitleLimits::lines && b.start_ms < a.end_ms &&
           columns_of(a.lines.front().text) + dash <= a.columns && columns_of(b.lines.front().text) + dash <= b.columns;
  }

  void merge_what_is_heard_at_once() {
    std::vector<Draft> merged;
    for (Draft& draft : drafts_) {
      if (merged.empty() || !may_share(merged.back(), draft)) {
        merged.push_back(std::move(draft));
        continue;
      }
      Draft& both = merged.back();
      both.end_ms = std::max(both.end_ms, draft.end_ms);
      both.reading_ms += draft.reading_ms;
      both.lines.insert(both.lines.end(), draft.lines.begin(), draft.lines.end());
    }
    drafts_ = std::move(merged);
  }

  const plan::Film& film_;
  SubtitleKind kind_;
  std::map<std::string, std::string> names_;
  std::string last_speaker_;
  std::vector<Draft> drafts_;
};

// Where the shots really begin: on whole frames.
std::vector<std::int64_t> cuts_of(const plan::Film& film) {
  std::vector<std::int64_t> cuts;
  for (const plan::Shot& shot : film.shots)
    cuts.push_back(std::lround(1000.0 * static_cast<double>(frames_before(shot.start_ms, film.fps)) / film.fps));
  cuts.push_back(film.total_ms);
  return cuts;
}

// `end`, moved to a cut nearby if what is spoken is over by then and the cue can still be read.
std::int64_t end_at_cut(std::int64_t end, std::int64_t earliest, std::int64_t latest, const std::vector<std::int64_t>& cuts) {
  for (const std::int64_t cut : cuts) {
    if (std::abs(cut - end) <= Rules::near_cut_ms && cut >= earliest && cut <= latest) return cut;
  }
  return end;
}

}  // namespace

Subtitles subtitles_of(const plan::Film& film, SubtitleKind kind) {
  const std::vector<Draft> drafts = Drafts(film, kind).all();
  const std::vector<std::int64_t> cuts = cuts_of(film);
  Subtitles subtitles;
  std::int64_t free_from = 0;
  for (std::size_t i = 0; i < drafts.size(); ++i) {
    const Draft& draft = drafts[i];
    const std::int64_t start = std::max(draft.start_ms, free_from);
    const std::int64_t needed = start + std::max(Rules::least_ms, draft.reading_ms);
    // The next cue may come a little late for the sake of this one.
    std::int64_t latest = film.total_ms;
    if (i + 1 < drafts.size()) {
      const std::int64_t on_time = drafts[i + 1].start_ms - Rules::gap_ms;
      latest = std::min(latest, std::clamp(needed, on_time, on_time + Rules::most_lag_ms));
    }
    latest = std::min(latest, start + Rules::most_ms);
    const std::int64_t end = std::min(std::max(draft.end_ms, needed), latest);
    if (end <= start) {  // others speak until the film is over
      ++subtitles.too_fast;
      continue;
    }
    const std::int64_t settled = end_at_cut(end, std::max(draft.end_ms, needed), latest, cuts);
    if (settled < needed) ++subtitles.too_fast;
    subtitles.cues.push_back({start, settled, draft.lines});
    free_from = settled + Rules::gap_ms;
  }
  return subtitles;
}

}  // namespace fabula
