// Rules for any film that the schema can say: free words instead of a world's, shots of any length that tile the film, transitions,
// several lines in a shot, and the fields that only people and the compiler fill in.
#include <algorithm>

#include "planner/check/limits.h"
#include "planner/grammar/rule_helpers.h"
#include "planner/schema/caps.h"

namespace fabula {
namespace film_rules {
namespace {

using Rules = FilmRules;
using plan::ShotLimits;

constexpr std::size_t treatment_bytes = 600, most_lines = 3, most_props_shown = 2;
// Narrower than the validator, which lets a line cross a cut up to the film's end and a transition fill its shots.
constexpr int longest_crossing_ms = 2000, longest_transition_ms = 2000;

const Names& languages() {
  static const Names known = {"en", "en-GB", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "tr", "ru", "ar", "hi", "zh", "ja", "ko"};
  return known;
}

Legal new_entity(const Rules& r) {
  Names taken = ids_of(r.film.characters);
  for (const Names& more : {ids_of(r.film.places), ids_of(r.film.props)}) taken.insert(taken.end(), more.begin(), more.end());
  return Legal::text(id_bytes, Alphabet::name, taken);
}

// ---- Time. Shots tile the film: each leaves enough for the ones after it, and no more than they can fill.

std::int64_t shortest_shot(const Rules& r) { return r.options.shortest_shot_ms; }
std::int64_t longest_shot(const Rules& r) { return r.options.longest_shot_ms; }
std::size_t most_shots(const Rules& r) { return static_cast<std::size_t>(r.options.max_shots); }

Legal film_length(const Rules& r) { return number_from(shortest_shot(r), r.options.max_shots * longest_shot(r)); }

Legal shot_length(const Rules& r) {
  const std::int64_t left = r.film.total_ms - current_shot(r).start_ms, longest = longest_shot(r),
                     shots_after = r.options.max_shots - static_cast<int>(r.film.shots.size());
  const auto beats_after = static_cast<std::int64_t>(r.film.beats.size() - beats_shown(r, r.film.shots.size()));
  std::vector<NumberRange> ranges = {{std::max(shortest_shot(r), left - shots_after * longest),
                                      std::min(longest, left - std::max<std::int64_t>(1, beats_after) * shortest_shot(r))}};
  if (beats_after == 0 && left <= longest) ranges.push_back({left, left});
  return Legal::number(ranges);
}

// Whether the shots from the current one on, or the time from its start, are just enough for the beats that are left.
bool must_begin_beat(const Rules& r) {
  const std::size_t index = r.film.shots.size() - 1, needed = beats_left(r);
  if (needed == 0) return false;
  const int ms_left = r.film.total_ms - length_of_shots(r, index);
  return most_shots(r) - index == needed || ms_left < static_cast<std::int64_t>(needed + 1) * shortest_shot(r);
}

Count beat_list_count(const Rules& r, std::size_t) {
  const std::size_t shots = std::min(most_shots(r), static_cast<std::size_t>(r.film.total_ms / shortest_shot(r)));
  return at_most(std::min(shots, most_entities));
}

int longest_possible_transition(const Rules& r) {
  const plan::Shot* previous = previous_shot(r);
  return std::min(current_shot(r).duration_ms, previous != nullptr ? previous->duration_ms : current_shot(r).duration_ms) - 1;
}
Names possible_transitions(const Rules& r) {
  Names kinds;
  const plan::Shot* previous = previous_shot(r);
  if (longest_possible_transition(r) >= 1) kinds = previous != nullptr ? Names{"dissolve", "fade", "wipe"} : Names{"fade"};
  if (previous != nullptr && previous->place == current_shot(r).place) kinds.emplace_back("continue");
  return kinds;
}

// ---- Who acts and speaks.

int last_action_ms(const Rules& r) {
  return std::min(current_shot(r).duration_ms - 1, r.film.total_ms - ShotLimits::quiet_end_ms - current_shot(r).start_ms);
}
Count action_count(const Rules& r, std::size_t) {
  return at_most(current_shot(r).cast.empty() || last_action_ms(r) < 0 ? 0 : ShotLimits::actions);
}
Legal action_start(const Rules& r) {
  const auto& beats = current_shot(r).action_beats;
  return number_from(beats.size() < 2 ? 0 : beats[beats.size() - 2].at_ms, last_action_ms(r));
}

Names line_languages(const Rules& r) {
  Names all = languages();
  const int given_ms = current_line(r).end_ms - current_line(r).start_ms;
  std::erase_if(all, [&](const std::string& language) { return needed_line_ms(r, language) > given_ms; });
  return all;
}
// On screen only in the cast, and only while something happens in the picture.
Legal line_mode(const Rules& r) {
  int acted_ms = 0;
  for (const plan::ActionBeat& beat : current_shot(r).action_beats) acted_ms = std::max(acted_ms, current_shot(r).duration_ms - beat.at_ms);
  const bool can_be_seen =
      has(ids_of(current_shot(r).cast), current_line(r).speaker) && current_line(r).end_ms - current_line(r).start_ms <= acted_ms;
  return Legal::one_of(can_be_seen ? Names{"on_screen", "off_screen", "voiceover"} : Names{"off_screen", "voiceover"});
}

// ---- Camera, sound and the fields of others.

Names camera_targets(const Rules& r) {
  Names names = ids_of(r.film.characters);
  for (const plan::Prop& prop : r.film.props) names.push_back(prop.id);
  for (const plan::Place& place : r.film.places) {
    for (const plan::Landmark& landmark : place.landmarks) {
      if (place.id == current_shot(r).place) names.push_back(landmark.name);
    }
  }
  return names;
}
Legal effect_start(const Rules& r) {
  const auto& effects = current_shot(r).sfx;
  return number_from(effects.size() < 2 ? 0 : effects[effects.size() - 2].at_ms, current_shot(r).duration_ms - 1);
}
Legal conditioning_mode(const Rules& r) {
  Names modes = {"first_frame", "first_last_frame", "references"};
  if (previous_shot(r) != nullptr) modes.emplace_back("chain");
  return Legal::one_of(modes);
}
Legal locked_path(const Rules& r) {
  const Names lockable = {"place", "duration_ms", "camera.size", "camera.move", "ambience", "cast", "action_beats", "dialogue"};
  return Legal::one_of(without(lockable, all_but_last(current_shot(r).locked)));
}

constexpr FilmRule rules[] = {
    {"treatment", [](const Rules&) { return free_text(treatment_bytes); }},
    {"aspect",
     [](const Rules&) {
       return Legal::one_of({"16:9", "9:16", "1:1", "4:3", "21:9"});
     }},
    {"fps",
     [](const Rules&) {
       return Legal::one_of({"24", "25", "30"});
     }},
    {"total_ms", film_length},
    {"language", [](const Rules&) { return Legal::one_of(languages()); }},

    {"characters", nullptr, [](const Rules&, std::size_t) { return at_most(most_entities); }},
    {"characters[].id", new_entity},
    {"characters[].look", [](const Rules&) { return free_text(long_text_bytes); }},
    {"characters[].voice.voice_id", [](const Rules&) { return Legal::text(id_bytes, Alphabet::name); }},
    {"characters[].voice.ref_audio", nullptr, at_most_three},
    {"characters[].ref_images", nullptr, at_most_three},
    {"places", nullptr,
     [](const Rules&, std::size_t) {
       return Count{1, most_entities};
     }},
    {"places[].id", new_entity},
    {"places[].description", [](const Rules&) { return free_text(long_text_bytes); }},
    {"places[].time_of_day", [](const Rules&) { return free_text(word_bytes); }},
    {"places[].weather", [](const Rules&) { return free_text(short_text_bytes); }},
    {"places[].landmarks", nullptr, at_most_three},
    {"places[].ref_images", nullptr, at_most_three},
    {"beats", nullptr, beat_list_count},

    {"shots[].beat", [](const Rules& r) { return Legal::one_of(possible_beats(r, must_begin_beat(r))); },
     [](const Rules& r, std::size_t) { return beat_count(r, must_begin_beat(r)); }},
    {"shots[].place", [](const Rules& r) { return Legal::one_of(ids_of(r.film.places)); }},
    {"shots[].duration_ms", shot_length},
    {"shots[].transition", nullptr, [](const Rules& r, std::size_t) { return optional_if(!possible_transitions(r).empty()); }},
    {"shots[].transition.kind", [](const Rules& r) { return Legal::one_of(possible_transitions(r)); }},
    {"shots[].transition.ms",
     [](const Rules& r) { return number_from(1, std::min(longest_possible_transition(r), longest_transition_ms)); },
     [](const Rules& r, std::size_t) {
       return current_shot(r).transition.kind == "continue" ? Count{0, 0} : Count{1, 1};
     }},
    {"shots[].cast", nullptr,
     [](const Rules& r, std::size_t) { return at_most(std::min(most_entities, present_at(r, current_shot(r).place).size())); }},
    {"shots[].cast[].position", [](const Rules&) { return free_text(word_bytes); }},
    {"shots[].cast[].facing", [](const Rules&) { return free_text(word_bytes); }},
    {"shots[].cast[].mood", [](const Rules&) { return free_text(short_text_bytes); }},
    {"shots[].cast[].visible_at", [](const Rules& r) { return number_from(1, current_shot(r).duration_ms - 1); },
     [](const Rules& r, std::size_t) { return optional_if(current_shot(r).duration_ms > 1); }},
    {"shots[].props", nullptr, [](const Rules&, std::size_t) { return at_most(most_props_shown); }},
    {"shots[].props[].id", [](const Rules& r) { return Legal::text(id_bytes, Alphabet::name, earlier_ids(current_shot(r).props)); }},
    {"shots[].props[].position", [](const Rules&) { return free_text(word_bytes); }},
    {"shots[].action_beats", nullptr, action_count},
    {"shots[].action_beats[].at_ms", action_start},
    {"shots[].action_beats[].who", [](const Rules& r) { return Legal::one_of(ids_of(current_shot(r).cast)); }},
    {"shots[].action_beats[].what", [](const Rules&) { return free_text(phrase_bytes); }},
    {"shots[].camera.size", [](const Rules& r) { return Legal::text(word_bytes, Alphabet::utf8, overused_sizes(r)); }},
    {"shots[].camera.move", [](const Rules&) { return free_text(word_bytes); }},
    {"shots[].camera.target", [](const Rules& r) { return Legal::one_of(camera_targets(r)); },
     [](const Rules& r, std::size_t) { return optional_if(!camera_targets(r).empty()); }},
    {"shots[].dialogue", nullptr,
     [](const Rules& r, std::size_t written) { return line_count(r, ids_of(r.film.characters), written, most_lines); }},
    {"shots[].dialogue[].speaker",
     [](const Rules& r) { return Legal::one_of(possible_speakers(r, ids_of(r.film.characters), current_shot(r).dialogue.size() - 1)); }},
    {"shots[].dialogue[].text", [](const Rules& r) { return free_text(std::min(long_text_bytes, letters_for_line(r))); }},
    {"shots[].dialogue[].end_ms",
     [](const Rules& r) { return line_end(r, std::min(r.film.total_ms, shot_end_ms(r) + longest_crossing_ms)); }},
    {"shots[].dialogue[].language", [](const Rules& r) { return Legal::one_of(line_languages(r)); },
     [](const Rules& r, std::size_t) { return optional_if(!line_languages(r).empty()); }},
    {"shots[].dialogue[].mode", line_mode},
    {"shots[].dialogue[].crosses_cut", nullptr,
     [](const Rules& r, std::size_t) {
       return Count{current_line(r).end_ms > shot_end_ms(r) ? std::size_t{1} : 0, 1};
     }},
    {"shots[].sfx", nullptr, at_most_three},
    {"shots[].sfx[].at_ms", effect_start},
    {"shots[].ambience", [](const Rules&) { return free_text(phrase_bytes); }},
    {"shots[].conditioning.mode", conditioning_mode},
    {"shots[].conditioning.chain_from", [](const Rules& r) { return Legal::one_of(earlier_ids(r.film.shots)); },
     [](const Rules& r, std::size_t) {
       return current_shot(r).conditioning.mode == "chain" ? Count{1, 1} : Count{0, 0};
     }},
    {"shots[].conditioning.references", nullptr, at_most_three},
    {"shots[].locked", nullptr, at_most_three},
    {"shots[].locked[]", locked_path},

    {"ending", nullptr, [](const Rules& r, std::size_t) { return optional_if(current_shot(r).duration_ms > 1); }},
    {"ending.kind", [](const Rules&) { return Legal::one_of({"fade"}); }},
    {"ending.ms", [](const Rules& r) { return number_from(1, std::min(current_shot(r).duration_ms - 1, longest_transition_ms)); },
     [](const Rules&, std::size_t) {
       return Count{1, 1};
     }},

    {"sound.music", [](const Rules&) { return free_text(phrase_bytes); }},
    {"sound.music_in_ms", [](const Rules& r) { return number_from(0, r.film.total_ms - 1); }},
    {"sound.music_out_ms", [](const Rules& r) { return number_from(r.film.sound.music_in_ms.value_or(0) + 1, r.film.total_ms); }},
};

}  // namespace
}  // namespace film_rules

std::span<const FilmRule> rules_of_any_film() { return film_rules::rules; }

}  // namespace fabula
