// Fills in missing times before a plan is read, and moves shots and lines afterwards.
#include "planner/edit/retime.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "planner/schema/schema.h"

namespace fabula::plan {
namespace {

using nlohmann::ordered_json;

bool has_time(const ordered_json& object, const char* key) { return object.contains(key) && object[key].is_number_integer(); }

// Absent or null: not a text in its place, which is a fault.
bool lacks(const ordered_json& object, const char* key) { return !object.contains(key) || object[key].is_null(); }

int length_of(const ordered_json& shots, std::size_t i, const ordered_json& film, const World& world) {
  if (has_time(shots[i], "start_ms")) {
    const std::int64_t start = shots[i]["start_ms"];
    const ordered_json& next = i + 1 < shots.size() ? shots[i + 1] : film;
    const char* key = i + 1 < shots.size() ? "start_ms" : "total_ms";
    if (next.is_object() && has_time(next, key) && next[key].get<std::int64_t>() > start)
      return static_cast<int>(next[key].get<std::int64_t>() - start);
  }
  return world.film_ms(1);
}

struct LinePlace {
  std::size_t shot, line;
  bool start, end;  // which of its times is missing
};

// Puts numbers where times are missing and remembers the lines that are to be timed.
std::vector<LinePlace> fill_in(ordered_json& film, const World& world) {
  std::vector<LinePlace> lines;
  if (!film.is_object() || !film.contains("shots") || !film["shots"].is_array()) return lines;
  ordered_json& shots = film["shots"];
  for (std::size_t i = 0; i < shots.size(); ++i) {
    ordered_json& shot = shots[i];
    if (!shot.is_object()) return lines;
    if (lacks(shot, "duration_ms")) shot["duration_ms"] = length_of(shots, i, film, world);
  }
  for (std::size_t i = 0; i < shots.size(); ++i) {
    ordered_json& shot = shots[i];
    if (lacks(shot, "start_ms")) shot["start_ms"] = 0;
    if (!shot.contains("dialogue") || !shot["dialogue"].is_array()) continue;
    for (std::size_t k = 0; k < shot["dialogue"].size(); ++k) {
      ordered_json& line = shot["dialogue"][k];
      if (!line.is_object()) continue;
      const LinePlace place{i, k, lacks(line, "start_ms"), lacks(line, "end_ms")};
      if (place.start) line["start_ms"] = 0;
      if (place.end) line["end_ms"] = 0;
      if (place.start || place.end) lines.push_back(place);
    }
  }
  if (lacks(film, "total_ms")) film["total_ms"] = 0;
  return lines;
}

void lay_out(Film& film, const World& world) {
  const int own = world.film_ms(1);
  int clock = 0;
  for (std::size_t i = 0; i < film.shots.size(); ++i) {
    Shot& shot = film.shots[i];
    const int index = static_cast<int>(i);
    if (std::abs(shot.duration_ms - own) <= 1 && clock == world.film_ms(index)) shot.duration_ms = world.film_ms(index + 1) - clock;
    const int shift = clock - shot.start_ms;
    shot.start_ms = clock;
    clock += shot.duration_ms;
    for (Line& line : shot.dialogue) {
      line.start_ms += shift;
      line.end_ms += shift;
      if (!line.crosses_cut && line.end_ms == clock + 1) line.end_ms = clock;  // the grid took a millisecond
    }
  }
  film.total_ms = clock;
  if (film.sound.music_out_ms && *film.sound.music_out_ms > clock) film.sound.music_out_ms = clock;
}

// What refers to shots that are gone.
void mend(Retimed& result) {
  std::vector<Shot>& shots = result.film.shots;
  for (std::size_t i = 0; i < shots.size(); ++i) {
    Shot& shot = shots[i];
    const bool may_begin = shot.transition.kind == "cut" || shot.transition.kind == "fade";
    if (i == 0 && !may_begin) {
      result.notes.push_back(shot.id + " is the first shot now and begins with a cut instead of a " + shot.transition.kind);
      shot.transition = {};
    }
    const bool follows = std::any_of(shots.begin(), shots.begin() + static_cast<std::ptrdiff_t>(i),
                                     [&](const Shot& earlier) { return earlier.id == shot.conditioning.chain_from; });
    if (shot.conditioning.mode == "chain" && !follows) {
      result.notes.push_back(shot.id + " continued " + shot.conditioning.chain_from +
                             ", which is not before it any more; it stands by itself");
      shot.conditioning = {};
    }
  }
  std::erase_if(result.film.beats, [&](const Beat& beat) {
    const bool is_shown = std::any_of(shots.begin(), shots.end(), [&](const Shot& shot) { return shot.beat == beat.id; });
    if (!is_shown) result.notes.push_back("no shot shows the beat " + beat.id + " any more; it goes");
    return !is_shown;
  });
  for (Beat& beat : result.film.beats) {
    std::erase_if(beat.needs, [&](const std::string& id) {
      return std::none_of(result.film.beats.begin(), result.film.beats.end(), [&](const Beat& other) { return other.id == id; });
    });
  }
}

}  // namespace

Retimed retime(const Film& film, const World& world) {
  Retimed result{film, {}};
  lay_out(result.film, world);
  mend(result);
  return result;
}

Retimed retime_json(std::string_view json, const World& world, const PhonesFunction& phones) {
  ordered_json root = ordered_json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  if (root.is_discarded() || !root.is_object()) return retime(from_json(json), world);  // refused with all that is wrong
  const std::vector<LinePlace> untimed = fill_in(root, world);
  const std::string filled = root.dump(2, ' ', false, ordered_json::error_handler_t::replace);
  Retimed result = retime(from_json(filled), world);
  for (const LinePlace& place : untimed) {
    Shot& shot = result.film.shots[place.shot];
    Line& line = shot.dialogue[place.line];
    const auto who = std::find_if(result.film.characters.begin(), result.film.characters.end(),
                                  [&](const Character& c) { return c.id == line.speaker; });
    const World::Voice* voice = who == result.film.characters.end() ? nullptr : world.voice(who->voice.voice_id);
    if (place.start) line.start_ms = shot.start_ms + line_lead_ms;
    if (place.end)
      line.end_ms = voice == nullptr ? shot.start_ms + shot.duration_ms - line_tail_ms : line_end_ms(shot, line.text, *voice, phones);
  }
  return result;
}

}  // namespace fabula::plan
