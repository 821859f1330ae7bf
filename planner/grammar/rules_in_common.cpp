// Rules for a world's film and any other film: names, beats, the simulated world, the tiling of shots; and the functions that both other
// tables share.
#include <algorithm>
#include <map>
#include <set>

#include "planner/check/limits.h"
#include "planner/check/speech.h"
#include "planner/grammar/rule_helpers.h"
#include "planner/schema/caps.h"
#include "planner/schema/ids.h"

namespace fabula {
namespace film_rules {
namespace {

using plan::Fact, plan::Shot;
using Rules = FilmRules;

constexpr std::size_t most_facts = 4, most_states = 4;
constexpr int least_speech_ms = 300;  // somebody with less time left than this says nothing

void append(Names& to, const Names& more) { to.insert(to.end(), more.begin(), more.end()); }

Names entity_ids(const Rules& r) {
  Names ids = ids_of(r.film.characters);
  append(ids, ids_of(r.film.places));
  append(ids, ids_of(r.film.props));
  return ids;
}

// ---- The simulated world before the current shot.

using Key = std::pair<std::string, std::string>;
using Facts = std::map<Key, std::string>;

Facts facts_before_shot(const Rules& r) {
  Facts facts;
  const auto apply = [&](const std::vector<Fact>& all) {
    for (const Fact& fact : all) facts[{fact.entity, fact.attribute}] = fact.value;
  };
  for (const plan::Character& c : r.film.characters) {
    if (!c.wardrobe.empty()) facts[{c.id, "wardrobe"}] = c.wardrobe;
  }
  if (r.film.shots.empty()) return facts;  // what holds at the start is still being written
  apply(r.film.world);
  for (std::size_t i = 0; i + 1 < r.film.shots.size(); ++i) apply(r.film.shots[i].effects);
  return facts;
}
std::string value_in(const Facts& facts, const std::string& entity, const std::string& attribute) {
  const auto known = facts.find({entity, attribute});
  return known == facts.end() ? "" : known->second;
}

Names possible_holders(const Rules& r, const std::string& prop) {
  Names all = ids_of(r.film.places);
  all.emplace_back(plan::nobody);
  if (r.film.shots.empty()) {
    append(all, ids_of(r.film.characters));
    return all;
  }
  // It changes hands where both the old and the new holder are seen; an unseen holder keeps it.
  const std::string holder = value_before_shot(r, prop, "holder");
  const Names cast = ids_of(current_shot(r).cast);
  if (has(ids_of(r.film.characters), holder) && !has(cast, holder)) return {holder};
  append(all, cast);
  return all;
}

const plan::Prop* prop_of(const Rules& r, const std::string& id) {
  const auto found = std::find_if(r.film.props.begin(), r.film.props.end(), [&](const plan::Prop& prop) { return prop.id == id; });
  return found == r.film.props.end() ? nullptr : &*found;
}

// What may be said of an entity at the start and as an effect: attributes with a meaning, and a few more of the program's own.
Names settable_attributes(const Rules& r, const std::string& entity) {
  if (has(ids_of(r.film.characters), entity)) return {"place", "wardrobe", "state", "mood", "pose"};
  const plan::Prop* prop = prop_of(r, entity);
  if (prop == nullptr) return {"state", "light", "weather"};
  if (value_before_shot(r, entity, "state") == plan::destroyed) return {};
  return prop->states.empty() ? Names{"holder", "condition"} : Names{"holder", "state", "condition"};
}

Names known_attributes(const Rules& r, const std::string& entity) {
  Names names;
  for (const auto& [key, value] : facts_before_shot(r)) {
    if (key.first == entity) names.push_back(key.second);
  }
  return names;
}

// `attributes` minus those that the complete facts of a list give for the entity.
Names not_yet_given(Names attributes, const std::string& entity, std::span<const Fact> complete) {
  std::erase_if(attributes, [&](const std::string& a) {
    return std::any_of(complete.begin(), complete.end(), [&](const Fact& f) { return f.entity == entity && f.attribute == a; });
  });
  return attributes;
}

// One of the three lists of facts, and which attributes it may give.
struct FactList {
  const std::vector<Fact>& (*facts)(const Rules&);
  Names (*attributes)(const Rules&, const std::string& entity);
};
const std::vector<Fact>& world_facts(const Rules& r) { return r.film.world; }
const std::vector<Fact>& preconditions(const Rules& r) { return current_shot(r).pre; }
const std::vector<Fact>& effects(const Rules& r) { return current_shot(r).effects; }
constexpr FactList at_start{world_facts, settable_attributes}, required{preconditions, known_attributes},
    caused{effects, settable_attributes};

template <const FactList& list>
Names possible_fact_entities(const Rules& r, std::size_t complete) {
  Names ids = entity_ids(r);
  std::erase_if(ids, [&](const std::string& id) {
    return not_yet_given(list.attributes(r, id), id, std::span(list.facts(r)).first(complete)).empty();
  });
  return ids;
}
template <const FactList& list>
Count fact_count(const Rules& r, std::size_t written) {
  return at_most(written < most_facts && !possible_fact_entities<list>(r, written).empty() ? written + 1 : written);
}
template <const FactList& list>
Legal fact_entity(const Rules& r) {
  return Legal::one_of(possible_fact_entities<list>(r, list.facts(r).size() - 1));
}
template <const FactList& list>
Legal fact_attribute(const Rules& r) {
  const std::vector<Fact>& facts = list.facts(r);
  const std::string& entity = facts.back().entity;
  return Legal::one_of(not_yet_given(list.attributes(r, entity), entity, std::span(facts).first(facts.size() - 1)));
}
template <const FactList& list>
Legal fact_value(const Rules& r) {
  const Fact& fact = list.facts(r).back();
  const Facts before = facts_before_shot(r);
  const bool is_start = &list == &at_start, is_worn = fact.attribute == "wardrobe" && !value_in(before, fact.entity, "wardrobe").empty();
  if (&list == &required || (is_start && is_worn)) return Legal::one_of({value_in(before, fact.entity, fact.attribute)});
  if (fact.attribute == "place") return Legal::one_of(ids_of(r.film.places));
  if (fact.attribute == "holder") return Legal::one_of(possible_holders(r, fact.entity));
  const plan::Prop* prop = prop_of(r, fact.entity);
  if (fact.attribute == "state" && prop != nullptr) return Legal::one_of(prop->states);
  // Only props are destroyed: people and places last, so that every shot has some.
  return Legal::text(short_text_bytes, Alphabet::utf8, {plan::destroyed});
}

// When `speaker` may start a line, given the complete lines of the current shot.
int earliest_speech_ms(const Rules& r, const std::string& speaker, std::size_t complete_lines) {
  int ms = current_shot(r).start_ms;
  for (const Shot& shot : r.film.shots) {
    const bool is_current = &shot == &current_shot(r);
    for (std::size_t i = 0; i < (is_current ? complete_lines : shot.dialogue.size()); ++i) {
      if (is_current) ms = std::max(ms, shot.dialogue[i].start_ms);
      if (shot.dialogue[i].speaker == speaker) ms = std::max(ms, shot.dialogue[i].end_ms);
    }
  }
  return ms;
}

// One more shot until they fill the film.
Count shot_count(const Rules& r, std::size_t written) {
  const bool more = length_of_shots(r, written) < r.film.total_ms;
  return {written + (more ? 1 : 0), written + (more ? 1 : 0)};
}

constexpr FilmRule rules[] = {
    {"title", [](const Rules&) { return free_text(PlanCaps::title); }},
    {"characters[].name", [](const Rules&) { return free_text(PlanCaps::name); }},
    {"props", nullptr, [](const Rules&, std::size_t) { return at_most(most_entities); }},
    {"props[].id", [](const Rules& r) { return Legal::text(id_bytes, Alphabet::name, entity_ids(r)); }},
    {"props[].states", nullptr, [](const Rules&, std::size_t) { return at_most(most_states); }},
    {"props[].states[]", [](const Rules& r) { return Legal::text(word_bytes, Alphabet::utf8, all_but_last(r.film.props.back().states)); }},
    {"props[].ref_images", nullptr, at_most_three},
    {"world", nullptr, fact_count<at_start>},
    {"world[].entity", fact_entity<at_start>},
    {"world[].attribute", fact_attribute<at_start>},
    {"world[].value", fact_value<at_start>},
    {"beats[].id", [](const Rules& r) { return Legal::text(id_bytes, Alphabet::name, earlier_ids(r.film.beats)); }},
    {"beats[].requires", nullptr, [](const Rules& r, std::size_t) { return at_most(r.film.beats.size() - 1); }},
    {"beats[].requires[]",
     [](const Rules& r) { return Legal::one_of(without(earlier_ids(r.film.beats), all_but_last(r.film.beats.back().needs))); }},

    {"shots", nullptr, shot_count},
    {"shots[].id", [](const Rules& r) { return Legal::one_of({plan::shot_id(r.film.shots.size() - 1)}); }},
    {"shots[].start_ms",
     [](const Rules& r) {
       const int start = length_of_shots(r, r.film.shots.size() - 1);
       return number_from(start, start);
     }},
    {"shots[].cast[].id",
     [](const Rules& r) { return Legal::one_of(without(present_at(r, current_shot(r).place), earlier_ids(current_shot(r).cast))); }},
    {"shots[].pre", nullptr, fact_count<required>},
    {"shots[].pre[].entity", fact_entity<required>},
    {"shots[].pre[].attribute", fact_attribute<required>},
    {"shots[].pre[].value", fact_value<required>},
    {"shots[].effects", nullptr, fact_count<caused>},
    {"shots[].effects[].entity", fact_entity<caused>},
    {"shots[].effects[].attribute", fact_attribute<caused>},
    {"shots[].effects[].value", fact_value<caused>},
    {"shots[].dialogue[].start_ms",
     [](const Rules& r) { return number_from(earliest_line_ms(r), shot_end_ms(r) - needed_line_ms(r, r.film.language)); }},
    {"unsupported", nullptr, [](const Rules& r, std::size_t) { return at_most(r.spans.empty() ? 0 : PlanCaps::unsupported_count); }},
    {"unsupported[]", [](const Rules& r) { return Legal::one_of(r.spans); }},
};

}  // namespace

int length_of_shots(const FilmRules& r, std::size_t shots) {
  int ms = 0;
  for (std::size_t i = 0; i < shots && i < r.film.shots.size(); ++i) ms += r.film.shots[i].duration_ms;
  return ms;
}

std::size_t beats_shown(const FilmRules& r, std::size_t shots) {
  std::set<std::string> shown;
  for (std::size_t i = 0; i < shots; ++i) shown.insert(r.film.shots[i].beat);
  shown.erase("");
  return shown.size();
}

std::size_t beats_left(const FilmRules& r) { return r.film.beats.size() - beats_shown(r, r.film.shots.size() - 1); }

Names possible_beats(const FilmRules& r, bool must_begin) {
  const std::size_t next = beats_shown(r, r.film.shots.size() - 1);
  Names ids = ids_of(r.film.beats), required_over;
  if (must_begin) return {ids[next]};
  for (std::size_t i = 0; i < next; ++i) append(required_over, r.film.beats[i].needs);
  ids.resize(std::min(ids.size(), next + 1));
  return without(ids, required_over);
}

Names present_at(const FilmRules& r, const std::string& place) {
  Names ids = ids_of(r.film.characters);
  const Facts facts = facts_before_shot(r);
  std::erase_if(ids, [&](const std::string& id) {
    const std::string at = value_in(facts, id, "place");
    return !at.empty() && at != place;
  });
  return ids;
}

Names possible_speakers(const FilmRules& r, Names ids, std::size_t complete_lines) {
  std::set<std::string> active;
  for (const plan::ActionBeat& beat : current_shot(r).action_beats) active.insert(beat.who);
  for (std::size_t i = 0; i < complete_lines; ++i) active.insert(current_shot(r).dialogue[i].speaker);
  std::erase_if(ids, [&](const std::string& id) {
    const bool is_one_too_many = active.size() >= plan::ShotLimits::actors && !active.contains(id);
    return is_one_too_many || shot_end_ms(r) - earliest_speech_ms(r, id, complete_lines) < least_speech_ms;
  });
  return ids;
}

Count line_count(const FilmRules& r, const Names& speakers, std::size_t written, std::size_t most) {
  return at_most(written < most && !possible_speakers(r, speakers, written).empty() ? written + 1 : written);
}

int earliest_line_ms(const FilmRules& r) { return earliest_speech_ms(r, current_line(r).speaker, current_shot(r).dialogue.size() - 1); }

std::size_t letters_for_line(const FilmRules& r) {
  return plan::letters_in(shot_end_ms(r) - earliest_line_ms(r), r.film.language, plan::pace_of(r.film, current_line(r).speaker));
}

int needed_line_ms(const FilmRules& r, const std::string& language) {
  return std::max(1, plan::spoken_ms(current_line(r).text, language, plan::pace_of(r.film, current_line(r).speaker)));
}

Legal line_end(const FilmRules& r, int latest) {
  return number_from(current_line(r).start_ms + needed_line_ms(r, r.film.language), latest);
}

Names overused_sizes(const FilmRules& r) {
  static_assert(plan::ShotLimits::same_size_in_a_row == 2);
  const auto& shots = r.film.shots;
  const std::size_t n = shots.size();
  return n > 2 && shots[n - 2].camera.size == shots[n - 3].camera.size ? Names{shots[n - 2].camera.size} : Names{};
}

std::string value_before_shot(const FilmRules& r, const std::string& entity, const std::string& attribute) {
  return value_in(facts_before_shot(r), entity, attribute);
}

}  // namespace film_rules

std::span<const FilmRule> rules_in_common() { return film_rules::rules; }

}  // namespace fabula
