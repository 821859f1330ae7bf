// Turns mentions into a story: sentences, and where and when they happen.
#include <algorithm>
#include <tuple>
#include <utility>

#include "planner/oracle/oracle.h"
#include "planner/oracle/reader.h"
#include "planner/schema/caps.h"
#include "planner/text/spans.h"

namespace fabula::oracle {

Story StoryReader::run() {
  for (const Sentence& sentence : sentences_of(prompt_, lexicon_)) read_sentence(sentence);
  apply_settings();
  pair_up_roles();
  name_unplaced();
  return std::move(story_);
}

// ---- a sentence

void StoryReader::read_sentence(const Sentence& sentence) {
  sentence_ = &sentence;
  first_event_ = story_.events.size();
  event_ = nullptr;
  joint_ = Kind::small;
  clause_begin_ = clause_end_ = 0;
  has_verb_ = speaks_ = is_then_ = began_with_then_ = prepositional_ = articled_ = is_linked_ = awaits_speaker_ = has_open_pronoun_ = false;
  only_feels_ = is_chased_ = false;
  named_again_.clear();
  pending_voice_.clear();
  pending_ = {};
  unknown_end_ = 0;
  is_heading_ = std::exchange(follows_heading_, sentence.size() == 1 && (sentence[0].word == "ext" || sentence[0].word == "int"));
  if (is_denial() || is_setting()) return;
  for (at_ = 0; at_ < sentence.size(); ++at_) read_mention(sentence[at_]);
  if (has_open_pronoun_ && std::all_of(sentence.begin(), sentence.end(), [](const Mention& m) {
        return m.is(Kind::pronoun) || m.is(Kind::then) || m.is(Kind::joint) || m.what == What::comma;
      }))
    settle_pronoun();
  if (has_open_pronoun_ && began_with_then_ && lexicon_.reads_scripts()) settle_pronoun();  // "Now in the snow, he."
  if (event_ == nullptr && !pending_.action.empty())
    begin_event({{last_actors_.empty() ? world_.actors[0].id : last_actors_[0], {}, {}, {}, false}});  // "Run!"
  if (event_ == nullptr && !pending_.line.empty()) add_line(pending_.line);
  flush_crowd();
  merge_mood_sentence(first_event_);
  spread_setting(first_event_);
  if (event_ == nullptr) keep_setting();
}

// Keeps what a sentence without an event says of the scene.
void StoryReader::keep_setting() {
  std::vector<Event>& events = story_.events;
  const bool begins = began_with_then_ && !events.empty() && !pending_.weather.empty();
  if (begins) {  // "Then it starts to rain.": the same event again, in the rain
    Event next = events.back();
    next.speaker.clear();
    next.line.clear();
    next.weather = std::exchange(pending_.weather, {});
    next.weather_source = pending_.weather_source;
    events.push_back(std::move(next));
  }
  const Setting setting{events.size(),           pending_.place, pending_.time, pending_.weather,
                        pending_.weather_source, pending_.props, is_heading_};
  if (!setting.place.empty() || !setting.time.empty() || !setting.weather.empty() || !setting.props.empty()) settings_.push_back(setting);
}

// "No rain.", "There is no crab.", "It does not snow.": what must not be seen.
bool StoryReader::is_denial() {
  const Sentence& s = *sentence_;
  if (world_.props.empty() || std::any_of(s.begin(), s.end(), [](const Mention& m) {
        return m.is(Kind::action) || m.is(Kind::say) || m.is(Kind::add) || m.what == What::line;
      }))
    return false;
  const bool is_without = !s.empty() && (s[0].is(Kind::remove) || (s.size() > 1 && s[0].is(Kind::small) && s[1].is(Kind::remove)));
  const auto rains = std::find_if(s.begin(), s.end(), [](const Mention& m) { return m.is(Kind::weather); });
  const bool is_dry = rains != s.end() && std::any_of(s.begin(), rains, [](const Mention& m) {
                        return m.word == "not" || m.word == "doesn't" || m.word == "isn't";
                      });
  if (!is_without && !is_dry) return false;
  for (const Mention& m : s) {
    if (m.is(Kind::actor)) story_.removed.push_back(m.meaning.id);
    if (m.is(Kind::prop)) story_.removed_props.push_back(m.meaning.id);
    if (m.what == What::unknown) unplaced_.push_back(m.span);
  }
  return true;
}

// "A fox hops, then spins on the moon.": the setting of the last event is also that of the first.
void StoryReader::spread_setting(std::size_t first) {
  const std::vector<Event>& events = story_.events;
  if (first + 1 >= events.size()) return;
  const auto same_actors = [&](const Event& e) {
    return std::equal(e.roles.begin(), e.roles.end(), events[first].roles.begin(), events[first].roles.end(),
                      [](const Role& a, const Role& b) { return a.actor == b.actor; });
  };
  if (!std::all_of(events.begin() + static_cast<std::ptrdiff_t>(first), events.end(), same_actors)) return;
  for (const auto field : {&Event::place, &Event::time, &Event::weather}) {
    const auto is_given = [&](const Event& e) { return !(e.*field).empty(); };
    if (std::none_of(events.begin() + static_cast<std::ptrdiff_t>(first), events.end() - 1, is_given))
      story_.events[first].*field = events.back().*field;
  }
  if (!events[first].weather.empty() && events[first].weather_source.end == 0)
    story_.events[first].weather_source = events.back().weather_source;
}

// "It is night.", "We are in the forest.", "It is raining.": a place, a time or a weather, but no action.
bool StoryReader::is_setting() {
  Setting setting{.events = story_.events.size(), .is_heading = is_heading_};
  bool happens = false, they = false;
  std::size_t others = 0;
  for (const Mention& m : *sentence_) {
    if (m.is(Kind::place))
      setting.place = m.meaning.id;
    else if (m.is(Kind::time))
      setting.time = m.meaning.id;
    else if (m.is(Kind::weather))
      setting.weather = m.meaning.id, setting.weather_source = m.span;
    else if (m.is(Kind::pronoun))
      they = they || m.meaning.id == "they" || m.meaning.id == "it", happens = happens || m.meaning.id == "he" || m.meaning.id == "she";
    else if (m.is(Kind::actor) || m.is(Kind::action) || m.is(Kind::say) || m.is(Kind::position) || m.is(Kind::facing) || m.is(Kind::then) ||
             m.is(Kind::prop) || m.is(Kind::chased) || m.what == What::line)
      ++others;
  }
  const bool is_it = !sentence_->empty() && sentence_->front().is(Kind::pronoun) && sentence_->front().meaning.id == "it";
  if (others > 0 || happens || (setting.place.empty() && setting.time.empty() && setting.weather.empty())) return false;
  if (is_it && !setting.place.empty() && !story_.events.empty()) return false;  // "It is on the beach.": the last actor is
  if (!they && unknown_subject()) return false;
  settings_.push_back(setting);
  return true;
}

// Whether the sentence has a subject unknown to the world: "A dragon in the forest."
bool StoryReader::unknown_subject() const {
  for (const Mention& m : *sentence_) {
    if (m.what == What::unknown) return true;
    if (m.is(Kind::among) || m.is(Kind::with)) return false;
  }
  return false;
}

void StoryReader::read_mention(const Mention& m) {
  switch (m.what) {
    case What::comma:
      if (joint_ == Kind::small) joint_ = Kind::shot;  // a comma joins, too
      prepositional_ = articled_ = false;
      return;
    case What::colon:
      prepositional_ = articled_ = false;
      return;
    case What::line:
      return read_line(m);
    case What::unknown:
      return read_unknown(m);
    case What::meaning:
      break;
  }
  if (read_function_word(m.meaning.kind) || !read_content_word(m)) return;
  prepositional_ = articled_ = is_linked_ = false;
  extend_source(m);
}

// A word that says how others belong together, or asks something of the whole film. False: a content word.
bool StoryReader::read_function_word(Kind kind) {
  switch (kind) {
    case Kind::joint:
      if (joint_ != Kind::meanwhile) joint_ = Kind::joint;
      prepositional_ = articled_ = false;
      return true;
    case Kind::meanwhile:
      joint_ = Kind::meanwhile, prepositional_ = articled_ = false;
      return true;
    case Kind::then:
      is_then_ = true, began_with_then_ = began_with_then_ || event_ == nullptr, prepositional_ = articled_ = false;
      return true;
    case Kind::with:
      joint_ = Kind::with, prepositional_ = true, articled_ = false;
      return true;
    case Kind::remove:
      joint_ = Kind::remove, prepositional_ = true;
      return true;
    case Kind::among:
      prepositional_ = true, articled_ = false;
      return true;
    case Kind::article:
      articled_ = true;
      return true;
    case Kind::copula:
      is_linked_ = true;
      return true;
    case Kind::opener:
      prepositional_ = articled_ = false;
      return true;
    case Kind::add:
      story_.is_addition = true;
      return true;
    case Kind::silent:
      story_.is_silent = true;
      return true;
    case Kind::shot:
      read_shot_count();
      return true;
    case Kind::small:
      return true;
    default:
      return false;
  }
}

// False: a mood whose owner is still to come.
bool StoryReader::read_content_word(const Mention& m) {
  switch (m.meaning.kind) {
    case Kind::actor:
      read_actor(m.meaning.id, true, m);
      break;
    case Kind::pronoun:
      read_pronoun(m);
      break;
    case Kind::action:
      read_action(m.meaning.id, m);
      break;
    case Kind::chased:
      read_action("runs", m);
      is_chased_ = true;
      break;
    case Kind::say:
      read_say_verb();
      break;
    case Kind::voice:
      read_voice(m.meaning.id);
      break;
    case Kind::place:
      set_setting(&Event::place, pending_.place, m);
      break;
    case Kind::time:
      read_time(m);
      break;
    case Kind::weather:
      read_weather(m);
      break;
    case Kind::prop:
      read_prop(m);
      break;
    case Kind::mood:
      return read_mood(m);
    case Kind::position:
      read_position(m.meaning.id);
      break;
    case Kind::facing:
      place_role(&Role::facing, pending_.facing, m.meaning.id);
      break;
    case Kind::size:
      story_.size = m.meaning.id;
      break;
    case Kind::move:
      story_.move = m.meaning.id;
      break;
    default:
      break;
  }
  return true;
}

void StoryReader::extend_source(const Mention& m) {
  if (event_ == nullptr) return;
  if (event_->source.end == 0) event_->source = m.span;
  event_->source.begin = std::min(event_->source.begin, m.span.begin);
  event_->source.end = std::max(event_->source.end, m.span.end);
}

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
  std::string& said = event_->*field;
  if (said.empty()) {
    said = m.meaning.id;
  } else if (said != m.meaning.id) {  // "from the forest to the beach": a second event, there
    Event next = *event_;
    next.line.clear();
    next.speaker.clear();
    next.props.clear();
    next.*field = m.meaning.id;
    story_.events.push_back(next);
    event_ = &story_.events.back();
  }
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
  if (joint_ == Kind::remove) {
    story_.removed_props.push_back(m.meaning.id);
    joint_ = Kind::small;
    return;
  }
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

// ---- at the end

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

// Talking and chasing take two: the partner of a talker stands still, the partner of a chaser runs.
void StoryReader::pair_up_roles() {
  for (Event& event : story_.events) {
    for (const auto& [action, answer, alone] : {std::tuple{"talks", "stands", "stands"}, {"chases", "runs", "runs"}}) {
      const auto does = [&, action = action](const Role& role) { return role.action == action; };
      const auto first = std::find_if(event.roles.begin(), event.roles.end(), does);
      if (first == event.roles.end()) continue;
      for (Role& role : event.roles) {
        if (&role != &*first && (role.action.empty() || does(role))) role.action = answer;
      }
      if (event.roles.size() == 1 && has_stand_in_) first->action = alone;
      if (first != event.roles.begin() && std::string(action) == "chases") std::swap(*first, event.roles.front());
    }
  }
}

// Names neighbouring words together: "eats an apple".
void StoryReader::name_unplaced() {
  std::vector<TextSpan> runs;
  for (const TextSpan& span : unplaced_) {
    const bool joins = !runs.empty() && span.begin >= runs.back().end && span.end - runs.back().begin <= PlanCaps::unsupported &&
                       only_articles(runs.back().end, span.begin);
    if (joins)
      runs.back().end = span.end;
    else
      runs.push_back(span);
  }
  std::vector<std::string> spans;
  for (const TextSpan& run : runs) spans.emplace_back(run.of(prompt_));
  name_unsupported(story_.unsupported, spans);
}

bool StoryReader::only_articles(std::size_t begin, std::size_t end) const {
  const std::string_view between = prompt_.substr(begin, end - begin);
  if (between.find_first_of(".,:;!?\"\\\n") != std::string_view::npos) return false;
  const std::vector<std::string> words = split_words(between);
  return std::all_of(words.begin(), words.end(), [](const std::string& w) { return w == "a" || w == "an" || w == "the" || w == "some"; });
}

Story read_story(std::string_view prompt, const World& world, const std::vector<std::string>& present) {
  return StoryReader(prompt, world, present).run();
}

}  // namespace fabula::oracle
