// Where and when a story happens, in which weather, beside what and in which mood.
#include <algorithm>
#include <utility>

#include "planner/oracle/oracle.h"
#include "planner/oracle/reader.h"
#include "planner/text/names.h"

namespace fabula::oracle {

// ---- where and when

void StoryReader::read_time(const Mention& m) {
  const bool is_weather_day =
      m.word == "day" && at_ > 0 && ((*sentence_)[at_ - 1].what == What::unknown || (*sentence_)[at_ - 1].is(Kind::weather));
  if (!is_weather_day) set_setting(&Event::time, pending_.time, m);  // "on a rainy day" gives no time
}

void StoryReader::read_position(const std::string& id) {
  const bool is_of_prop = at_ > 0 && (*sentence_)[at_ - 1].is(Kind::prop);  // "a tree on the left"
  if (!is_of_prop) return place_role(&Role::position, pending_.position, id);
  std::vector<Thing>& props = event_ != nullptr ? event_->props : pending_.props;
  if (!props.empty()) props.back().position = id;
}

void StoryReader::set_setting(std::string Event::*field, std::string& pending, const Mention& m) {
  if (has_open_pronoun_) settle_pronoun();
  if (event_ == nullptr) {
    if (pending.empty())
      pending = m.meaning.id;
    else if (pending != m.meaning.id)
      unplaced_.push_back(m.span);
    return;
  }
  if (std::exchange(is_later_, false)) {
    turned_ = true;
    return begin_later(field, m);
  }
  std::string& said = event_->*field;
  if (said.empty()) {
    said = m.meaning.id;
  } else if (said != m.meaning.id) {  // "from the forest to the beach": a second event, there
    begin_later(field, m);
  }
}

// The event goes on elsewhere, at another time or in another weather: "until night falls".
void StoryReader::begin_later(std::string Event::*field, const Mention& m) {
  Event next = *event_;
  next.line.clear();
  next.speaker.clear();
  next.props.clear();
  next.*field = m.meaning.id;
  story_.events.push_back(next);
  event_ = &story_.events.back();
}

void StoryReader::place_role(std::string Role::*field, std::string& pending, const std::string& id) {
  if (has_open_pronoun_) settle_pronoun();
  const bool after_other = event_ != nullptr && event_->roles.size() == most_roles && at_ > 0 && (*sentence_)[at_ - 1].is(Kind::actor) &&
                           takes_two(event_->roles[clause_begin_].action);
  if (after_other)
    event_->roles.back().*field = id;  // "chases a crab on the right"
  else if (event_ == nullptr || clause_begin_ >= event_->roles.size())
    pending = id;
  else
    event_->roles[has_verb_ || clause_end_ == 0 ? clause_begin_ : clause_end_ - 1].*field = id;
}

// ---- weather, props and moods

void StoryReader::read_weather(const Mention& m) {
  set_setting(&Event::weather, pending_.weather, m);
  TextSpan& source = event_ == nullptr ? pending_.weather_source : event_->weather_source;
  if ((event_ == nullptr ? pending_.weather : event_->weather) == m.meaning.id) source = m.span;
}

void StoryReader::read_prop(const Mention& m) {
  things_ = true;
  if (joint_ == Kind::with) joint_ = Kind::small;
  if (has_open_pronoun_) settle_pronoun();
  std::vector<Thing>& props = event_ != nullptr ? event_->props : pending_.props;
  const bool is_there = std::any_of(props.begin(), props.end(), [&](const Thing& thing) { return thing.prop == m.meaning.id; });
  if (!is_there) props.push_back({m.meaning.id, {}, m.span});
}

// Returns whether the mood is of actors who are already named.
bool StoryReader::read_mood(const Mention& m) {
  const bool is_subjects = is_predicate();
  if (!is_subjects) {
    if (qualifies_actor()) {
      pending_.mood = m.meaning.id;
      return false;
    }
    if (articled_ || event_ == nullptr) return false;  // "in a quiet forest"
  }
  set_mood(m.meaning.id, is_subjects);  // "the fox and the crab dance happily": the first one does
  return true;
}

// "is sad", "looks very happy"
bool StoryReader::is_predicate() const {
  if (articled_) return false;
  if (is_linked_) return true;
  for (std::size_t i = at_; i-- > 0 && (*sentence_)[i].is(Kind::small);) {
    const std::string& word = (*sentence_)[i].word;
    if (word.starts_with("look") || word.starts_with("turn")) return true;
  }
  return false;
}

// "a sad fox", "the angry and lonely old robot"
bool StoryReader::qualifies_actor() const {
  for (std::size_t i = at_ + 1; i < sentence_->size(); ++i) {
    const Mention& m = (*sentence_)[i];
    if (m.what == What::unknown && Lexicon::is_alive(m.word)) return true;  // an actor of the world plays them
    const bool joins = (m.is(Kind::joint) || m.what == What::comma) && i + 1 < sentence_->size() && (*sentence_)[i + 1].is(Kind::mood);
    if (m.is(Kind::actor)) return true;
    if (!joins && !m.is(Kind::small) && !m.is(Kind::mood) && m.what != What::unknown) return false;
  }
  return false;
}

void StoryReader::set_mood(const std::string& mood, bool is_all) {
  if (has_open_pronoun_) settle_pronoun();
  if (event_ == nullptr || clause_begin_ >= event_->roles.size()) return;
  only_feels_ = !has_verb_;
  if (!named_again_.empty()) return set_mood_of(named_again_, mood);
  const std::size_t end = is_all ? clause_end_ : clause_begin_ + 1;
  for (std::size_t i = clause_begin_; i < end; ++i) event_->roles[i].mood = mood;
}

// "A fox walks. It is sad.": the second sentence adds to the first event, unless it changes a mood.
void StoryReader::merge_mood_sentence(std::size_t first) {
  std::vector<Event>& events = story_.events;
  if (!only_feels_ || began_with_then_ || first == 0 || events.size() != first + 1) return;
  const Event& mood_event = events.back();
  const bool is_more = has_verb_ || !mood_event.place.empty() || !mood_event.time.empty() || !mood_event.weather.empty() ||
                       !mood_event.props.empty() || !mood_event.line.empty();
  if (is_more) return;
  Event& before = events[first - 1];
  const auto same = [&](const Role& role) {
    return std::find_if(before.roles.begin(), before.roles.end(),
                        [&](const Role& r) { return r.actor == role.actor && (r.mood.empty() || r.mood == role.mood); });
  };
  if (std::any_of(mood_event.roles.begin(), mood_event.roles.end(),
                  [&](const Role& role) { return same(role) == before.roles.end() || !role.position.empty() || !role.facing.empty(); }))
    return;
  for (const Role& role : mood_event.roles) same(role)->mood = role.mood;
  events.pop_back();
  event_ = &events.back();
}

// ---- what holds for more than one event

void StoryReader::apply_settings() {
  for (const Setting& setting : settings_) {
    apply_setting(&Event::place, setting.place, setting.events, setting.is_heading);
    apply_setting(&Event::time, setting.time, setting.events, setting.is_heading);
    apply_weather(setting);
    apply_props(setting);
  }
}

// `begins`: it applies to what follows, like a screenplay's heading.
void StoryReader::apply_setting(std::string Event::*field, const std::string& said, std::size_t from, bool begins) {
  if (said.empty()) return;
  std::vector<Event>& events = story_.events;
  if (events.empty()) events.push_back({});
  const bool was_said = std::any_of(events.begin(), events.begin() + static_cast<std::ptrdiff_t>(std::min(from, events.size())),
                                    [&](const Event& e) { return !(e.*field).empty(); });
  Event& target = (was_said || begins) && from < events.size() ? events[from] : events.front();
  if ((target.*field).empty()) target.*field = said;
}

// Weather applies to the place where the film is, from the first event there.
void StoryReader::apply_weather(const Setting& setting) {
  if (setting.weather.empty()) return;
  std::vector<Event>& events = story_.events;
  if (events.empty()) events.push_back({});
  const bool is_next = setting.events == 0 || !setting.place.empty();
  std::size_t index = std::min(is_next ? setting.events : setting.events - 1, events.size() - 1);
  while (!is_next && index > 0 && events[index].place.empty()) --index;
  if (!events[index].weather.empty()) index = setting.events;  // a change of weather applies to the next event
  if (index >= events.size() || !events[index].weather.empty()) return;
  events[index].weather = setting.weather;
  events[index].weather_source = setting.weather_source;
}

// "There is a tree.": a prop belongs to the place where the film is, or to the one that the sentence names.
void StoryReader::apply_props(const Setting& setting) {
  if (setting.props.empty()) return;
  std::vector<Event>& events = story_.events;
  if (events.empty()) events.push_back({});
  const std::size_t index = setting.place.empty() && setting.events > 0 ? setting.events - 1 : setting.events;
  std::vector<Thing>& props = events[std::min(index, events.size() - 1)].props;
  props.insert(props.end(), setting.props.begin(), setting.props.end());
}

}  // namespace fabula::oracle
