// Splits long shots, groups pieces into clips by least cost, and divides lines among them.
#include "planner/h3/clips.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "planner/h3/words.h"
#include "planner/text/unicode.h"

namespace fabula::h3 {
namespace {

// Costs of a grouping, in milliseconds of wasted footage.
constexpr long long a_clip = 1000;          // per clip: every clip starts from scratch
constexpr long long under_a_line = 30'000;  // a border inside a line: two requests must match a voice
constexpr long long under_a_take = 8000;    // a border at a "continue", inside one take
constexpr long long under_a_mix = 1500;     // a border at a dissolve or wipe, which assembly must then make

int end_ms(const plan::Shot& s) { return s.start_ms + s.duration_ms; }

// The times of speech as disjoint intervals, in order. The moment between two touching intervals is inside neither.
class Speech {
 public:
  explicit Speech(const plan::Film& film) {
    for (const plan::Shot& s : film.shots) {
      for (const plan::Line& l : s.dialogue) all_.push_back({l.start_ms, l.end_ms});
    }
    std::sort(all_.begin(), all_.end(), [](const Interval& a, const Interval& b) { return a.start < b.start; });
    std::size_t kept = 0;
    for (const Interval& next : all_) {
      if (kept > 0 && next.start < all_[kept - 1].end)
        all_[kept - 1].end = std::max(all_[kept - 1].end, next.end);
      else
        all_[kept++] = next;
    }
    all_.resize(kept);
  }

  /// The moment in [low, high] nearest to `ms` that is inside no line; `ms` itself if there is none.
  int quiet_near(int ms, int low, int high) const {
    const Interval* around = inside(ms);
    if (around == nullptr) return ms;
    const bool before = around->start >= low, after = around->end <= high;
    if (before && (!after || ms - around->start <= around->end - ms)) return around->start;
    return after ? around->end : ms;
  }
  bool under(int ms) const { return inside(ms) != nullptr; }

 private:
  struct Interval {
    int start, end;
  };
  const Interval* inside(int ms) const {
    const auto next = std::upper_bound(all_.begin(), all_.end(), ms, [](int time, const Interval& i) { return time < i.start; });
    if (next == all_.begin()) return nullptr;
    const Interval& last = *(next - 1);
    return last.start < ms && ms < last.end ? &last : nullptr;
  }
  std::vector<Interval> all_;
};

void require_tiling(const plan::Film& film) {
  long long at = 0;
  for (const plan::Shot& s : film.shots) {
    if (s.start_ms != at || s.duration_ms <= 0)
      throw Error(ExitCode::bad_data, "shot " + s.id + " does not begin where the one before it ends; `fabula plan --check` says more");
    at += s.duration_ms;
  }
  if (film.shots.empty() || at != film.total_ms)
    throw Error(ExitCode::bad_data, "the plan's shots do not fill the film; `fabula plan --check` says more");
}

// Splits a shot into `count` pieces, as even as lines permit; `quiet` is set to whether no split cuts a line.
Pieces split(const plan::Shot& s, const Speech& speech, std::size_t shot, int count, bool& quiet) {
  Pieces pieces;
  int start = s.start_ms;
  quiet = true;
  for (int i = 1; i < count; ++i) {
    const int low = std::max(start + 1, end_ms(s) - (count - i) * longest_ms),
              high = std::min(start + longest_ms, end_ms(s) - 1);  // the rest must fit as well
    const int even = std::clamp(s.start_ms + static_cast<int>(static_cast<long long>(s.duration_ms) * i / count), low, high);
    const int end = speech.quiet_near(even, low, high);
    quiet = quiet && !speech.under(end);
    pieces.push_back({shot, start, end});
    start = end;
  }
  pieces.push_back({shot, start, end_ms(s)});
  return pieces;
}

// Splits a shot into as few pieces as possible, or one more if that avoids cutting a line.
Pieces pieces_of(const plan::Shot& s, const Speech& speech, std::size_t shot) {
  const int least = (s.duration_ms + longest_ms - 1) / longest_ms;
  bool quiet = true;
  Pieces pieces = split(s, speech, shot, least, quiet);
  if (quiet) return pieces;
  Pieces more = split(s, speech, shot, least + 1, quiet);
  return quiet ? more : pieces;
}

// The cost of beginning a clip with piece i.
long long border_cost(const plan::Film& film, const Speech& speech, const Pieces& pieces, std::size_t i) {
  if (i == 0) return 0;
  long long cost = speech.under(pieces[i].start_ms) ? under_a_line : 0;
  if (pieces[i].shot == pieces[i - 1].shot) return cost;  // an unavoidable split
  const std::string& kind = film.shots[pieces[i].shot].transition.kind;
  if (kind == "continue") cost += under_a_take;
  if (kind == "dissolve" || kind == "wipe") cost += under_a_mix;
  return cost;
}

// The byte offsets at which `text` may be divided: before words, or before any character of a script without spaces.
std::vector<std::size_t> joints(const std::string& text) {
  const bool has_spaces = text.find(' ') != std::string::npos;
  std::vector<std::size_t> at;
  for (std::size_t i = 0; i < text.size();) {
    const fabula::Character c = character_at(text, i);
    if (i > 0 && (has_spaces ? text[i - 1] == ' ' : c.kind == CharKind::letter && c.code >= 0x2E80)) at.push_back(i);
    i += c.bytes;
  }
  return at;
}

std::string without_edges(std::string text) {
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  text.erase(text.find_last_not_of(' ') + 1);
  return text;
}

struct Place {
  std::size_t clip, piece;
};

}  // namespace

int legal_frames(int duration_ms) {
  const int needed = (duration_ms * fps + 999) / 1000;
  return std::max(shortest_frames, (needed - 5 + 16) / 17 * 17 + 5);
}

std::vector<Pieces> clips_of(const plan::Film& film) {
  require_tiling(film);
  const Speech speech(film);
  Pieces pieces;
  for (std::size_t i = 0; i < film.shots.size(); ++i) {
    const Pieces more = pieces_of(film.shots[i], speech, i);
    pieces.insert(pieces.end(), more.begin(), more.end());
  }

  // best[j]: the least cost of pieces [0, j) as clips; from[j]: the first piece of the last clip.
  std::vector<long long> best(pieces.size() + 1, std::numeric_limits<long long>::max());
  std::vector<std::size_t> from(pieces.size() + 1, 0);
  best[0] = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const long long before = best[i] + a_clip + border_cost(film, speech, pieces, i);
    for (std::size_t j = i; j < pieces.size() && pieces[j].end_ms - pieces[i].start_ms <= longest_ms; ++j) {
      const int duration = pieces[j].end_ms - pieces[i].start_ms;
      const long long cost = before + legal_frames(duration) * 1000LL / fps - duration;
      if (cost < best[j + 1]) {
        best[j + 1] = cost;
        from[j + 1] = i;
      }
    }
  }
  std::vector<Pieces> clips;
  for (std::size_t end = pieces.size(); end > 0; end = from[end]) {
    Pieces& clip = clips.emplace_back();
    for (std::size_t i = from[end]; i < end; ++i) {
      if (!clip.empty() && clip.back().shot == pieces[i].shot)
        clip.back().end_ms = pieces[i].end_ms;  // parts of one shot in one clip are joined again
      else
        clip.push_back(pieces[i]);
    }
  }
  std::reverse(clips.begin(), clips.end());
  return clips;
}

std::vector<std::vector<std::vector<Part>>> parts_of(const plan::Film& film, const std::vector<Pieces>& clips) {
  std::vector<std::vector<std::vector<Part>>> parts;
  Pieces all;
  std::vector<Place> places;
  for (std::size_t c = 0; c < clips.size(); ++c) {
    parts.emplace_back(clips[c].size());
    for (std::size_t p = 0; p < clips[c].size(); ++p) {
      all.push_back(clips[c][p]);
      places.push_back({c, p});
    }
  }
  std::size_t own = 0;  // the first piece of the current shot
  for (std::size_t s = 0; s < film.shots.size(); ++s) {
    while (all[own].shot < s) ++own;
    for (const plan::Line& line : film.shots[s].dialogue) {
      std::size_t first = own;  // a line may begin at the end of its shot
      while (all[first].end_ms <= line.start_ms && first + 1 < all.size() && all[first + 1].shot == s) ++first;
      std::size_t last = first;
      while (last + 1 < all.size() && all[last + 1].start_ms < line.end_ms && (line.crosses_cut || all[last + 1].shot == s)) ++last;

      const std::string text = spoken(line.text);
      const std::vector<std::size_t> at = joints(text);
      std::size_t begin = 0;
      for (std::size_t i = first; i <= last; ++i) {
        std::size_t end = text.size();
        if (i < last) {
          const double share = static_cast<double>(all[i].end_ms - line.start_ms) / std::max(1, line.end_ms - line.start_ms);
          const double goal = share * static_cast<double>(text.size());
          for (const std::size_t joint : at) {
            if (joint <= begin) continue;
            if (std::abs(static_cast<double>(joint) - goal) < std::abs(static_cast<double>(end) - goal)) end = joint;
          }
        }
        const int starts = std::clamp(line.start_ms, all[i].start_ms, all[i].end_ms);
        parts[places[i].clip][places[i].piece].push_back({&line, starts, without_edges(text.substr(begin, end - begin)), i<last, i> first});
        begin = end;
      }
    }
  }
  for (auto& clip : parts) {
    for (auto& piece : clip)
      std::stable_sort(piece.begin(), piece.end(), [](const Part& a, const Part& b) { return a.start_ms < b.start_ms; });
  }
  return parts;
}

}  // namespace fabula::h3
