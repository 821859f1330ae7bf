// From a plan to clips, handles and markers.
#include "tools/timeline/timeline.h"

#include <algorithm>
#include <cstdio>
#include <set>

#include "engine/film/film.h"

namespace fabula::timeline {
namespace {

std::string name_of(const plan::Film& film, const plan::Shot& shot) {
  const auto beat = std::find_if(film.beats.begin(), film.beats.end(), [&](const plan::Beat& b) { return b.id == shot.beat; });
  std::string what = beat == film.beats.end() ? "" : beat->summary;
  if (what.empty()) {
    for (const plan::ActionBeat& action : shot.action_beats) what += (what.empty() ? "" : ", ") + action.who + " " + action.what;
  }
  return shot.id + (what.empty() ? "" : " " + what);
}

std::string speaker_of(const plan::Film& film, const std::string& id) {
  const auto found = std::find_if(film.characters.begin(), film.characters.end(), [&](const plan::Character& c) { return c.id == id; });
  return found == film.characters.end() || found->name.empty() ? id : found->name;
}

// The id's letters and digits where they are unique and few enough, else a number.
std::string reel_of(const std::string& id, std::set<std::string>& taken) {
  std::string reel;
  for (const char c : id) {
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if ((upper >= 'A' && upper <= 'Z') || (upper >= '0' && upper <= '9')) reel += upper;
  }
  for (std::size_t number = taken.size() + 1; reel.empty() || reel.size() > 8 || reel == "BL" || reel == "AX" || taken.contains(reel);
       ++number) {
    char text[32];
    std::snprintf(text, sizeof text, "R%06zu", number);
    reel = text;
  }
  taken.insert(reel);
  return reel;
}

std::vector<Marker> markers_of(const plan::Film& film, const plan::Shot& shot, Rate rate, const Clip& clip) {
  const Rate film_rate = {film.fps, 1};
  const auto at = [&](std::int64_t film_ms) {
    const std::int64_t frame = frames_at(frames_before(film_ms, film.fps), film_rate, rate) - clip.start;
    return std::clamp<std::int64_t>(frame, 0, clip.frames - 1);
  };
  std::vector<Marker> markers;
  for (const plan::Line& line : shot.dialogue) {
    const std::int64_t begin = at(line.start_ms);
    markers.push_back({begin, std::max<std::int64_t>(1, at(line.end_ms) - begin), "line", speaker_of(film, line.speaker), line.text});
  }
  for (const plan::ActionBeat& action : shot.action_beats)
    markers.push_back({at(shot.start_ms + action.at_ms), 1, "action", speaker_of(film, action.who), action.who + " " + action.what});
  for (const plan::SoundEffect& sound : shot.sfx)
    markers.push_back({at(shot.start_ms + sound.at_ms), 1, "sound", "sound", sound.description});
  std::stable_sort(markers.begin(), markers.end(), [](const Marker& a, const Marker& b) { return a.at < b.at; });
  return markers;
}

std::string media_of(std::string media, const std::string& id) {
  const std::size_t at = media.find("{id}");
  return at == std::string::npos ? media : media.replace(at, 4, id);
}

}  // namespace

Timeline timeline_of(const plan::Film& film, Rate rate, const std::vector<Handles>& handles, const std::string& media) {
  const Rate film_rate = {film.fps, 1};
  const auto frames = [&](std::int64_t film_frames) { return frames_at(film_frames, film_rate, rate); };
  Timeline timeline;
  timeline.title = film.title;
  timeline.language = film.language;
  timeline.rate = rate;
  std::set<std::string> reels;
  for (std::size_t i = 0; i < film.shots.size(); ++i) {
    const plan::Shot& shot = film.shots[i];
    const ShotEdges edges = edges_of(film, i);
    const std::int64_t first = frames_before(shot.start_ms, film.fps);
    Clip clip;
    clip.id = shot.id;
    clip.name = name_of(film, shot);
    clip.media = media_of(media, shot.id);
    clip.reel = reel_of(shot.id, reels);
    clip.start = frames(first);
    clip.frames = frames(first + edges.frames) - clip.start;
    clip.head = frames(handles[i].head);
    // What the media has in all is rounded up once; the shot's own share follows from the film's clock.
    clip.tail = frames(handles[i].head + edges.frames + handles[i].tail) - clip.head - clip.frames;
    clip.held_tail = std::min(clip.tail, frames(handles[i].held_tail));
    if (shot.transition.kind != "cut" && shot.transition.ms > 0) clip.transition = shot.transition.kind;
    if (i > 0) clip.overlap = std::min({frames(edges.cross_in), clip.frames, timeline.clips.back().tail});
    clip.fade_in = frames(edges.fade_in);
    clip.fade_out = frames(edges.fade_out);
    clip.markers = markers_of(film, shot, rate, clip);
    timeline.clips.push_back(std::move(clip));
  }
  return timeline;
}

}  // namespace fabula::timeline
