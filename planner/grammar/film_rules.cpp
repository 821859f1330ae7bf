#include "planner/grammar/film_rules.h"

#include <algorithm>
#include <map>
#include <set>

#include "planner/check/rules.h"
#include "planner/check/speech.h"
#include "planner/schema/caps.h"
#include "planner/text/spans.h"

namespace fabula {
namespace {

using plan::Fact, plan::Line, plan::Shot;
using Names = std::vector<std::string>;
using Rules = FilmRules;

constexpr std::size_t most_entities = 6, most_facts = 4, most_states = 4, most_texts = 3, most_acting = 3, most_shown = 2, free_text = 120,
                      short_text = 40;
constexpr int quiet_end_ms = 1500, least_speech_ms = 300, longest_crossing_ms = 2000, longest_transition_ms = 2000;
const Names languages = {"en", "en-GB", "de", "fr", "es", "it", "pt", "nl", "pl", "sv", "tr", "ru", "ar", "hi", "zh", "ja", "ko"};

void add(Names& to, const Names& more) { to.insert(to.end(), more.begin(), more.end()); }
Names without(Names all, const Names& taken) {
  std::erase_if(all, [&](const std::string& name) { return plan::has(taken, name); });
  return all;
}
// All but the one that is being written.
template <typename Entries>
Names ids_before_last(const Entries& entries) {
  Names ids = ids_of(entries);
  if (!ids.empty()) ids.pop_back();
  return ids;
}
Names before_last(Names names) {
  if (!names.empty()) names.pop_back();
  return names;
}

Names entities(const Rules& r) {
  Names ids = ids_of(r.film.characters);
  add(ids, ids_of(r.film.places));
  add(ids, ids_of(r.film.props));
  return ids;
}
Legal new_entity(const Rules& r) { return Legal::text(32, Alphabet::name, entities(r)); }

// "s010", "s020", …
std::string shot_id(std::size_t index) {
  const std::string number = std::to_string(10 * (index + 1));
  return "s" + std::string(number.size() < 3 ? 3 - number.size() : 0, '0') + number;
}

Legal text(std::size_t cap) { return Legal::text(cap, Alphabet::utf8); }
Legal number(std::int64_t low, std::int64_t high) { return Legal::number({{low, high}}); }
Legal names_of_world(const Rules& r, const Names& (*names)(const World&), std::size_t cap) {
  return r.world != nullptr ? Legal::one_of(names(*r.world)) : text(cap);
}
Count up_to(std::size_t most) { return {0, most}; }

// ---- Time. Shots tile the film: each leaves the ones after it enough, and not more than they can fill.

const Shot& now(const Rules& r) { return r.film.shots.back(); }
const Shot* before(const Rules& r) { return r.film.shots.size() < 2 ? nullptr : &r.film.shots[r.film.shots.size() - 2]; }
int clock(const Rules& r, std::size_t shots) {
  int ms = 0;
  for (std::size_t i = 0; i < shots && i < r.film.shots.size(); ++i) ms += r.film.shots[i].duration_ms;
  return ms;
}
int shortest(const Rules& r) { return r.options.shortest_shot_ms; }

// The beats that shots before the last one show begin the list; how many these are.
std::size_t begun(const Rules& r, std::size_t shots) {
  std::set<std::string> shown;
  for (std::size_t i = 0; i < shots; ++i) shown.insert(r.film.shots[i].beat);
  shown.erase("");
  return shown.size();
}
std::size_t shots_of_world(const Rules& r) {
  std::size_t shots = 1;
  while (r.world->film_ms(static_cast<int>(shots)) < r.film.total_ms) ++shots;
  return shots;
}
// Whether all shots from the one in work on are needed for beats that no shot has shown.
bool must_begin(const Rules& r) {
  const std::size_t index = r.film.shots.size() - 1, uncovered = r.film.beats.size() - begun(r, index);
  if (uncovered == 0) return false;
  if (r.world != nullptr) return shots_of_world(r) - index == uncovered;
  const auto left = r.film.total_ms - clock(r, index);
  return static_cast<std::size_t>(r.max_shots()) - index == uncovered || left < static_cast<int>(uncovered + 1) * shortest(r);
}
// The next beat, and those that have begun and that no beat which has begun requires to be over.
Names possible_beats(const Rules& r) {
  const std::size_t next = begun(r, r.film.shots.size() - 1);
  Names ids = ids_of(r.film.beats), required;
  if (must_begin(r)) return {ids[next]};
  for (std::size_t i = 0; i < next; ++i) add(required, r.film.beats[i].needs);
  ids.resize(std::min(ids.size(), next + 1));
  return without(ids, required);
}

Legal total(const Rules& r) {
  if (r.world == nullptr) return number(shortest(r), static_cast<std::int64_t>(r.max_shots()) * r.options.longest_shot_ms);
  Names lengths;
  for (int shots = 1; shots <= r.max_shots(); ++shots) lengths.push_back(std::to_string(r.world->film_ms(shots)));
  return Legal::one_of(lengths);
}

Legal duration(const Rules& r) {
  const std::size_t index = r.film.shots.size() - 1;
  if (r.world != nullptr) {
    const int shot = static_cast<int>(index);
    const int ms = r.world->film_ms(shot + 1) - r.world->film_ms(shot);
    return number(ms, ms);
  }
  const std::int64_t left = r.film.total_ms - now(r).start_ms, longest = r.options.longest_shot_ms,
                     after = r.max_shots() - static_cast<int>(r.film.shots.size());
  const auto uncovered = static_cast<std::int64_t>(r.film.beats.size() - begun(r, r.film.shots.size()));
  std::vector<NumberRange> ranges = {{std::max<std::int64_t>(shortest(r), left - after * longest),
                                      std::min(longest, left - std::max<std::int64_t>(1, uncovered) * shortest(r))}};
  if (uncovered == 0 && left <= longest) ranges.push_back({left, left});
  return Legal::number(ranges);
}

Count shots(const Rules& r, std::size_t written) {
  const bool more = clock(r, written) < r.film.total_ms;
  return {written + (more ? 1 : 0), written + (more ? 1 : 0)};
}

int transition_room(const Rules& r) {
  return std::min(now(r).duration_ms, before(r) != nullptr ? before(r)->duration_ms : now(r).duration_ms) - 1;
}
Names transitions(const Rules& r) {
  Names kinds;
  if (transition_room(r) >= 1) kinds = before(r) != nullptr ? Names{"dissolve", "fade", "wipe"} : Names{"fade"};
  if (before(r) != nullptr && before(r)->place == now(r).place) kinds.emplace_back("continue");
  return kinds;
}

// ---- The world of the film, as simulate.cpp has it: what holds before the last shot.

using Key = std::pair<std::string, std::string>;
using Facts = std::map<Key, std::string>;

Facts facts_before(const Rules& r) {
  Facts facts;
  const auto apply = [&](const std::vector<Fact>& all) {
    for (const Fact& fact : all) facts[{fact.entity, fact.attribute}] = fact.value;
  };
  for (const plan::Character& c : r.film.characters) {
    if (!c.wardrobe.empty()) facts[{c.id, "wardrobe"}] = c.wardrobe;
  }
  if (r.film.shots.empty()) return facts;  // the list of what holds at the start is in work
  apply(r.film.world);
  for (std::size_t i = 0; i + 1 < r.film.shots.size(); ++i) apply(r.film.shots[i].effects);
  return facts;
}
std::string value_of(const Facts& facts, const std::string& entity, const std::string& attribute) {
  const auto known = facts.find({entity, attribute});
  return known == facts.end() ? "" : known->second;
}
Names cast_of(const Shot& shot) { return ids_of(shot.cast); }

Names holders(const Rules& r, const std::string& prop) {
  Names all = ids_of(r.film.places);
  all.emplace_back("none");
  if (r.film.shots.empty()) {
    add(all, ids_of(r.film.characters));
    return all;
  }
  // It changes hands where the old and the new holder are seen; who is not seen keeps it.
  const std::string holder = value_of(facts_before(r), prop, "holder");
  const Names cast = cast_of(now(r));
  if (plan::has(ids_of(r.film.characters), holder) && !plan::has(cast, holder)) return {holder};
  add(all, cast);
  return all;
}

const plan::Prop* prop_of(const Rules& r, const std::string& id) {
  for (const plan::Prop& prop : r.film.props) {
    if (prop.id == id) return &prop;
  }
  return nullptr;
}

// What may be said of an entity at the start and as an effect; the program's own words beside those that have a meaning.
Names attributes(const Rules& r, const std::string& entity) {
  if (plan::has(ids_of(r.film.characters), entity)) return {"place", "wardrobe", "state", "mood", "pose"};
  const plan::Prop* prop = prop_of(r, entity);
  if (prop == nullptr) return {"state", "light", "weather"};
  if (value_of(facts_before(r), entity, "state") == "destroyed") return {};
  return prop->states.empty() ? Names{"holder", "condition"} : Names{"holder", "state", "condition"};
}

// `said`: the facts of the list that are complete.
Names unsaid(Names attributes, const std::string& entity, std::span<const Fact> said) {
  std::erase_if(attributes, [&](const std::string& a) {
    return std::any_of(said.begin(), said.end(), [&](const Fact& f) { return f.entity == entity && f.attribute == a; });
  });
  return attributes;
}
Names known_attributes(const Rules& r, const std::string& entity) {
  Names names;
  for (const auto& [key, value] : facts_before(r)) {
    if (key.first == entity) names.push_back(key.second);
  }
  return names;
}

// A list of facts: which it is, and what may be said in it.
struct FactList {
  const std::vector<Fact>& (*facts)(const Rules&);
  Names (*attributes)(const Rules&, const std::string& entity);
};
const std::vector<Fact>& world_list(const Rules& r) { return r.film.world; }
const std::vector<Fact>& pre_list(const Rules& r) { return now(r).pre; }
const std::vector<Fact>& effect_list(const Rules& r) { return now(r).effects; }
constexpr FactList at_start{world_list, attributes}, needed{pre_list, known_attributes}, caused{effect_list, attributes};

template <const FactList& list>
Names speakable(const Rules& r, std::size_t said) {
  Names ids = entities(r);
  std::erase_if(ids,
                [&](const std::string& id) { return unsaid(list.attributes(r, id), id, std::span(list.facts(r)).first(said)).empty(); });
  return ids;
}
template <const FactList& list>
Count fact_count(const Rules& r, std::size_t written) {
  return up_to(written < most_facts && !speakable<list>(r, written).empty() ? written + 1 : written);
}
template <const FactList& list>
Legal fact_entity(const Rules& r) {
  return Legal::one_of(speakable<list>(r, list.facts(r).size() - 1));
}
template <const FactList& list>
Legal fact_attribute(const Rules& r) {
  const std::vector<Fact>& facts = list.facts(r);
  return Legal::one_of(unsaid(list.attributes(r, facts.back().entity), facts.back().entity, std::span(facts).first(facts.size() - 1)));
}
template <const FactList& list>
Legal fact_value(const Rules& r) {
  const Fact& fact = list.facts(r).back();
  const Facts before = facts_before(r);
  const bool starting = &list == &at_start, worn = fact.attribute == "wardrobe" && !value_of(before, fact.entity, "wardrobe").empty();
  if (&list == &needed || (starting && worn)) return Legal::one_of({value_of(before, fact.entity, fact.attribute)});
  if (fact.attribute == "place") return Legal::one_of(ids_of(r.film.places));
  if (fact.attribute == "holder") return Legal::one_of(holders(r, fact.entity));
  const plan::Prop* prop = prop_of(r, fact.entity);
  if (fact.attribute == "state" && prop != nullptr) return Legal::one_of(prop->states);
  return Legal::text(short_text, Alphabet::utf8, {"destroyed"});  // people and places stay, so that every shot has some
}

// ---- Who is seen, acts and speaks.

Names present_at(const Rules& r, const std::string& place) {
  Names ids = ids_of(r.film.characters);
  const Facts facts = facts_before(r);
  std::erase_if(ids, [&](const std::string& id) {
    const std::string at = value_of(facts, id, "place");
    return !at.empty() && at != place;
  });
  return ids;
}
Legal shot_place(const Rules& r) {
  Names places = ids_of(r.film.places);
  if (r.world != nullptr) std::erase_if(places, [&](const std::string& id) { return present_at(r, id).empty(); });
  return Legal::one_of(places);
}
std::size_t most_cast(const Rules& r) {
  return std::min(r.world != nullptr ? PlanCaps::cast : most_entities, present_at(r, now(r).place).size());
}

int last_action_ms(const Rules& r) { return std::min(now(r).duration_ms - 1, r.film.total_ms - quiet_end_ms - now(r).start_ms); }
Count actions(const Rules& r, std::size_t) {
  const std::size_t cast = now(r).cast.size();
  if (r.world != nullptr) return {1, cast};
  return up_to(cast == 0 || last_action_ms(r) < 0 ? 0 : most_acting);
}
Legal action_at(const Rules& r) {
  const auto& beats = now(r).action_beats;
  if (r.world != nullptr) return number(0, 0);
  return number(beats.size() < 2 ? 0 : beats[beats.size() - 2].at_ms, last_action_ms(r));
}
Legal actor(const Rules& r) {
  Names acting;
  for (const plan::ActionBeat& beat : now(r).action_beats) acting.push_back(beat.who);
  return Legal::one_of(r.world != nullptr ? without(cast_of(now(r)), before_last(acting)) : cast_of(now(r)));
}

int shot_end(const Rules& r) { return now(r).start_ms + now(r).duration_ms; }
// When somebody may begin to speak: not while they speak another line, nor before the line that stands before. `lines`: of the last shot,
// complete.
int earliest(const Rules& r, const std::string& speaker, std::size_t lines) {
  int ms = now(r).start_ms;
  for (const Shot& shot : r.film.shots) {
    for (std::size_t i = 0; i < (&shot == &now(r) ? lines : shot.dialogue.size()); ++i) {
      if (&shot == &now(r)) ms = std::max(ms, shot.dialogue[i].start_ms);
      if (shot.dialogue[i].speaker == speaker) ms = std::max(ms, shot.dialogue[i].end_ms);
    }
  }
  return ms;
}
Names speakers(const Rules& r, std::size_t lines) {
  std::set<std::string> active;
  for (const plan::ActionBeat& beat : now(r).action_beats) active.insert(beat.who);
  for (std::size_t i = 0; i < lines; ++i) active.insert(now(r).dialogue[i].speaker);
  Names ids = r.world != nullptr ? cast_of(now(r)) : ids_of(r.film.characters);
  std::erase_if(ids, [&](const std::string& id) {
    return (active.size() >= most_acting && !active.contains(id)) || shot_end(r) - earliest(r, id, lines) < least_speech_ms;
  });
  return ids;
}
Count lines(const Rules& r, std::size_t written) {
  const std::size_t most = r.world != nullptr ? 1 : most_texts;
  return up_to(written < most && !speakers(r, written).empty() ? written + 1 : written);
}
const Line& line(const Rules& r) { return now(r).dialogue.back(); }
std::string pace_of(const Rules& r, const std::string& speaker) {
  for (const plan::Character& c : r.film.characters) {
    if (c.id == speaker) return c.voice.pace;
  }
  return {};
}
int line_needs_ms(const Rules& r, const std::string& language) {
  return std::max(1, plan::spoken_ms(line(r).text, language, pace_of(r, line(r).speaker)));
}
int line_earliest(const Rules& r) { return earliest(r, line(r).speaker, now(r).dialogue.size() - 1); }
Legal line_text(const Rules& r) {
  const std::size_t letters = plan::letters_in(shot_end(r) - line_earliest(r), r.film.language, pace_of(r, line(r).speaker));
  return r.world != nullptr ? Legal::text(std::min(r.world->line_bytes, letters)) : text(std::min(free_text, letters));
}
Legal line_end(const Rules& r) {
  const int latest = r.world != nullptr ? shot_end(r) : std::min(r.film.total_ms, shot_end(r) + longest_crossing_ms);
  return number(line(r).start_ms + line_needs_ms(r, r.film.language), latest);
}
Names line_languages(const Rules& r) {
  Names all = languages;
  std::erase_if(all, [&](const std::string& language) { return line_needs_ms(r, language) > line(r).end_ms - line(r).start_ms; });
  return all;
}
// Seen are those in the cast, and only as long as something is done in the picture.
Legal line_mode(const Rules& r) {
  if (r.world != nullptr) return Legal::one_of({"on_screen"});
  int acted = 0;
  for (const plan::ActionBeat& beat : now(r).action_beats) acted = std::max(acted, now(r).duration_ms - beat.at_ms);
  const bool seen = plan::has(cast_of(now(r)), line(r).speaker) && line(r).end_ms - line(r).start_ms <= acted;
  return Legal::one_of(seen ? Names{"on_screen", "off_screen", "voiceover"} : Names{"off_screen", "voiceover"});
}

// Not the same size for the third time.
Names tired_sizes(const Rules& r) {
  const auto& shots = r.film.shots;
  const std::size_t n = shots.size();
  return n > 2 && shots[n - 2].camera.size == shots[n - 3].camera.size ? Names{shots[n - 2].camera.size} : Names{};
}
Legal camera_size(const Rules& r) {
  if (r.world == nullptr) return Legal::text(24, Alphabet::utf8, tired_sizes(r));
  const Names fresh = without(r.world->camera_sizes, tired_sizes(r));
  return Legal::one_of(fresh.empty() ? r.world->camera_sizes : fresh);
}
Names targets(const Rules& r) {
  Names names = ids_of(r.film.characters);
  add(names, ids_of(r.film.props));
  for (const plan::Place& place : r.film.places) {
    for (const plan::Landmark& landmark : place.landmarks) {
      if (place.id == now(r).place) names.push_back(landmark.name);
    }
  }
  return names;
}
Names earlier_shots(const Rules& r) { return ids_before_last(r.film.shots); }
const Names lockable = {"place", "duration_ms", "camera.size", "camera.move", "ambience", "cast", "action_beats", "dialogue"};

Count optional_if(bool possible) { return {0, possible ? std::size_t{1} : 0}; }
Count entities_of(std::size_t least, std::size_t most) { return {least, std::min(most, most_entities)}; }
Count few(const Rules&, std::size_t) { return up_to(most_texts); }

// ---- The rules, by path. What is not here is free text, one of its choices, or a number within its limits.

const FilmRule rules[] = {
    {"treatment", [](const Rules& r) { return text(r.world != nullptr ? PlanCaps::treatment : 600); }},
    {"title", [](const Rules&) { return text(PlanCaps::title); }},
    {"aspect",
     [](const Rules& r) {
       return Legal::one_of(r.world != nullptr ? Names{"16:9"} : Names{"16:9", "9:16", "1:1", "4:3", "21:9"});
     }},
    {"fps",
     [](const Rules& r) {
       return Legal::one_of(r.world != nullptr ? Names{"24"} : Names{"24", "25", "30"});
     }},
    {"total_ms", total},
    {"language", [](const Rules& r) { return Legal::one_of(r.world != nullptr ? Names{"en"} : languages); }},

    {"characters", nullptr,
     [](const Rules& r, std::size_t) { return r.world != nullptr ? entities_of(1, r.world->actors.size()) : up_to(most_entities); }},
    {"characters[].id",
     [](const Rules& r) {
       return r.world != nullptr ? Legal::one_of(without(ids_of(r.world->actors), ids_before_last(r.film.characters))) : new_entity(r);
     }},
    {"characters[].name", [](const Rules&) { return text(PlanCaps::name); }},
    {"characters[].look", [](const Rules& r) { return text(r.world != nullptr ? PlanCaps::look : free_text); }},
    {"characters[].voice.voice_id",
     [](const Rules& r) { return r.world != nullptr ? Legal::one_of(ids_of(r.world->voices)) : Legal::text(32, Alphabet::name); }},
    {"characters[].voice.ref_audio", nullptr, few},
    {"characters[].ref_images", nullptr, few},
    {"places", nullptr,
     [](const Rules& r, std::size_t) { return entities_of(1, r.world != nullptr ? r.world->places.size() : most_entities); }},
    {"places[].id",
     [](const Rules& r) {
       return r.world != nullptr ? Legal::one_of(without(ids_of(r.world->places), ids_before_last(r.film.places))) : new_entity(r);
     }},
    {"places[].description", [](const Rules& r) { return text(r.world != nullptr ? PlanCaps::description : free_text); }},
    {"places[].time_of_day",
     [](const Rules& r) {
       return names_of_world(
           r, [](const World& w) -> const Names& { return w.times; }, 24);
     }},
    {"places[].weather",
     [](const Rules& r) {
       return r.world != nullptr ? Legal::one_of(r.world->place(r.film.places.back().id)->weathers) : text(short_text);
     }},
    {"places[].landmarks", nullptr, few},
    {"places[].ref_images", nullptr, few},
    {"props", nullptr, [](const Rules&, std::size_t) { return up_to(most_entities); }},
    {"props[].id", new_entity},
    {"props[].states", nullptr, [](const Rules&, std::size_t) { return up_to(most_states); }},
    {"props[].states[]", [](const Rules& r) { return Legal::text(24, Alphabet::utf8, before_last(r.film.props.back().states)); }},
    {"props[].ref_images", nullptr, few},
    {"world", nullptr, fact_count<at_start>},
    {"world[].entity", fact_entity<at_start>},
    {"world[].attribute", fact_attribute<at_start>},
    {"world[].value", fact_value<at_start>},
    {"beats", nullptr,
     [](const Rules& r, std::size_t) {
       const std::size_t shots = r.world != nullptr ? shots_of_world(r)
                                                    : std::min<std::size_t>(static_cast<std::size_t>(r.max_shots()),
                                                                            static_cast<std::size_t>(r.film.total_ms / shortest(r)));
       return up_to(std::min(shots, most_entities));
     }},
    {"beats[].id", [](const Rules& r) { return Legal::text(32, Alphabet::name, ids_before_last(r.film.beats)); }},
    {"beats[].requires", nullptr, [](const Rules& r, std::size_t) { return up_to(r.film.beats.size() - 1); }},
    {"beats[].requires[]",
     [](const Rules& r) { return Legal::one_of(without(ids_before_last(r.film.beats), before_last(r.film.beats.back().needs))); }},

    {"shots", nullptr, shots},
    {"shots[].id", [](const Rules& r) { return Legal::one_of({shot_id(r.film.shots.size() - 1)}); }},
    {"shots[].beat", [](const Rules& r) { return Legal::one_of(possible_beats(r)); },
     [](const Rules& r, std::size_t) {
       return must_begin(r) ? Count{1, 1} : optional_if(!possible_beats(r).empty());
     }},
    {"shots[].place", shot_place},
    {"shots[].start_ms", [](const Rules& r) { return number(clock(r, r.film.shots.size() - 1), clock(r, r.film.shots.size() - 1)); }},
    {"shots[].duration_ms", duration},
    {"shots[].transition", nullptr, [](const Rules& r, std::size_t) { return optional_if(!transitions(r).empty()); }},
    {"shots[].transition.kind", [](const Rules& r) { return Legal::one_of(transitions(r)); }},
    {"shots[].transition.ms", [](const Rules& r) { return number(1, std::min(transition_room(r), longest_transition_ms)); },
     [](const Rules& r, std::size_t) {
       return now(r).transition.kind == "continue" ? Count{0, 0} : Count{1, 1};
     }},
    {"shots[].cast", nullptr,
     [](const Rules& r, std::size_t) {
       return Count{r.world != nullptr ? std::size_t{1} : 0, most_cast(r)};
     }},
    {"shots[].cast[].id", [](const Rules& r) { return Legal::one_of(without(present_at(r, now(r).place), ids_before_last(now(r).cast))); }},
    {"shots[].cast[].position",
     [](const Rules& r) {
       return names_of_world(
           r, [](const World& w) -> const Names& { return w.positions; }, 24);
     }},
    {"shots[].cast[].facing",
     [](const Rules& r) {
       return names_of_world(
           r, [](const World& w) -> const Names& { return w.facings; }, 24);
     }},
    {"shots[].cast[].mood", [](const Rules& r) { return r.world != nullptr ? Legal::one_of(ids_of(r.world->moods)) : text(short_text); }},
    {"shots[].cast[].visible_at", [](const Rules& r) { return number(1, now(r).duration_ms - 1); },
     [](const Rules& r, std::size_t) { return optional_if(now(r).duration_ms > 1); }},
    {"shots[].props", nullptr,
     [](const Rules& r, std::size_t) { return up_to(r.world != nullptr ? std::min(PlanCaps::props, r.world->props.size()) : most_shown); }},
    {"shots[].props[].id",
     [](const Rules& r) {
       const Names taken = ids_before_last(now(r).props);
       return r.world != nullptr ? Legal::one_of(without(ids_of(r.world->props), taken)) : Legal::text(32, Alphabet::name, taken);
     }},
    {"shots[].props[].position",
     [](const Rules& r) {
       return names_of_world(
           r, [](const World& w) -> const Names& { return w.positions; }, 24);
     }},
    {"shots[].action_beats", nullptr, actions},
    {"shots[].action_beats[].at_ms", action_at},
    {"shots[].action_beats[].who", actor},
    {"shots[].action_beats[].what", [](const Rules& r) { return r.world != nullptr ? Legal::one_of(ids_of(r.world->actions)) : text(60); }},
    {"shots[].pre", nullptr, fact_count<needed>},
    {"shots[].pre[].entity", fact_entity<needed>},
    {"shots[].pre[].attribute", fact_attribute<needed>},
    {"shots[].pre[].value", fact_value<needed>},
    {"shots[].effects", nullptr, fact_count<caused>},
    {"shots[].effects[].entity", fact_entity<caused>},
    {"shots[].effects[].attribute", fact_attribute<caused>},
    {"shots[].effects[].value", fact_value<caused>},
    {"shots[].camera.size", camera_size},
    {"shots[].camera.move",
     [](const Rules& r) {
       return names_of_world(
           r, [](const World& w) -> const Names& { return w.camera_moves; }, 24);
     }},
    {"shots[].camera.target", [](const Rules& r) { return Legal::one_of(targets(r)); },
     [](const Rules& r, std::size_t) { return optional_if(!targets(r).empty()); }},
    {"shots[].dialogue", nullptr, lines},
    {"shots[].dialogue[].speaker", [](const Rules& r) { return Legal::one_of(speakers(r, now(r).dialogue.size() - 1)); }},
    {"shots[].dialogue[].text", line_text},
    {"shots[].dialogue[].start_ms",
     [](const Rules& r) { return number(line_earliest(r), shot_end(r) - line_needs_ms(r, r.film.language)); }},
    {"shots[].dialogue[].end_ms", line_end},
    {"shots[].dialogue[].language", [](const Rules& r) { return Legal::one_of(line_languages(r)); },
     [](const Rules& r, std::size_t) { return optional_if(!line_languages(r).empty()); }},
    {"shots[].dialogue[].mode", line_mode},
    {"shots[].dialogue[].crosses_cut", nullptr,
     [](const Rules& r, std::size_t) {
       return Count{line(r).end_ms > shot_end(r) ? std::size_t{1} : 0, 1};
     }},
    {"shots[].sfx", nullptr, few},
    {"shots[].sfx[].at_ms",
     [](const Rules& r) { return number(now(r).sfx.size() < 2 ? 0 : now(r).sfx[now(r).sfx.size() - 2].at_ms, now(r).duration_ms - 1); }},
    {"shots[].ambience",
     [](const Rules& r) {
       return names_of_world(
           r, [](const World& w) -> const Names& { return w.ambiences; }, 60);
     }},
    {"shots[].conditioning.mode",
     [](const Rules& r) {
       Names modes = {"first_frame", "first_last_frame", "references"};
       if (!earlier_shots(r).empty()) modes.emplace_back("chain");
       return Legal::one_of(modes);
     }},
    {"shots[].conditioning.chain_from", [](const Rules& r) { return Legal::one_of(earlier_shots(r)); },
     [](const Rules& r, std::size_t) {
       return now(r).conditioning.mode == "chain" ? Count{1, 1} : Count{0, 0};
     }},
    {"shots[].conditioning.references", nullptr, few},
    {"shots[].locked", nullptr, few},
    {"shots[].locked[]", [](const Rules& r) { return Legal::one_of(without(lockable, before_last(now(r).locked))); }},

    {"sound.music", [](const Rules& r) { return r.world != nullptr ? Legal::one_of({"none"}) : text(60); }},
    {"sound.music_in_ms", [](const Rules& r) { return number(0, r.film.total_ms - 1); }},
    {"sound.music_out_ms", [](const Rules& r) { return number(r.film.sound.music_in_ms.value_or(0) + 1, r.film.total_ms); }},
    {"unsupported", nullptr, [](const Rules& r, std::size_t) { return up_to(r.spans.empty() ? 0 : PlanCaps::unsupported_count); }},
    {"unsupported[]", [](const Rules& r) { return Legal::one_of(r.spans); }},
};

// Optional fields that are about the story and not about picture and sound. A model of a world leaves room for these, and for what its
// world has (check/model.cpp).
const Names story = {"logline", "props", "world", "beats", "shots[].beat", "shots[].pre", "shots[].effects"};
bool has_some(const World& world, const std::string& path) {
  return (path == "places[].weather" && !world.weathers.empty()) || (path == "shots[].cast[].mood" && !world.moods.empty()) ||
         (path == "shots[].props" && !world.props.empty());
}
// Not a language model's to fill in.
const Names by_others = {"seed",
                         "characters[].voice.ref_audio",
                         "characters[].ref_images",
                         "characters[].cast_id",
                         "places[].ref_images",
                         "props[].ref_images",
                         "shots[].conditioning",
                         "shots[].seed",
                         "shots[].locked"};

}  // namespace

const FilmRule* film_rule(const std::string& path) {
  const auto* found = std::find_if(std::begin(rules), std::end(rules), [&](const FilmRule& rule) { return rule.path == path; });
  return found == std::end(rules) ? nullptr : found;
}

bool is_left_out(const std::string& path, bool optional, const FilmOptions& options) {
  if (path == "prompt") return true;  // it is asked, not answered
  if (!optional) return false;
  if (!options.all_fields && plan::has(by_others, path)) return true;
  const auto within = [&](const std::string& top) {
    return path.starts_with(top) && (path.size() == top.size() || path[top.size()] == '[' || path[top.size()] == '.');
  };
  return options.world != nullptr && !has_some(*options.world, path) && std::none_of(story.begin(), story.end(), within);
}

FilmRules::FilmRules(const plan::Film& f, const FilmOptions& o)
    : film(f), options(o), world(o.world), spans(legal_spans(f.prompt, PlanCaps::unsupported)) {}

Legal FilmRules::legal(const FilmNode& node) const {
  if (node.rule != nullptr && node.rule->legal != nullptr) return node.rule->legal(*this);
  if (node.kind == FilmNode::Kind::flag) return Legal::one_of({"true"});
  if (node.kind == FilmNode::Kind::number)
    return Legal::number({{std::max<std::int64_t>(node.limits.low, node.optional ? 1 : 0), node.limits.high}});
  if (!node.limits.choices.empty()) return Legal::one_of({node.limits.choices.begin(), node.limits.choices.end()});
  return text(short_text);
}

Count FilmRules::count(const FilmNode& node, std::size_t written) const {
  return node.rule != nullptr && node.rule->count != nullptr ? node.rule->count(*this, written) : Count{0, 1};
}

}  // namespace fabula
