// Applies a wish to a plan: shot by shot, then to what depends on them, then checks the result.
#include "planner/edit/replan.h"

#include <algorithm>
#include <map>
#include <set>

#include "planner/check/check.h"
#include "planner/check/rules.h"
#include "planner/check/simulate.h"
#include "planner/edit/reshape.h"
#include "planner/oracle/oracle.h"
#include "planner/schema/caps.h"
#include "planner/schema/schema.h"
#include "planner/text/prompt.h"
#include "planner/text/text.h"

namespace fabula::plan {
namespace {

using oracle::Event;
using oracle::Role;

// Whether a change at `path` would touch a locked field.
bool is_locked(const Shot& shot, const std::string& path) {
  const auto is_below = [](const std::string& inner, const std::string& outer) {
    return inner.starts_with(outer) && (inner.size() == outer.size() || inner[outer.size()] == '.' || inner[outer.size()] == '[');
  };
  return std::any_of(shot.locked.begin(), shot.locked.end(),
                     [&](const std::string& lock) { return is_below(lock, path) || is_below(path, lock); });
}

template <typename Entries>
auto with_id(Entries& entries, const std::string& id) {
  return std::find_if(entries.begin(), entries.end(), [&](const auto& entry) { return entry.id == id; });
}

class Replanner {
 public:
  Replanner(const Film& film, const Wish& wish, const World& world, const PhonesFunction& phones)
      : before_(film), wish_(wish), world_(world), phones_(phones) {
    result_.film = film;
  }

  Replanned run() {
    const auto first = with_id(film().shots, wish_.shot);
    if (first == film().shots.end())
      throw Error(ExitCode::usage, "the plan has no shot \"" + wish_.shot + "\"; it has " + joined(ids_of(film().shots)));
    first_ = static_cast<std::size_t>(first - film().shots.begin());
    end_ = wish_.onwards ? film().shots.size() : first_ + 1;
    text_ = prepare_prompt(wish_.text);
    story_ = oracle::read_story(text_, world_, ids_of(first->cast));
    assign_events();
    for (std::size_t i = first_; i < end_; ++i) change_shot(i);
    follow_moved_shots();
    mend_preconditions();
    return checked_result();
  }

 private:
  Film& film() { return result_.film; }

  // Assigns the events of the wish to the shots, in order.
  void assign_events() {
    const std::size_t shots = end_ - first_, events = story_.events.size();
    if (events > shots) {
      throw Error(ExitCode::bad_data, "the wish tells of " + std::to_string(events) + " things that happen one after the other, for " +
                                          std::to_string(shots) + (shots == 1 ? " shot" : " shots"));
    }
    for (std::size_t i = 0; i < shots; ++i) events_.push_back(events == 0 ? Event() : story_.events[i * events / shots]);
    for (std::size_t e = 0; e < events; ++e) {  // one piece of a line per shot
      const std::vector<std::string>& line = story_.events[e].line;
      std::size_t piece = 0;
      for (std::size_t i = 0; i < shots; ++i) {
        if (i * events / shots != e) continue;
        events_[i].line = piece < line.size() ? std::vector<std::string>{line[piece]} : std::vector<std::string>{};
        ++piece;
      }
      for (; piece < line.size(); ++piece) story_.unsupported.push_back(line[piece]);
    }
  }

  // ---- one shot

  // Makes a change, or notes that a lock forbids it.
  template <typename Change>
  void unless_locked(std::size_t index, const std::string& path, Change make) {
    Shot& shot = film().shots[index];
    if (!is_locked(shot, path)) return make(shot);
    kept_.add(at("shots", index) + "." + path, "locked-changed", "is locked, so the wish cannot change it");
  }

  void change_shot(std::size_t index) {
    const Event& event = events_[index - first_];
    for (const std::string& actor : story_.removed) remove_actor(index, actor);
    if (!event.roles.empty()) change_cast(index, event.roles);
    change_props(index, event);
    if (!event.line.empty() || story_.is_silent) change_lines(index, event);
    set_camera(index, "camera.size", story_.size, &Camera::size);
    set_camera(index, "camera.move", story_.move, &Camera::move);
    if (!event.place.empty() || !event.time.empty() || !event.weather.empty()) move_shot(index, event);
  }

  void set_camera(std::size_t index, const std::string& path, const std::string& value, std::string Camera::*field) {
    if (value.empty() || film().shots[index].camera.*field == value) return;
    unless_locked(index, path, [&](Shot& shot) { shot.camera.*field = value; });
  }

  // Removes an actor with everything they do, say and cause.
  void remove_actor(std::size_t index, const std::string& actor) {
    if (with_id(film().shots[index].cast, actor) == film().shots[index].cast.end()) return;
    const bool is_free = !is_locked(film().shots[index], "action_beats") && !is_locked(film().shots[index], "dialogue") &&
                         !is_locked(film().shots[index], "effects");
    unless_locked(index, is_free ? "cast" : film().shots[index].locked.front(), [&](Shot& shot) {
      std::erase_if(shot.cast, [&](const CastMember& m) { return m.id == actor; });
      std::erase_if(shot.action_beats, [&](const ActionBeat& b) { return b.who == actor; });
      std::erase_if(shot.dialogue, [&](const Line& l) { return l.speaker == actor && l.mode == "on_screen"; });
      std::erase_if(shot.effects, [&](const Fact& f) { return f.entity == actor || f.value == actor; });
      std::erase_if(shot.pre, [&](const Fact& f) { return f.entity == actor || f.value == actor; });
      if (shot.camera.target == actor && !is_locked(shot, "camera.target")) shot.camera.target.clear();
    });
  }

  // The cast and its actions. Named actors replace the present ones, unless one of them is present already or the wish adds or removes
  // actors.
  void change_cast(std::size_t index, const std::vector<Role>& roles) {
    const Shot& shot = film().shots[index];
    const bool is_known =
        std::any_of(roles.begin(), roles.end(), [&](const Role& r) { return with_id(shot.cast, r.actor) != shot.cast.end(); });
    if (!is_known && !story_.is_addition && story_.removed.empty()) {
      for (const std::string& actor : ids_of(std::vector<CastMember>(shot.cast))) {
        left_.push_back(*with_id(shot.cast, actor));
        remove_actor(index, actor);
      }
    }
    for (const Role& role : roles) {
      if (with_id(film().shots[index].cast, role.actor) == film().shots[index].cast.end()) add_actor(index, role);
      set_action(index, role);
    }
    left_.clear();
  }

  void add_actor(std::size_t index, const Role& role) {
    declare_character(role.actor);
    unless_locked(index, "cast", [&](Shot& shot) {
      CastMember member{
          .id = role.actor, .position = role.position, .facing = role.facing, .mood = World::or_first(role.mood, world_.moods)};
      if (!left_.empty()) {  // takes the spot of a removed actor
        if (member.position.empty()) member.position = left_.front().position;
        if (member.facing.empty()) member.facing = left_.front().facing;
        left_.erase(left_.begin());
      }
      const auto is_taken = [&](const std::string& position) {
        return std::any_of(shot.cast.begin(), shot.cast.end(), [&](const CastMember& m) { return m.position == position; });
      };
      for (const char* free : {"center", "right", "left"}) {
        const bool fits = member.position.empty() && has(world_.positions, free) && !is_taken(free) &&
                          (shot.cast.empty() || std::string(free) != "center");
        if (fits) member.position = free;
      }
      if (member.position.empty()) member.position = world_.positions.front();
      if (member.facing.empty())
        member.facing = has(world_.facings, "left") && member.position == "right" ? "left"
                        : has(world_.facings, "right")                            ? "right"
                                                                                  : world_.facings.front();
      shot.cast.push_back(member);
      const bool stands = has(ids_of(world_.actions), "stands");
      shot.action_beats.push_back({0, role.actor, !role.action.empty() ? role.action : stands ? "stands" : world_.actions.front().id});
    });
  }

  void set_action(std::size_t index, const Role& role) {
    Shot& shot = film().shots[index];
    const auto member = with_id(shot.cast, role.actor);
    if (member == shot.cast.end()) return;  // locked out
    const std::string who = at("cast", static_cast<std::size_t>(member - shot.cast.begin()));
    if (!role.position.empty() && member->position != role.position)
      unless_locked(index, who + ".position", [&](Shot&) { member->position = role.position; });
    if (!role.facing.empty() && member->facing != role.facing)
      unless_locked(index, who + ".facing", [&](Shot&) { member->facing = role.facing; });
    const bool feels_so = role.mood.empty() || World::or_first(member->mood, world_.moods) == role.mood;
    if (!feels_so) unless_locked(index, who + ".mood", [&](Shot&) { member->mood = role.mood; });
    if (role.action.empty()) return;
    const auto beat =
        std::find_if(shot.action_beats.begin(), shot.action_beats.end(), [&](const ActionBeat& b) { return b.who == role.actor; });
    if (beat == shot.action_beats.end()) {
      unless_locked(index, "action_beats", [&](Shot& s) { s.action_beats.push_back({0, role.actor, role.action}); });
    } else if (beat->what != role.action) {
      unless_locked(index, at("action_beats", static_cast<std::size_t>(beat - shot.action_beats.begin())) + ".what",
                    [&](Shot&) { beat->what = role.action; });
    }
  }

  // The props of a shot. Notes those that it has no room for.
  void change_props(std::size_t index, const Event& event) {
    for (const std::string& prop : story_.removed_props) {
      if (with_id(film().shots[index].props, prop) == film().shots[index].props.end()) continue;
      unless_locked(index, "props", [&](Shot& shot) { std::erase_if(shot.props, [&](const ShotProp& p) { return p.id == prop; }); });
    }
    for (const oracle::Thing& thing : event.props) place_prop(index, thing);
  }

  void place_prop(std::size_t index, const oracle::Thing& thing) {
    std::vector<ShotProp>& props = film().shots[index].props;
    const auto there = with_id(props, thing.prop);
    if (there != props.end()) {
      if (thing.position.empty() || there->position == thing.position) return;
      return unless_locked(index, at("props", static_cast<std::size_t>(there - props.begin())) + ".position",
                           [&](Shot&) { there->position = thing.position; });
    }
    if (props.size() >= PlanCaps::props) return kept_.add(at("shots", index) + ".props", "model-prop", "has no room for the " + thing.prop);
    unless_locked(index, "props", [&](Shot& shot) {
      const std::string lead = shot.cast.empty() ? "" : shot.cast.front().position;
      std::string position = thing.position;
      for (std::size_t i = 0; position.empty() && i < PlanCaps::props; ++i) {
        const std::string free = oracle::prop_position(world_, shot.cast.size(), lead, i);
        const bool is_taken = std::any_of(shot.props.begin(), shot.props.end(), [&](const ShotProp& p) { return p.position == free; });
        if (!is_taken) position = free;
      }
      shot.props.push_back({thing.prop, position.empty() ? world_.positions.front() : position});
    });
  }

  void declare_character(const std::string& actor) {
    if (with_id(film().characters, actor) != film().characters.end()) return;
    const auto known = with_id(world_.actors, actor);
    const auto voice = story_.voices.find(actor);
    film().characters.push_back(
        {known->id, known->name, known->look, {voice == story_.voices.end() ? oracle::default_voice(actor, world_) : voice->second}});
  }

  void change_lines(std::size_t index, const Event& event) {
    unless_locked(index, "dialogue", [&](Shot& shot) {
      shot.dialogue.clear();
      const bool is_there = with_id(shot.cast, event.speaker) != shot.cast.end();
      if (!event.line.empty() && is_there)
        shot.dialogue.push_back(oracle::line_of(film(), shot, event.speaker, event.line.front(), world_, phones_));
    });
  }

  // ---- where and when

  void move_shot(std::size_t index, const Event& event) {
    const Shot& shot = film().shots[index];
    const auto here = with_id(film().places, shot.place);
    if (here == film().places.end()) return;
    const World::Place* known = world_.place(here->id);
    const std::string base = event.place.empty() ? (known == nullptr ? here->id : known->id) : event.place,
                      time = event.time.empty() ? here->time_of_day : event.time;
    const std::string weather = weather_at(base, event, *here);
    const auto stands_for = [&](const Place& p) {
      const World::Place* of = world_.place(p.id);
      return (of == nullptr ? p.id : of->id) == base;
    };
    const auto exact = std::find_if(film().places.begin(), film().places.end(),
                                    [&](const Place& p) { return stands_for(p) && p.time_of_day == time && has_weather(p, weather); });
    const auto any = std::find_if(film().places.begin(), film().places.end(), stands_for);
    if (exact != film().places.end()) return go_to(index, exact->id);
    if (any != film().places.end() && event.time.empty() && event.weather.empty()) return go_to(index, any->id);
    if (stands_for(*here) && is_theirs(here->id, event)) {  // no other shot uses this entry
      here->time_of_day = time;
      if (!has_weather(*here, weather)) here->weather = weather;
      for (std::size_t i = first_; i < end_; ++i) {
        if (film().shots[i].place == here->id) set_ambience(i);
      }
      return;
    }
    if (is_locked(shot, "place")) return go_to(index, "");
    Place entry = stands_for(*here) ? *here : Place{base, world_.place(base)->description, time};
    entry.id = oracle::next_entry(film(), base);
    entry.time_of_day = time;
    if (!has_weather(entry, weather)) entry.weather = weather;
    film().places.push_back(entry);
    go_to(index, entry.id);
  }

  bool has_weather(const Place& place, const std::string& weather) const {
    return World::or_first(place.weather, world_.weathers) == weather;
  }

  // The weather of a shot at a place of the world: unchanged if the wish gives none. One that the place cannot have becomes unsupported.
  std::string weather_at(const std::string& base, const Event& event, const Place& here) {
    const World::Place* known = world_.place(base);
    const std::string now = World::or_first(here.weather, world_.weathers), wanted = event.weather.empty() ? now : event.weather;
    if (known == nullptr || known->weathers.empty() || has(known->weathers, wanted)) return wanted;
    if (!event.weather.empty()) story_.unsupported.emplace_back(event.weather_source.of(text_));
    return known->weathers.front();
  }

  // Whether the wish gives all shots at a place this time and weather.
  bool is_theirs(const std::string& place, const Event& event) {
    for (std::size_t i = 0; i < film().shots.size(); ++i) {
      if (film().shots[i].place != place) continue;
      const bool wants = i >= first_ && i < end_ && events_[i - first_].time == event.time &&
                         events_[i - first_].weather == event.weather && events_[i - first_].place.empty();
      if (!wants) return false;
    }
    return true;
  }

  void go_to(std::size_t index, const std::string& place) {
    if (film().shots[index].place == place) return;
    unless_locked(index, "place", [&](Shot& shot) {
      shot.place = place;
      set_ambience(index);
    });
  }

  // Sets the ambience of a shot to that of its place.
  void set_ambience(std::size_t index) {
    Shot& shot = film().shots[index];
    const auto entry = with_id(film().places, shot.place);
    const World::Place* known = world_.place(shot.place);
    if (known != nullptr && !is_locked(shot, "ambience"))
      shot.ambience = oracle::ambience_of(*known, entry->time_of_day, World::or_first(entry->weather, world_.weathers), world_);
  }

  // ---- what depends on it

  // Shots that continue a moved one move with it.
  void follow_moved_shots() {
    for (std::size_t i = first_ + 1; i < film().shots.size(); ++i) {
      const Shot& shot = film().shots[i];
      const auto chained = shot.conditioning.mode == "chain"    ? with_id(film().shots, shot.conditioning.chain_from)
                           : shot.transition.kind == "continue" ? film().shots.begin() + static_cast<std::ptrdiff_t>(i) - 1
                                                                : film().shots.end();
      if (chained == film().shots.end()) continue;
      const std::string& was = before_.shots[static_cast<std::size_t>(chained - film().shots.begin())].place;
      if (chained->place != was && shot.place == was) go_to(i, chained->place);
    }
  }

  // Rewrites preconditions of later shots that no longer hold to what holds.
  void mend_preconditions() {
    std::set<std::string> old;
    for (const Finding& f : simulate(before_).findings) old.insert(f.path);
    std::map<std::pair<std::string, std::string>, std::string> now;
    const Timeline timeline = simulate(film());
    for (const Fact& fact : timeline.start) now[{fact.entity, fact.attribute}] = fact.value;
    for (std::size_t i = 0; i < film().shots.size(); ++i) {
      std::vector<Fact>& pre = film().shots[i].pre;
      for (std::size_t k = pre.size(); k-- > 0 && i > first_;) {
        const std::string path = at(at("shots", i) + ".pre", k);
        const bool fails = std::any_of(timeline.findings.begin(), timeline.findings.end(),
                                       [&](const Finding& f) { return f.path == path && f.rule == "pre-fails"; });
        if (!fails || old.contains(path)) continue;
        unless_locked(i, at("pre", k), [&](Shot& shot) {
          const auto holds = now.find({shot.pre[k].entity, shot.pre[k].attribute});
          if (holds == now.end())
            shot.pre.erase(shot.pre.begin() + static_cast<std::ptrdiff_t>(k));
          else
            shot.pre[k].value = holds->second;
        });
      }
      for (const Change& c : timeline.shots[i]) now[{c.entity, c.attribute}] = c.after;
    }
  }

  // ---- the result

  Replanned checked_result() {
    const bool is_same = film() == before_;
    if (is_same && !kept_.all.empty()) throw PlanError("nothing of the wish can be done", kept_.all);
    if (is_same)
      throw Error(ExitCode::bad_data,
                  "the wish \"" + wish_.text + "\" changes nothing: " +
                      (story_.unsupported.empty() ? "the plan says so already, or it names nothing that this model knows"
                                                  : "this model does not know \"" + story_.unsupported.front() + "\""));
    std::vector<Finding> findings = check(film(), world_);
    const std::vector<Finding> broken = locked_changes(before_, film());
    findings.insert(findings.end(), broken.begin(), broken.end());
    if (has_errors(findings)) throw PlanError("the wish cannot be met", std::move(findings));
    for (const Finding& f : kept_.all) result_.notes.push_back(f.path + " " + f.sentence);
    for (const auto& [actor, voice] : story_.voices) {
      const auto character = with_id(film().characters, actor);
      if (character != film().characters.end() && character->voice.voice_id != voice)
        result_.notes.push_back("the voice of " + actor + " is that of the whole film and stays");
    }
    for (const std::string& span : story_.unsupported)
      result_.notes.push_back("this model cannot show \"" + span + "\"; the plan leaves it out");
    oracle::name_unsupported(film().unsupported, story_.unsupported);
    return std::move(result_);
  }

  const Film& before_;
  const Wish& wish_;
  const World& world_;
  const PhonesFunction& phones_;
  Replanned result_;
  std::string text_;  // of the wish
  oracle::Story story_;
  std::size_t first_ = 0, end_ = 0;
  std::vector<Event> events_;     // by shot
  std::vector<CastMember> left_;  // removed actors whose spots are free
  Findings kept_;                 // changes that locks forbade or that had no room
};

}  // namespace

Replanned replan(const Film& film, const Wish& wish, const World& world, const PhonesFunction& phones) {
  if (const auto change = reshaping_in(wish.text)) return reshape(film, wish, *change, world, phones);
  World named = world;
  std::vector<ActorName> names;
  for (const Character& c : film.characters) names.push_back({c.id, c.name});
  oracle::add_names(named, names);
  return Replanner(film, wish, named, phones).run();
}

}  // namespace fabula::plan
