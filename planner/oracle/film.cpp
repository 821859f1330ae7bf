// Makes a plan of a story, as tools/train/prompts/grammar.py does, for any world.
#include <algorithm>
#include <cmath>
#include <map>

#include "planner/check/check.h"
#include "planner/oracle/fades.h"
#include "planner/oracle/oracle.h"
#include "planner/oracle/words.h"
#include "planner/schema/caps.h"
#include "planner/schema/ids.h"
#include "planner/text/names.h"
#include "planner/text/prompt.h"
#include "planner/text/spans.h"
#include "planner/text/text.h"

namespace fabula::oracle {
namespace {

// `wanted` if the world has it, else the world's first.
std::string one_of(const std::vector<std::string>& names, std::string_view wanted) {
  return has(names, wanted) ? std::string(wanted) : names.front();
}

bool is_moving(const std::string& action) { return action == "walks" || action == "runs" || action == "flies"; }

// "in the forest", "on the beach", "underwater"
std::string at_place(const std::string& id) {
  const std::string words = spaced(id);
  if (id == "underwater") return words;
  return (id == "beach" || id == "moon" ? "on the " : "in the ") + words;
}

// The number of shots per event: more for each if there are few events, or the number asked for, and at least one per piece of a line.
// Shots beyond the model's maximum are taken from the longest event.
std::vector<std::size_t> shot_counts(const Story& story, std::size_t most) {
  const std::size_t events = story.events.size();
  std::vector<std::size_t> counts(events, events == 1 ? 3 : events == 2 ? 2 : 1);
  if (story.shots > 0) {
    const std::size_t wanted = std::max(static_cast<std::size_t>(story.shots), events);
    for (std::size_t i = 0; i < events; ++i) counts[i] = wanted / events + (i < wanted % events ? 1 : 0);
  }
  std::size_t sum = 0;
  for (std::size_t i = 0; i < events; ++i) sum += counts[i] = std::max(counts[i], story.events[i].line.size());
  while (sum > most) {
    auto longest = counts.end();
    for (auto count = counts.begin(); count != counts.end(); ++count) {
      const std::size_t needed = std::max<std::size_t>(1, story.events[static_cast<std::size_t>(count - counts.begin())].line.size());
      if (*count > needed && (longest == counts.end() || *count > *longest)) longest = count;
    }
    if (longest == counts.end()) break;
    --*longest;
    --sum;
  }
  return counts;
}

class StoryPlanner {
 public:
  StoryPlanner(Story story, const std::string& prompt, const World& world, const PhonesFunction& phones)
      : story_(std::move(story)), world_(world), phones_(phones) {
    film_.prompt = prompt;
  }

  plan::Film run() {
    if (story_.events.empty()) story_.events.push_back({});
    const std::string lead = lead_of(story_, world_);
    for (Event& event : story_.events) {
      if (event.roles.empty()) event.roles.push_back({lead, {}, {}, {}, false});
      complete_event(event);
    }
    std::vector<std::string> dropped = std::move(story_.unsupported);
    dropped.insert(dropped.end(), unseen_.begin(), unseen_.end());
    const std::size_t most = static_cast<std::size_t>(world_.max_shots);
    const std::vector<std::size_t> counts = shot_counts(story_, most);
    for (std::size_t i = 0; i < story_.events.size(); ++i) {
      const Event& event = story_.events[i];
      const std::size_t room = most - film_.shots.size();
      if (room == 0) dropped.push_back(source_of(event));
      for (std::size_t piece = room; piece < event.line.size(); ++piece) dropped.push_back(event.line[piece]);
      if (room > 0) add_shots(event, std::min(counts[i], room), counts[i]);
    }
    if (story_.move.empty() && film_.shots.size() > 1 && has(world_.camera_moves, "push_in")) film_.shots.back().camera.move = "push_in";
    film_.total_ms = world_.film_ms(static_cast<int>(film_.shots.size()));
    film_.treatment = treatment();
    film_.title = title();
    for (std::string& line : remove_unsayable_lines()) dropped.push_back(std::move(line));
    const auto position = [&](const std::string& span) { return film_.prompt.find(span); };
    std::stable_sort(dropped.begin(), dropped.end(), [&](const std::string& a, const std::string& b) { return position(a) < position(b); });
    name_unsupported(film_.unsupported, dropped);
    set_fades(film_, fades_of(film_.prompt));
    return std::move(film_);
  }

 private:
  // Fills in what an event leaves open.
  void complete_event(Event& event) {
    const std::string still = has(ids_of(world_.actions), "stands") ? "stands" : world_.actions.front().id;
    for (Role& role : event.roles) {
      if (role.action.empty()) role.action = still;
      std::string& mood = moods_[role.actor];
      if (role.mood.empty()) role.mood = World::or_first(mood, world_.moods);
      mood = role.mood;
    }
    if (event.place.empty()) event.place = place_.empty() ? place_of(story_, world_) : place_;
    event.place = place_entry(event);
    place_ = world_.place(event.place)->id;
    place_roles(event.roles);
    furnish_event(event);
  }

  // The plan's entry of the place at the event's time and in its weather: a place seen by day and by night has two.
  std::string place_entry(Event& event) {
    const World::Place& place = *world_.place(event.place);
    if (!event.weather.empty()) weather_ = event.weather;
    if (!event.weather.empty() && !has(place.weathers, event.weather)) {
      unseen_.emplace_back(event.weather_source.of(film_.prompt));
      event.weather = place.weathers.front();
    }
    const auto is_it = [&](const plan::Place& p) {
      return world_.place(p.id)->id == event.place && (event.time.empty() || p.time_of_day == event.time) &&
             (event.weather.empty() || p.weather == event.weather);
    };
    const auto last = std::find_if(film_.places.rbegin(), film_.places.rend(), is_it);
    if (last != film_.places.rend()) {
      time_ = event.time = last->time_of_day;
      event.weather = last->weather;
      return last->id;
    }
    if (event.time.empty()) event.time = time_.empty() ? time_of(story_, world_) : time_;
    time_ = event.time;
    if (event.weather.empty()) event.weather = has(place.weathers, weather_) ? weather_ : World::or_first({}, world_.weathers);
    film_.places.push_back({next_entry(film_, event.place), place.description, event.time, event.weather});
    return film_.places.back().id;
  }

  // Gives an event the props of its place, earlier ones included. Props that a shot has no room for become unsupported.
  void furnish_event(Event& event) {
    std::vector<Thing>& things = things_[event.place];
    for (Thing& thing : event.props) {
      const auto there = std::find_if(things.begin(), things.end(), [&](const Thing& t) { return t.prop == thing.prop; });
      if (there != things.end()) {
        if (!thing.position.empty()) there->position = thing.position;
      } else if (things.size() < PlanCaps::props) {
        things.push_back(thing);
      } else {
        unseen_.emplace_back(thing.source.of(film_.prompt));
      }
    }
    event.props = things;
    for (std::size_t i = 0; i < things.size(); ++i) {
      if (things[i].position.empty()) event.props[i].position = prop_position(world_, event.roles.size(), event.roles[0].position, i);
    }
  }

  void place_roles(std::vector<Role>& roles) const {
    const std::string left = one_of(world_.positions, "left"), right = one_of(world_.positions, "right");
    if (roles.size() == 1) {
      if (roles[0].position.empty()) roles[0].position = one_of(world_.positions, "center");
      if (roles[0].facing.empty()) roles[0].facing = one_of(world_.facings, "right");
      return;
    }
    Role &a = roles[0], &b = roles[1];
    if (a.position.empty()) a.position = b.position == left ? right : left;
    if (b.position.empty() || b.position == a.position) b.position = a.position == right ? left : right;
    const bool together = (a.action == b.action && is_moving(a.action)) || a.action == "chases" || b.action == "chases";
    for (Role* role : {&a, &b}) {
      if (role->facing.empty()) role->facing = one_of(world_.facings, together || role->position == left ? "right" : "left");
    }
  }

  void declare_characters(const Event& event) {
    for (const Role& role : event.roles) {
      if (has(ids_of(film_.characters), role.actor)) continue;
      const auto actor =
          std::find_if(world_.actors.begin(), world_.actors.end(), [&](const World::Actor& a) { return a.id == role.actor; });
      const auto asked = story_.voices.find(role.actor);
      film_.characters.push_back(
          {actor->id, actor->name, actor->look, {asked == story_.voices.end() ? default_voice(actor->id, world_) : asked->second}});
    }
  }

  // Adds `count` of the `planned` shots of an event. A line is spoken in the second shot, if there is one.
  void add_shots(const Event& event, std::size_t count, std::size_t planned) {
    declare_characters(event);
    const std::size_t first = planned > event.line.size() ? 1 : 0;
    const World::Place& place = *world_.place(event.place);
    for (std::size_t i = 0; i < count; ++i) {
      plan::Shot shot;
      const std::size_t index = film_.shots.size();
      const std::size_t turn = planned == 1 ? index : i;
      shot.id = plan::shot_id(index);
      shot.place = event.place;
      shot.start_ms = world_.film_ms(static_cast<int>(index));
      shot.duration_ms = world_.film_ms(static_cast<int>(index) + 1) - shot.start_ms;
      for (const Role& role : event.roles) {
        shot.cast.push_back({.id = role.actor, .position = role.position, .facing = role.facing, .mood = role.mood});
        shot.action_beats.push_back({0, role.actor, role.action});
      }
      shot.camera.size = story_.size.empty() ? size_in_turn(turn) : story_.size;
      shot.camera.move = story_.move.empty() ? one_of(world_.camera_moves, "static") : story_.move;
      for (const Thing& thing : event.props) shot.props.push_back({thing.prop, thing.position});
      shot.ambience = ambience_of(place, event.time, event.weather, world_);
      if (i >= first && i - first < event.line.size())
        shot.dialogue.push_back(line_of(film_, shot, event.speaker, event.line[i - first], world_, phones_));
      film_.shots.push_back(std::move(shot));
    }
  }

  // Wide, then closer with each shot, as far as the world's camera goes.
  std::string size_in_turn(std::size_t turn) const {
    const std::vector<const char*> sizes =
        has(world_.camera_sizes, "close") ? std::vector{"wide", "medium", "close"} : std::vector{"wide", "medium"};
    return one_of(world_.camera_sizes, sizes[turn % sizes.size()]);
  }

  // Removes from the plan and returns the lines that the validator refuses.
  std::vector<std::string> remove_unsayable_lines() {
    std::vector<std::string> lines;
    const std::vector<plan::Finding> findings = plan::check(film_, world_);
    for (std::size_t i = 0; i < film_.shots.size(); ++i) {
      const std::string path = plan::at("shots", i) + ".dialogue";
      const bool refused = std::any_of(findings.begin(), findings.end(), [&](const plan::Finding& f) {
        return f.severity == plan::Severity::error && f.path.starts_with(path);
      });
      if (!refused) continue;
      for (const plan::Line& line : film_.shots[i].dialogue) lines.push_back(line.text);
      film_.shots[i].dialogue.clear();
    }
    return lines;
  }

  std::string source_of(const Event& event) const {
    std::string_view text = event.source.of(film_.prompt);
    const std::vector<TextSpan> words = words_of(text);
    std::size_t end = 0;
    for (const TextSpan& word : words) {
      if (word.end > PlanCaps::unsupported) break;
      end = word.end;
    }
    return std::string(text.substr(0, end));
  }

  // "sad fox"; the world's first mood is not mentioned.
  std::string actor_words(const Role& role) const {
    const bool is_plain = world_.moods.empty() || role.mood == world_.moods.front().id;
    return (is_plain ? "" : spaced(role.mood) + " ") + spaced(role.actor);
  }

  // " in the forest by night in the rain"
  std::string setting_words(const Event& event) const {
    std::string words = " " + at_place(world_.place(event.place)->id) + " by " + spaced(event.time);
    if (!world_.weathers.empty() && event.weather != world_.weathers.front().id)
      words += " in the " + (event.weather == "snow" ? "snowfall" : spaced(event.weather));
    return words;
  }

  // The story in canonical words, one sentence per event, as many as fit.
  std::string treatment() const {
    std::string text, place;
    for (const Event& event : story_.events) {
      const Role& a = event.roles[0];
      const Role* b = event.roles.size() > 1 ? &event.roles[1] : nullptr;
      std::string sentence = "The " + actor_words(a) + " " + spaced(a.action);
      if (b != nullptr)
        sentence += a.action == b->action ? " with the " + actor_words(*b) : ", the " + actor_words(*b) + " " + spaced(b->action);
      if (event.place != place) sentence += setting_words(event);
      place = event.place;
      if (!event.line.empty()) sentence += b != nullptr ? ". The " + spaced(event.speaker) + " speaks" : " and speaks";
      sentence += ".";
      if (text.size() + (text.empty() ? 0 : 1) + sentence.size() > PlanCaps::treatment) break;
      text += (text.empty() ? "" : " ") + sentence;
    }
    return text.empty() ? "The " + spaced(story_.events[0].roles[0].actor) + "." : text;
  }

  // "Fox in the Forest"
  std::string title() const {
    const Event& first = story_.events[0];
    const std::string name = film_.characters.front().name, where = at_place(world_.place(first.place)->id);
    std::string title = name + " " + where;
    for (std::size_t i = name.size() + 1 + (where.find(" the ") == std::string::npos ? 0 : where.find(" the ") + 5); i < title.size();
         ++i) {
      if (title[i - 1] == ' ' && title[i] >= 'a' && title[i] <= 'z') title[i] = static_cast<char>(title[i] - 'a' + 'A');
    }
    return title.size() <= PlanCaps::title ? title : name.substr(0, PlanCaps::title);
  }

  Story story_;
  const World& world_;
  const PhonesFunction& phones_;
  plan::Film film_;
  std::string place_, time_, weather_;                // where, when and in which weather the film currently is
  std::map<std::string, std::string> moods_;          // by actor
  std::map<std::string, std::vector<Thing>> things_;  // by entry of a place
  std::vector<std::string> unseen_;                   // words for weathers that a place lacks and for props beyond the limit
};

}  // namespace

plan::Film film_of(const Story& story, const std::string& prompt, const World& world, const PhonesFunction& phones) {
  return StoryPlanner(story, prompt, world, phones).run();
}

plan::Film plan_by_rules(const std::string& prompt, const World& world, const PhonesFunction& phones) {
  const std::string prepared = prepare_prompt(prompt);
  return film_of(read_story(prepared, world), prepared, world, phones);
}

void add_names(World& world, const std::vector<ActorName>& names) {
  for (const ActorName& name : names) {
    const std::vector<std::string> words = split_words(name.name);
    const Lexicon lexicon(world);
    if (words.empty() || std::all_of(words.begin(), words.end(), [&](const std::string& word) { return lexicon.knows(word); })) continue;
    std::string phrase;
    for (const std::string& word : words) phrase += (phrase.empty() ? "" : " ") + word;
    for (World::Actor& actor : world.actors) {
      if (actor.id == name.actor) actor.words.push_back(phrase);
    }
    if (!world.plain_words.empty()) world.plain_words.insert(world.plain_words.end(), words.begin(), words.end());
  }
}

void name_unsupported(std::vector<std::string>& unsupported, const std::vector<std::string>& spans) {
  for (const std::string& span : spans) {
    const bool is_there =
        std::any_of(unsupported.begin(), unsupported.end(), [&](const std::string& s) { return lowercase(s) == lowercase(span); });
    if (!span.empty() && !is_there) unsupported.push_back(span);
  }
}

int shots_in(double seconds, const World& world) { return std::max(1, static_cast<int>(std::lround(1000.0 * seconds / world.film_ms(1)))); }

std::string next_entry(const plan::Film& film, const std::string& place) {
  const std::vector<std::string> entries = ids_of(film.places);
  if (!has(entries, place)) return place;
  int number = 2;
  while (has(entries, place + "_" + std::to_string(number))) ++number;
  return place + "_" + std::to_string(number);
}

plan::Line line_of(const plan::Film& film, const plan::Shot& shot, const std::string& speaker, const std::string& text, const World& world,
                   const PhonesFunction& phones) {
  const auto who = std::find_if(film.characters.begin(), film.characters.end(), [&](const plan::Character& c) { return c.id == speaker; });
  return {speaker, text, shot.start_ms + line_lead_ms, line_end_ms(shot, text, *world.voice(who->voice.voice_id), phones)};
}

std::string ambience_of(const World::Place& place, const std::string& time, const std::string& weather, const World& world) {
  const bool has_crickets = time == "night" && (place.id == "forest" || place.id == "meadow" || place.id == "castle");
  const std::string heard = weather == "rain" ? "rain" : weather == "snow" ? "wind" : has_crickets ? "crickets" : "";
  return has(world.ambiences, heard) ? heard : place.ambience;
}

std::string prop_position(const World& world, std::size_t roles, const std::string& lead, std::size_t index) {
  const std::string side = roles > 1 ? "center" : lead == "right" ? "left" : "right";
  return one_of(world.positions, index == 0 ? side : side == "left" ? "right" : "left");
}

std::string default_voice(const std::string& actor, const World& world) {
  const std::vector<std::string> actors = ids_of(world.actors);
  const auto index = static_cast<std::size_t>(std::find(actors.begin(), actors.end(), actor) - actors.begin());
  return world.voices[index % std::min<std::size_t>(2, world.voices.size())].id;
}

std::string default_time(const World& world) { return one_of(world.times, "day"); }

std::string first_but(const std::vector<std::string>& names, const std::vector<std::string>& removed) {
  const auto found = std::find_if(names.begin(), names.end(), [&](const std::string& name) { return !has(removed, name); });
  return found == names.end() ? names.front() : *found;
}

std::string lead_of(const Story& story, const World& world) {
  for (const Event& event : story.events) {
    if (!event.roles.empty()) return event.roles.front().actor;
  }
  return first_but(ids_of(world.actors), story.removed);
}

std::string place_of(const Story& story, const World& world) { return first_but(ids_of(world.places), story.removed_places); }

std::string time_of(const Story& story, const World& world) {
  const std::string usual = default_time(world);
  return has(story.removed_times, usual) ? first_but(world.times, story.removed_times) : usual;
}

}  // namespace fabula::oracle
