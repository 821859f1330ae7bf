// Rules for a film that the model of a world can make: its actors, places, words and format, and the lengths that it films.
#include <algorithm>

#include "planner/check/limits.h"
#include "planner/grammar/rule_helpers.h"
#include "planner/schema/caps.h"

namespace fabula {
namespace film_rules {
namespace {

using Rules = FilmRules;
using plan::ModelFormat;

// How many shots the film's length comes to.
std::size_t shots_of_film(const Rules& r) {
  std::size_t shots = 1;
  while (r.world().film_ms(static_cast<int>(shots)) < r.film.total_ms) ++shots;
  return shots;
}
// Whether the shots from the current one on are just enough for the beats that are left.
bool must_begin_beat(const Rules& r) { return beats_left(r) > 0 && shots_of_film(r) - (r.film.shots.size() - 1) == beats_left(r); }

Legal film_length(const Rules& r) {
  Names lengths;
  for (int shots = 1; shots <= r.world().max_shots; ++shots) lengths.push_back(std::to_string(r.world().film_ms(shots)));
  return Legal::one_of(lengths);
}
Legal shot_length(const Rules& r) {
  const int index = static_cast<int>(r.film.shots.size()) - 1;
  const int ms = r.world().film_ms(index + 1) - r.world().film_ms(index);
  return number_from(ms, ms);
}

Legal shot_place(const Rules& r) {
  Names places = ids_of(r.film.places);
  std::erase_if(places, [&](const std::string& id) { return present_at(r, id).empty(); });
  return Legal::one_of(places);
}
Legal actor(const Rules& r) {
  Names acting;
  for (const plan::ActionBeat& beat : current_shot(r).action_beats) acting.push_back(beat.who);
  return Legal::one_of(without(ids_of(current_shot(r).cast), all_but_last(acting)));
}
Legal camera_size(const Rules& r) {
  const Names fresh = without(r.world().camera_sizes, overused_sizes(r));
  return Legal::one_of(fresh.empty() ? r.world().camera_sizes : fresh);
}

constexpr FilmRule rules[] = {
    {"treatment", [](const Rules&) { return free_text(PlanCaps::treatment); }},
    {"aspect", [](const Rules&) { return Legal::one_of({ModelFormat::aspect}); }},
    {"fps", [](const Rules&) { return Legal::one_of({ModelFormat::fps}); }},
    {"total_ms", film_length},
    {"language", [](const Rules&) { return Legal::one_of({ModelFormat::language}); }},

    {"characters", nullptr,
     [](const Rules& r, std::size_t) {
       return Count{1, std::min(r.world().actors.size(), most_entities)};
     }},
    {"characters[].id", [](const Rules& r) { return Legal::one_of(without(ids_of(r.world().actors), earlier_ids(r.film.characters))); }},
    {"characters[].look", [](const Rules&) { return free_text(PlanCaps::look); }},
    {"characters[].voice.voice_id", [](const Rules& r) { return Legal::one_of(ids_of(r.world().voices)); }},
    {"places", nullptr,
     [](const Rules& r, std::size_t) {
       return Count{1, std::min(r.world().places.size(), most_entities)};
     }},
    {"places[].id", [](const Rules& r) { return Legal::one_of(without(ids_of(r.world().places), earlier_ids(r.film.places))); }},
    {"places[].description", [](const Rules&) { return free_text(PlanCaps::description); }},
    {"places[].time_of_day", [](const Rules& r) { return Legal::one_of(r.world().times); }},
    {"places[].weather", [](const Rules& r) { return Legal::one_of(r.world().place(r.film.places.back().id)->weathers); }},
    {"beats", nullptr, [](const Rules& r, std::size_t) { return at_most(std::min(shots_of_film(r), most_entities)); }},

    {"shots[].beat", [](const Rules& r) { return Legal::one_of(possible_beats(r, must_begin_beat(r))); },
     [](const Rules& r, std::size_t) { return beat_count(r, must_begin_beat(r)); }},
    {"shots[].place", shot_place},
    {"shots[].duration_ms", shot_length},
    {"shots[].cast", nullptr,
     [](const Rules& r, std::size_t) {
       return Count{1, std::min(PlanCaps::cast, present_at(r, current_shot(r).place).size())};
     }},
    {"shots[].cast[].position", [](const Rules& r) { return Legal::one_of(r.world().positions); }},
    {"shots[].cast[].facing", [](const Rules& r) { return Legal::one_of(r.world().facings); }},
    {"shots[].cast[].mood", [](const Rules& r) { return Legal::one_of(ids_of(r.world().moods)); }},
    {"shots[].props", nullptr, [](const Rules& r, std::size_t) { return at_most(std::min(PlanCaps::props, r.world().props.size())); }},
    {"shots[].props[].id",
     [](const Rules& r) { return Legal::one_of(without(ids_of(r.world().props), earlier_ids(current_shot(r).props))); }},
    {"shots[].props[].position", [](const Rules& r) { return Legal::one_of(r.world().positions); }},
    {"shots[].action_beats", nullptr,
     [](const Rules& r, std::size_t) {
       return Count{1, current_shot(r).cast.size()};
     }},
    {"shots[].action_beats[].at_ms", [](const Rules&) { return number_from(0, 0); }},
    {"shots[].action_beats[].who", actor},
    {"shots[].action_beats[].what", [](const Rules& r) { return Legal::one_of(ids_of(r.world().actions)); }},
    {"shots[].camera.size", camera_size},
    {"shots[].camera.move", [](const Rules& r) { return Legal::one_of(r.world().camera_moves); }},
    {"shots[].dialogue", nullptr,
     [](const Rules& r, std::size_t written) { return line_count(r, ids_of(current_shot(r).cast), written, 1); }},
    {"shots[].dialogue[].speaker",
     [](const Rules& r) { return Legal::one_of(possible_speakers(r, ids_of(current_shot(r).cast), current_shot(r).dialogue.size() - 1)); }},
    {"shots[].dialogue[].text", [](const Rules& r) { return Legal::text(std::min(r.world().line_bytes, letters_for_line(r))); }},
    {"shots[].dialogue[].end_ms", [](const Rules& r) { return line_end(r, shot_end_ms(r)); }},
    {"shots[].dialogue[].mode", [](const Rules&) { return Legal::one_of({ModelFormat::line_mode}); }},
    {"shots[].ambience", [](const Rules& r) { return Legal::one_of(r.world().ambiences); }},
    {"sound.music", [](const Rules&) { return Legal::one_of({ModelFormat::music}); }},
};

}  // namespace
}  // namespace film_rules

std::span<const FilmRule> rules_of_world() { return film_rules::rules; }

}  // namespace fabula
